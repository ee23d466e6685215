"""For everyone: no serious violation that axe-core finds, fingers, large type and little motion."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import editor
from tests.browser.accessible import violations


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, chromium: Browser, url: str) -> Iterator[Page]:
    """The editor in one of its two themes, without motion."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme=request.param,
        reduced_motion="reduce",
    )
    opened = context.new_page()
    opened.goto(url)
    expect(opened.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(opened.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    yield opened
    context.close()


def _problem(page: Page) -> None:
    editor.node(page, "VAE Decode").get_by_text("VAE Decode", exact=True).click()
    page.keyboard.press("s")
    page.keyboard.press("Delete")
    page.keyboard.press("Escape")
    expect(page.locator('[data-node][data-problem="error"]').first).to_be_visible()


def _socket_card(page: Page) -> None:
    editor.node(page, "KSampler").get_by_text("KSampler", exact=True).click()
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page.locator("[data-test=socket-card] [role=option]").first).to_be_visible()


def _save_as(page: Page) -> None:
    page.keyboard.press("Control+Shift+s")
    expect(page.locator("[data-test=dialog]")).to_be_visible()


def _node_menu(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("a")
    expect(page.locator("[data-test=node-menu]")).to_be_visible()


def _context_menu(page: Page) -> None:
    title = editor.node(page, "KSampler").get_by_text("KSampler", exact=True)
    title.click(button="right")
    expect(page.locator("[role=menu]")).to_be_visible()


def _help(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("?")
    expect(page.locator("[data-test=help]")).to_be_visible()


def _picker(page: Page) -> None:
    editor.node(page, "Load Checkpoint").locator('[data-widget="file"]').click()
    expect(page.locator(".popover [role=option]").first).to_be_visible()


def _palette(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Control+k")
    expect(page.locator("[data-test=palette]")).to_be_visible()


def _sheet(command: str) -> Callable[[Page], None]:
    """Opens the sheet of a command that the palette finds by these words."""

    def open_sheet(page: Page) -> None:
        _palette(page)
        page.keyboard.type(command)
        page.keyboard.press("Enter")
        expect(page.locator(".sheet-card")).to_be_visible(timeout=15_000)

    open_sheet.__name__ = command
    return open_sheet


OVERLAYS: tuple[Callable[[Page], None], ...] = (
    _help,
    _save_as,
    _node_menu,
    _context_menu,
    _picker,
    _socket_card,
    _palette,
    *map(_sheet, ("Settings", "Templates", "App view", "Batch: vary", "All pictures", "Earlier")),
)


def test_axe_finds_nothing_serious_on_the_page_its_panels_and_its_dialogs(themed: Page) -> None:
    found = {"page": violations(themed)}
    for open_overlay in OVERLAYS:
        open_overlay(themed)
        found[open_overlay.__name__] = violations(themed)
        themed.keyboard.press("Escape")
    _problem(themed)
    for panel in themed.locator("[data-panel]").all():
        name = panel.get_attribute("data-panel") or ""
        if panel.get_attribute("aria-pressed") != "true":
            panel.click()
        found[name] = violations(themed)
    assert len(found) > 10
    broken = [f"{where}: {rule} {html}" for where, all_ in found.items() for rule, html in all_]
    assert not broken, "\n".join(broken)


def test_nothing_moves_where_little_motion_is_asked_for(themed: Page) -> None:
    moving = themed.evaluate(
        "() => [...document.querySelectorAll('*')].filter((each) => {"
        " const style = getComputedStyle(each);"
        " return style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0;"
        "}).length"
    )
    assert moving == 0


def test_at_200_percent_every_bar_can_be_reached(chromium: Browser, url: str) -> None:
    # A window of 1280 x 800 at 200 % has 640 x 400 pixels of the page's own.
    context = chromium.new_context(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    page = context.new_page()
    page.goto(url)
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    for name in ("[data-test=run]", "[data-command=help]", "[data-panel=library]"):
        box = page.locator(name).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0, name
        assert box["y"] >= 0, name
        assert box["x"] + box["width"] <= 640, name
        assert box["y"] + box["height"] <= 400, name
    page.locator("[data-panel=library]").click()
    panel = page.locator("[data-test=side-panel]")
    box = panel.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 400, "the panel cannot be scrolled to its end"
    page.locator("[data-command=help]").first.click()
    last = page.locator("[data-test=help] .help-row").last
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()
    context.close()
