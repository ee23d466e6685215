"""A person sets how the page looks and how it tells that a batch is done."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import editor

RECORDER = """
const page = () => document.documentElement.dataset;
window.Notification = class {
  static permission = "default";
  static async requestPermission() {
    page().asked = Number(page().asked ?? 0) + 1;
    return (this.permission = "granted");
  }
  constructor(title, { body }) { page().told = (page().told ?? "") + `${title}: ${body}`; }
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  page().tones = Number(page().tones ?? 0) + 1;
  start.apply(this, when);
};
"""
"""What the page asks and tells of the desktop, written at the page itself."""


def queue_batch(page: Page, name: str) -> None:
    """A batch of two quick runs of the default workflow."""
    template = f"{page.url}api/workflows/templates/text-to-image"
    workflow: dict[str, Any] = page.request.get(template).json()["workflow"]
    sampler = next(i for i, n in workflow["nodes"].items() if n["type"].endswith("k_sampler"))
    axis = {"kind": "values", "at": {"node": sampler, "widget": "steps"}, "values": [1, 2]}
    body = {"workflow": workflow, "name": name, "recipe": {"axes": [axis]}}
    assert page.request.post(f"{page.url}api/batches", data=body).status == 201


def test_a_batch_that_ends_is_told_where_that_is_wanted(page: Page) -> None:
    page.add_init_script(RECORDER)
    page.reload()
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    html = page.locator("html")
    settings = page.locator("[data-test=settings]")
    page.locator('[data-command="settings"]').click()
    expect(settings).to_be_visible()
    assert html.get_attribute("data-asked") is None, "the browser asked before anybody wanted it"
    settings.locator("[data-test=set-desktop]").click()
    expect(settings.locator("[data-test=set-desktop]")).to_have_attribute("aria-checked", "true")
    expect(html).to_have_attribute("data-asked", "1")
    settings.locator("[data-test=set-sound]").click()
    expect(html).to_have_attribute("data-tones", "2")  # it is heard when it is switched on
    settings.locator("[data-test=theme-dark]").check(force=True)  # its words cover the button
    expect(html).to_have_attribute("data-theme", "dark")
    page.keyboard.press("Escape")
    expect(settings).to_be_hidden()
    queue_batch(page, "Two steps")
    told = "Two steps is done: 2 done."
    expect(html).to_have_attribute("data-told", told, timeout=editor.RUN_SECONDS)
    expect(html).to_have_attribute("data-tones", "4")


def test_how_much_of_the_past_is_kept_is_set_and_taken_back(page: Page) -> None:
    settings = page.locator("[data-test=settings]")
    runs = settings.locator("[data-test=limit-runs]")

    def kept(number: int | None) -> None:
        def said() -> bool:
            answer = page.request.get(f"{page.url}api/queue/limits").json()
            return bool(answer["runs"] == number)

        for _ in range(100):
            if said():
                return
            page.wait_for_timeout(50)
        assert said()

    page.locator('[data-command="settings"]').click()
    runs.fill("500")
    runs.press("Enter")
    kept(500)
    page.keyboard.press("Escape")
    page.locator('[data-command="settings"]').click()
    expect(runs).to_have_value("500")
    runs.fill("")
    runs.blur()
    kept(None)
