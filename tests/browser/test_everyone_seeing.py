"""For everyone, what a run leaves behind: pictures, values, masks, grids, help and the app page.

In light and in dark no serious violation that axe-core finds; the focus stays in what lies over the
page and returns; problems and runs are said.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import editor
from tests.browser.accessible import in_both_themes

SOON = 20_000  # ms; a loaded machine with two cores may be slow, nothing is timed


@pytest.fixture
def calm(chromium: Browser, url: str) -> Iterator[Page]:
    """The editor of somebody who wants little motion."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-US"
    )
    context.add_init_script("localStorage.setItem('latent-loom.tour', 'seen')")
    page = context.new_page()
    page.goto(url)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    yield page
    context.close()


def _batch_of_two(page: Page) -> None:
    """Two runs of one step, whose grid is open in the end, every cell with its picture."""
    editor.set_number(page, "KSampler", "steps", 1)
    editor.node(page, "KSampler").locator('[data-widget="seed"]').click(button="right")
    page.locator('[data-command="vary"]').click()
    page.locator("[data-test=axis-count]").fill("2")
    expect(page.locator("[data-test=batch-count]")).to_contain_text("2 runs")
    page.locator("[data-test=batch-queue]").click()
    count = page.locator("[data-test=grid-count]")
    expect(count).to_have_text("2 of 2", timeout=editor.RUN_SECONDS)


def _viewer(page: Page) -> None:
    if page.locator(".side-right [data-test=thumb]").count() == 0:
        page.locator("[data-test=panel-gallery]").click()
    page.locator("[data-test=thumb]").first.click()
    expect(page.locator("[data-test=viewer] img").first).to_be_visible()
    if page.locator("[data-test=viewer-info]").count() == 0:
        page.keyboard.press("i")
    expect(page.locator("[data-test=viewer-info]")).to_be_visible()


def _inspector(page: Page) -> None:
    editor.socket(page, "KSampler", "latent", "out").click()
    expect(page.locator("[data-test=inspect] [data-test=about]")).to_be_visible(timeout=SOON)


def _tokens(page: Page) -> None:
    editor.socket(page, "Prompt", "conditioning", "out").click()
    expect(page.locator("[data-test=inspect] .token").first).to_be_visible(timeout=SOON)


def _timeline(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("t")
    expect(page.locator("[data-test=timeline] li").first).to_be_visible(timeout=SOON)


def _node_help(page: Page) -> None:
    editor.node(page, "VAE Decode").locator(".node-title").click()
    page.keyboard.press("F1")
    expect(page.locator("[data-test=node-help]")).to_be_visible(timeout=SOON)


def _gallery(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Shift+G")
    expect(page.locator(".sheet-full img").first).to_be_visible(timeout=SOON)


SURFACES: tuple[Callable[[Page], None], ...] = (
    _viewer,
    _inspector,
    _tokens,
    _timeline,
    _node_help,
    _gallery,
)


def test_axe_finds_nothing_serious_on_what_a_run_leaves_behind(calm: Page, url: str) -> None:
    broken: list[str] = []
    _batch_of_two(calm)
    broken += in_both_themes(calm, "grid")
    calm.keyboard.press("Escape")
    expect(calm.locator("[data-test=grid]")).to_be_hidden()
    editor.run(calm)
    for open_surface in SURFACES:
        open_surface(calm)
        broken += in_both_themes(calm, open_surface.__name__)
        calm.keyboard.press("Escape")
        expect(calm.locator("[role=dialog]")).to_have_count(0)
    calm.locator("[data-test=panel-workflows]").click()
    calm.locator("[data-test=open-templates]").click()
    calm.locator("[data-template-card=inpaint]").click()
    calm.locator("[data-test=paint-mask]").click(timeout=SOON)
    expect(calm.locator("[data-test=covered]")).to_have_text("30 % painted", timeout=SOON)
    broken += in_both_themes(calm, "painter")
    calm.goto(f"{url}/?app=text-to-image")
    expect(calm.locator("[data-test=app-run]")).to_be_enabled(timeout=30_000)
    expect(calm.locator("textarea").first).to_be_visible(timeout=SOON)
    broken += in_both_themes(calm, "app page")
    assert not broken, "\n".join(broken)


DIALOGS = (
    ("?", "Keyboard shortcuts"),
    ("Control+Shift+s", "Save workflow"),
    ("Control+k", "Search commands, nodes, workflows"),
    ("Control+,", "Settings"),
    ("Shift+B", "Batch: let values vary"),
)
IS_INSIDE = "() => document.activeElement?.closest('[role=dialog]') !== null"


@pytest.mark.parametrize(("key", "name"), DIALOGS)
def test_a_dialog_has_a_name_keeps_the_focus_and_gives_it_back(
    page: Page, key: str, name: str
) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    opener = page.locator("[data-command=fit]").first
    opener.focus()
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible(timeout=SOON)
    expect(dialog).to_have_attribute("aria-label", name)
    page.wait_for_function(IS_INSIDE)
    for step in ("Shift+Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"):
        page.keyboard.press(step)
        assert page.evaluate(IS_INSIDE), f"{step} leaves the dialog"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def test_problems_and_the_run_are_said_to_those_who_hear_the_page(page: Page) -> None:
    said = page.locator("[data-test=said]")
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    editor.node(page, "Load Checkpoint").get_by_text("Load Checkpoint", exact=True).click()
    page.keyboard.press("Delete")
    expect(said).to_contain_text("problems. ", timeout=SOON)
    expect(said).to_contain_text("is not connected", timeout=SOON)
    page.keyboard.press("Control+z")
    expect(said).to_have_text("No problem is left.", timeout=SOON)
    editor.set_number(page, "KSampler", "steps", 30)  # long enough to be heard beginning
    page.evaluate(
        """() => {
          window.heard = [];
          const said = document.querySelector("[data-test=said]");
          new MutationObserver(() => window.heard.push(said.textContent))
            .observe(said, { childList: true, subtree: true, characterData: true });
        }"""
    )
    editor.run(page)
    expect(said).to_have_text("The run is finished.", timeout=editor.RUN_SECONDS)
    assert "The run has started." in page.evaluate("() => window.heard")
