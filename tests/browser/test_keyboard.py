"""The editor without a mouse: every stop is seen and has a name, and the main job can be done."""

from playwright.sync_api import Page, expect

from tests.browser import editor

STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const frame = getComputedStyle(at.querySelector(".node") ?? at);
  return {
    what: at.outerHTML.slice(0, 120),
    name: at.getAttribute("aria-label") ?? at.title ?? at.textContent,
    named: Boolean(at.getAttribute("aria-label") || at.title || at.textContent.trim()),
    seen: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1)
      || frame.boxShadow !== "none"
      || (frame.outlineStyle !== "none" && parseFloat(frame.outlineWidth) >= 1),
  };
}"""


def test_every_stop_of_the_tab_key_has_a_name_and_is_seen(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            break
        stops.append(stop)
    assert len(stops) > 30
    assert [stop["what"] for stop in stops if not stop["named"]] == []
    assert [stop["what"] for stop in stops if not stop["seen"]] == []
    assert any('data-test="run"' in stop["what"] for stop in stops)


def test_a_number_keeps_the_focus_when_it_is_typed(page: Page) -> None:
    editor.set_number(page, "KSampler", "steps", 12)
    expect(editor.node(page, "KSampler").locator('[data-widget="steps"]')).to_be_focused()
    page.keyboard.press("ArrowUp")
    steps = editor.node(page, "KSampler").locator('[data-widget="steps"]')
    expect(steps).to_have_attribute("aria-valuenow", "13")


def test_a_node_is_added_named_deleted_and_brought_back_by_keys(page: Page) -> None:
    nodes = page.locator("[data-node]")
    before = nodes.count()
    page.keyboard.press("a")
    expect(page.locator("[data-test=node-menu] input")).to_be_focused()
    page.keyboard.type("preview")
    page.keyboard.press("Enter")
    expect(nodes).to_have_count(before + 1)
    added = editor.node(page, "Preview Image")
    expect(added).to_have_attribute("data-selected", "true")
    expect(page.locator(".react-flow__node").filter(has=added)).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.type("Look")
    page.keyboard.press("Enter")
    expect(editor.node(page, "Look")).to_be_visible()
    page.keyboard.press("Delete")
    expect(nodes).to_have_count(before)
    page.keyboard.press("Control+z")
    expect(nodes).to_have_count(before + 1)


def test_a_prompt_is_typed_and_run_without_a_mouse(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement?.tagName") == "TEXTAREA":
            break
    page.keyboard.press("Control+a")
    page.keyboard.type("a large green star on a white background")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-test=cancel]")).to_be_visible()
    result = editor.node(page, "Save Image").locator("[data-test=result] img")
    expect(result).to_be_visible(timeout=editor.RUN_SECONDS)
    text = editor.node(page, "Prompt").locator("textarea")
    expect(text).to_have_value("a large green star on a white background")
