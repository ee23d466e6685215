"""The page can be read in light and dark, and its panels leave each other room."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from tests.browser import editor

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8").strip().rstrip(";")
FLOATING = (".top-bar > .bar", ".bottom-bar > .bar", ".rail", ".panel")
"""What floats over the canvas."""
TEMPLATES = ("Image to image", "Inpaint", "Outpaint", "Hires fix", "Compare VAEs", "X/Y grid") * 2


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, chromium: Browser, url: str) -> Iterator[Page]:
    """The editor in one of its two themes."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme=request.param
    )
    opened = context.new_page()
    opened.goto(url)
    opened.wait_for_selector("[data-node]", timeout=30_000)
    yield opened
    context.close()


def low_contrast(page: Page) -> list[list[object]]:
    """The texts that are hard to read, with their contrast."""
    page.wait_for_timeout(300)  # ms; colours change within 120
    found: list[list[object]] = page.evaluate(CONTRAST)
    return found


def apart(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] + one["width"] <= other["x"]
        or other["x"] + other["width"] <= one["x"]
        or one["y"] + one["height"] <= other["y"]
        or other["y"] + other["height"] <= one["y"]
    )


def test_every_text_has_aa_contrast(themed: Page) -> None:
    expect(themed.locator("[data-test=run-status]")).to_be_visible(timeout=30_000)
    assert low_contrast(themed) == []
    editor.node(themed, "Load Checkpoint").get_by_text("Load Checkpoint", exact=True).click()
    themed.keyboard.press("Delete")
    expect(themed.locator('[data-node][data-problem="error"]').first).to_be_visible()
    for panel in ("problems", "queue", "library", "workflows", "models"):
        themed.locator(f"[data-test=panel-{panel}]").click()
        assert low_contrast(themed) == [], panel
    themed.keyboard.press("?")
    expect(themed.locator("[data-test=help]")).to_be_visible()
    assert low_contrast(themed) == []


def test_faint_text_is_found(page: Page) -> None:
    page.evaluate(
        "document.querySelector('[data-test=run-status]').style.cssText = 'color:#888;opacity:.5'"
    )
    found = low_contrast(page)
    assert found
    assert "run" in str(found[0][0])


def test_the_themes_differ_and_the_button_changes_them(themed: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    before = themed.evaluate(ground)
    themed.locator("[data-command=theme]").click()
    assert themed.evaluate(ground) != before, "the first press changed nothing"
    themed.locator("[data-command=theme]").click()
    themed.locator("[data-command=theme]").click()
    assert themed.evaluate(ground) == before, "three presses do not lead back to the system's"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (900, 700)])
def test_no_panel_overlaps_another_or_leaves_the_window(
    page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.locator("[data-test=panel-library]").click()
    if page.locator(".side-right .panel").count() == 0:
        page.locator("[data-test=panel-gallery]").click()
    boxes = [
        (name, box)
        for name in FLOATING
        for shown in page.locator(name).all()
        if (box := shown.bounding_box()) is not None
    ]
    assert len(boxes) >= 8
    for name, box in boxes:
        assert box["x"] >= 0, name
        assert box["y"] >= 0, name
        assert box["x"] + box["width"] <= width, name
        assert box["y"] + box["height"] <= height, name
    for (name, one), (other_name, other) in combinations(boxes, 2):
        assert apart(one, other), f"{name} {one} lies over {other_name} {other}"


def test_many_open_tabs_hide_neither_the_open_one_nor_the_settings(page: Page) -> None:
    tabs = page.locator("[data-test=tab]")
    page.locator("[data-test=panel-workflows]").click()
    for number, name in enumerate(TEMPLATES):
        page.locator("[data-test=workflows]").get_by_text(name, exact=True).click()
        expect(tabs).to_have_count(number + 2)
    expect(tabs.last).to_have_attribute("data-active", "true")
    for shown in (
        tabs.last,
        page.locator("[data-command=new]"),
        page.locator("[data-command=help]"),
    ):
        expect(shown).to_be_in_viewport(ratio=0.9)
    tabs.first.locator(".tab-name").dispatch_event("click")  # as from far away: it is out of sight
    expect(tabs.first).to_be_in_viewport(ratio=0.9)


def test_a_phone_shows_the_open_workflow_and_all_of_the_run_bar(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("[data-test=tab]")).to_be_in_viewport(ratio=0.6)
    status = page.locator("[data-test=run-status]")
    expect(status).to_be_visible(timeout=30_000)
    for inner in (status, page.locator(".run-middle")):
        box = inner.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    page.locator("[data-test=menu]").click()
    page.locator("[data-test=palette] input").fill("App view")
    page.keyboard.press("Enter")
    form = page.locator(".app-editor")
    expect(form).to_be_visible()
    assert form.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_workflow_begins_beside_the_open_panels(page: Page) -> None:
    panel = page.locator(".side-right .panel").bounding_box()
    assert panel is not None
    page.wait_for_timeout(500)  # ms; the view is fitted anew once the nodes are known
    for node in page.locator("[data-node]").all():
        box = node.bounding_box()
        assert box is not None
        assert apart(box, panel)


def test_a_new_node_covers_none_that_is_there(page: Page) -> None:
    editor.add_node(page, "Load VAE")
    page.wait_for_timeout(400)  # ms; the view may move to it
    new = editor.node(page, "Load VAE").bounding_box()
    assert new is not None
    for node in page.locator("[data-node]").all():
        box = node.bounding_box()
        if box is not None and box != new:
            assert apart(new, box)


def test_on_a_phone_nothing_is_wider_and_the_view_begins_where_values_can_be_read(
    chromium: Browser, url: str
) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    context.add_init_script("localStorage.setItem('latent-loom.tour', 'seen')")
    phone = context.new_page()
    phone.goto(url)
    expect(phone.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(phone.locator("[data-test=run-status]")).to_be_visible(timeout=30_000)
    text = editor.node(phone, "Prompt").locator("textarea")
    expect(text).to_be_in_viewport(ratio=0.99)  # of its area; edges fall between pixels
    assert phone.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
    context.close()
