"""Fingers do what a mouse does: pan, pinch, open the menu with a long press, connect by taps."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.browser import editor


@pytest.fixture
def touched(chromium: Browser, url: str) -> Iterator[Page]:
    """The editor on a tablet."""
    context = chromium.new_context(
        viewport={"width": 1180, "height": 820}, has_touch=True, is_mobile=False
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    yield page
    context.close()
    assert errors == []


def fingers(cdp: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    """One event of the touch screen; `kind` is "Start", "Move" or "End", a point is a finger."""
    at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    cdp.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})


def viewport(page: Page) -> tuple[float, float, float]:
    """The view: where the canvas lies, and its zoom."""
    found = page.evaluate(
        """() => { const view = document.querySelector(".react-flow__viewport");
        const at = new DOMMatrix(getComputedStyle(view).transform); return [at.e, at.f, at.a]; }"""
    )
    return found[0], found[1], found[2]


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_fingers_pan_pinch_and_open_the_menu(touched: Page) -> None:
    cdp = touched.context.new_cdp_session(touched)
    x, y, zoom = viewport(touched)
    fingers(cdp, "Start", (500, 700))
    for step in range(1, 7):
        fingers(cdp, "Move", (500 + 10 * step, 700 - 5 * step))
    fingers(cdp, "End")
    moved = viewport(touched)
    assert moved[0] - x > 30
    assert y - moved[1] > 15
    assert moved[2] == zoom

    fingers(cdp, "Start", (480, 690), (520, 690))
    for step in range(1, 9):
        fingers(cdp, "Move", (480 - 8 * step, 690), (520 + 8 * step, 690))
    fingers(cdp, "End")
    assert viewport(touched)[2] > 1.3 * zoom

    editor.show_everything(touched)
    title = editor.node(touched, "KSampler").get_by_text("KSampler", exact=True)
    fingers(cdp, "Start", middle(title))
    expect(touched.locator("[role=menu]")).to_be_visible()  # while the finger still rests
    fingers(cdp, "End")
    expect(touched.locator("[role=menu]")).to_be_visible()
    touched.locator('[role=menuitem][data-command="mute"]').tap()
    expect(editor.node(touched, "KSampler")).to_have_attribute("data-mode", "mute")


def test_two_taps_make_a_wire_and_a_refused_one_says_why(touched: Page) -> None:
    wires = touched.locator("[data-wire]")
    expect(wires).to_have_count(9)
    latent = editor.socket(touched, "VAE Decode", "latent", "in")
    latent.focus()
    touched.keyboard.press("Delete")
    expect(wires).to_have_count(8)
    editor.socket(touched, "KSampler", "latent", "out").tap()
    expect(touched.locator("[data-test=tapping]")).to_be_visible()
    expect(latent).to_have_attribute("data-fit", "fits")
    latent.tap()
    expect(wires).to_have_count(9)
    expect(touched.locator("[data-test=tapping]")).to_be_hidden()

    editor.socket(touched, "Load Checkpoint", "vae", "out").tap()
    expect(touched.locator("[data-test=tapping]")).to_be_visible()
    latent.tap()
    expect(touched.locator("[data-test=refusal]")).to_be_visible()
    expect(wires).to_have_count(9)


def test_two_fingers_zoom_the_mask_painter_and_paint_nothing(touched: Page) -> None:
    touched.locator("[data-test=panel-workflows]").click()
    touched.locator("[data-test=open-templates]").click()
    touched.locator("[data-template-card=inpaint]").click()
    touched.locator("[data-test=panel-workflows]").click()  # it would lie over the node
    editor.show_everything(touched)
    touched.locator("[data-test=paint-mask]").click()
    told, zoom = touched.locator("[data-test=covered]"), touched.locator("[data-test=painter-zoom]")
    expect(told).to_have_text("30 % painted", timeout=30_000)
    whole = str(zoom.text_content())
    x, y = middle(touched.locator("[data-test=mask-canvas]"))
    cdp = touched.context.new_cdp_session(touched)
    fingers(cdp, "Start", (x - 40, y))  # it seems to paint, until the second one comes
    fingers(cdp, "Start", (x - 40, y), (x + 40, y))
    for step in range(1, 9):
        fingers(cdp, "Move", (x - 40 - 8 * step, y), (x + 40 + 8 * step, y))
    fingers(cdp, "End")
    expect(zoom).not_to_have_text(whole)
    expect(told).to_have_text("30 % painted")
    expect(touched.locator(".painter-tools").get_by_label("Undo (Ctrl+Z)")).to_be_disabled()
