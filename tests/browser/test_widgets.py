"""Values are typed as sums, counted and kept; masks are erased, pictures cut; nodes are chosen."""

from itertools import pairwise

from playwright.sync_api import Locator, Page, expect

from tests.browser import editor
from tests.browser.test_seeing import SOON, open_template


def test_a_number_is_reckoned_and_a_seed_counts_up_by_one(page: Page) -> None:
    steps = editor.node(page, "KSampler").locator('[data-widget="steps"]')
    steps.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("(1+2)*1.5-2.5")
    page.keyboard.press("Enter")
    expect(steps).to_have_attribute("aria-valuenow", "2")
    page.keyboard.press("Control+z")
    expect(steps).to_have_attribute("aria-valuenow", "20")
    editor.set_number(page, "KSampler", "steps", 1)

    seed = editor.node(page, "KSampler").locator('[data-widget="seed"]')
    mode = editor.node(page, "KSampler").locator("[data-test=seed-mode]")
    for _ in range(3):
        if mode.get_attribute("aria-label") == "Seed goes up by one each run":
            break
        mode.click()
    expect(mode).to_have_attribute("aria-label", "Seed goes up by one each run")
    shown = []
    for _ in range(3):
        editor.run(page)
        shown.append(int(seed.input_value()))
    assert [later - shown[0] for later in shown] == [0, 1, 2]

    mode.click()
    expect(mode).to_have_attribute("aria-label", "Seed is random each run")
    editor.run(page)
    drawn = seed.input_value()
    assert int(drawn) not in range(shown[0], shown[0] + 10)
    mode.click()  # what ran is kept
    expect(mode).to_have_attribute("aria-label", "Seed is fixed")
    page.locator("[data-test=run]").click()
    expect(seed).to_have_value(drawn)


def _stroke(
    page: Page, canvas: Locator, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """Drags between two points, in shares of the canvas."""
    box = canvas.bounding_box()
    assert box is not None
    x, y, width, height = (box[name] for name in ("x", "y", "width", "height"))
    page.mouse.move(x + width * start[0], y + height * start[1])
    page.mouse.down()
    page.mouse.move(x + width * end[0], y + height * end[1], steps=6)
    page.mouse.up()


def test_a_mask_is_erased_and_a_picture_is_cut(page: Page) -> None:
    open_template(page, "inpaint")
    before = page.locator(".image-name").text_content(timeout=SOON)
    page.locator("[data-test=paint-mask]").click(timeout=SOON)
    told, canvas = page.locator("[data-test=covered]"), page.locator("[data-test=mask-canvas]")
    expect(told).to_have_text("30 % painted", timeout=SOON)
    page.keyboard.press("i")
    expect(told).to_have_text("70 % painted")
    page.locator("[data-tool=eraser]").first.click()
    for height in (0.1, 0.9):
        _stroke(page, canvas, (0.02, height), (0.98, height))
    expect(told).not_to_have_text("70 % painted")
    left = int(str(told.text_content()).split()[0])
    assert left < 70
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(told).to_have_text("70 % painted")

    page.keyboard.press("c")
    expect(told).to_have_text("Draw a frame around what to keep")
    expect(page.locator("[data-test=keep-mask]")).to_be_disabled()
    _stroke(page, canvas, (0.25, 0.25), (0.75, 0.5))
    expect(told).to_contain_text("×")
    width, height = (int(edge) for edge in str(told.text_content()).split(" × "))
    page.locator("[data-test=keep-mask]").click()
    expect(canvas).to_have_count(0, timeout=SOON)
    expect(page.locator(".image-name")).not_to_have_text(str(before), timeout=SOON)
    shown = page.locator(".image-drop img")
    expect(shown).to_have_js_property("naturalWidth", width, timeout=SOON)
    expect(shown).to_have_js_property("naturalHeight", height)
    assert abs(width - 2 * height) <= 2


def test_all_that_feeds_a_node_is_chosen_and_spread_evenly(page: Page) -> None:
    def chosen() -> set[str]:
        return {
            title
            for title in ("Load Checkpoint", "Prompt", "KSampler", "VAE Decode", "Save Image")
            if editor.node(page, title).get_attribute("data-selected") == "true"
        }

    editor.node(page, "KSampler").locator(".node-name").click()
    page.keyboard.press("Control+BracketLeft")
    expect(editor.node(page, "Load Checkpoint")).to_have_attribute("data-selected", "true")
    assert chosen() == {"Load Checkpoint", "Prompt", "KSampler"}
    page.keyboard.press("Escape")
    expect(editor.node(page, "Prompt")).not_to_have_attribute("data-selected", "true")
    editor.node(page, "KSampler").locator(".node-name").click()
    page.keyboard.press("Control+BracketRight")
    expect(editor.node(page, "Save Image")).to_have_attribute("data-selected", "true")
    assert chosen() == {"KSampler", "VAE Decode", "Save Image"}

    titles = ("Prompt", "Negative prompt", "Empty Latent")

    def apart() -> float:
        """How much the two gaps between the three differ, in pixels."""
        gaps = []
        for upper, lower in pairwise(editor.node(page, title).bounding_box() for title in titles):
            assert upper is not None
            assert lower is not None
            gaps.append(lower["y"] - upper["y"] - upper["height"])
        return abs(gaps[0] - gaps[1])

    page.keyboard.press("Escape")
    expect(editor.node(page, "KSampler")).not_to_have_attribute("data-selected", "true")
    editor.node(page, titles[2]).locator(".node-name").click()
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)  # ms; a node may glide
    assert apart() > 10
    for title in titles[:2]:
        editor.node(page, title).locator(".node-name").click(modifiers=["Shift"])
    editor.node(page, titles[0]).locator(".node-name").click(button="right")
    page.locator('.menu-row [data-command="distribute-down"]').click()
    page.wait_for_function("() => !document.querySelector('.menu-row')")
    assert apart() < 2  # places are whole numbers of the canvas
