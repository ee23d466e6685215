"""Templates, prompts, masks, intermediates, the timeline, help, the tour and the app view."""

import re

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import editor
from tests.browser.test_subgraphs import INSIDE, pack

SOON = 20_000  # ms; a loaded machine with two cores may be slow, nothing is timed


def open_template(page: Page, name: str) -> None:
    page.locator("[data-test=panel-workflows]").click()
    page.locator("[data-test=open-templates]").click()
    page.locator(f"[data-template-card={name}]").click()


def test_a_template_is_opened_by_its_picture_and_a_mask_painted_over_its_own(page: Page) -> None:
    page.locator("[data-test=panel-workflows]").click()
    page.locator("[data-test=open-templates]").click()
    cards = page.locator("[data-template-card]")
    expect(cards).to_have_count(9)
    for picture in cards.locator("img").all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0
    page.locator("[data-template-card=inpaint]").click()
    expect(editor.node(page, "Set Latent Noise Mask")).to_be_visible(timeout=SOON)

    page.locator("[data-test=paint-mask]").click()
    told = page.locator("[data-test=covered]")
    expect(told).to_have_text("30 % painted", timeout=SOON)
    box = page.locator("[data-test=mask-canvas]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.9)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.9, steps=5)
    page.mouse.up()
    expect(told).not_to_have_text("30 % painted")
    page.keyboard.press("Control+z")
    expect(told).to_have_text("30 % painted")
    page.keyboard.press("i")
    expect(told).to_have_text("70 % painted")
    _zooms_moves_and_feathers(page)
    page.locator("[data-test=keep-mask]").click()
    expect(page.locator(".image-name")).to_contain_text("masked", timeout=SOON)


def _zooms_moves_and_feathers(page: Page) -> None:
    """In the painter: the wheel zooms, the hand moves the paper, and F makes the edge soft."""
    canvas, zoom = page.locator("[data-test=mask-canvas]"), page.locator("[data-test=painter-zoom]")
    whole, small = zoom.text_content(), canvas.bounding_box()
    assert small is not None
    page.mouse.move(small["x"] + small["width"] / 4, small["y"] + small["height"] / 4)
    page.mouse.wheel(0, -400)
    expect(zoom).not_to_have_text(str(whole))
    large = canvas.bounding_box()
    assert large is not None
    assert large["width"] > 2 * small["width"]
    page.keyboard.press("h")
    page.mouse.down()
    page.mouse.move(small["x"] + small["width"] / 2, small["y"] + small["height"] / 2, steps=3)
    page.mouse.up()
    moved = canvas.bounding_box()
    assert moved is not None
    assert moved["x"] > large["x"] + 10
    expect(page.locator("[data-test=covered]")).to_have_text("70 % painted")  # the hand paints not
    page.keyboard.press("0")
    expect(zoom).to_have_text(str(whole))
    assert _soft_pixels(canvas) == 0
    page.locator("[data-test=feather]").click()
    assert _soft_pixels(canvas) > 100
    page.keyboard.press("Control+z")
    assert _soft_pixels(canvas) == 0


def _soft_pixels(canvas: Locator) -> int:
    """How many pixels of the mask are painted in part."""
    found: int = canvas.evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
        ".data.filter((value, at) => at % 4 === 3 && value > 5 && value < 250).length"
    )
    return found


def test_a_prompt_tells_its_tokens_its_chunks_and_its_faults(page: Page) -> None:
    prompt = editor.node(page, "Prompt")
    text = prompt.locator("textarea")
    foot = prompt.locator("[data-test=token-count]")
    text.fill("a large red circle")
    expect(foot).to_have_text("CLIP-L 4/30", timeout=SOON)
    text.fill("a large red circle " + "and a star " * 10)
    expect(foot).to_have_text("CLIP-L 34/60, 2 chunks", timeout=SOON)
    expect(prompt.locator("[data-test=chunk-border]")).to_have_count(1)
    text.fill("a (red circle")
    expect(foot).to_have_text("This bracket is never closed.")
    text.fill("a red circle")
    text.evaluate("field => field.setSelectionRange(3, 3)")
    page.keyboard.press("Control+ArrowUp")
    page.keyboard.press("Control+ArrowUp")
    expect(text).to_have_value("a (red:1.1) circle")


def test_a_run_can_be_looked_into(page: Page) -> None:
    # what no other test asks for: a result that is kept already has no steps to play back
    editor.type_prompt(page, "Prompt", "a small yellow cross on a white background")
    editor.run(page)
    editor.socket(page, "KSampler", "latent", "out").click()
    sheet = page.locator("[data-test=inspect]")
    expect(sheet.locator("[data-test=about]")).to_contain_text("starter", timeout=SOON)
    slider = sheet.locator("[data-test=tunnel]")
    expect(slider).to_be_visible(timeout=SOON)  # its steps were kept
    slider.fill("0")
    expect(sheet.locator("img")).to_have_attribute("data-step", re.compile(r"\d+"))
    sheet.locator("[data-test=channels]").click()
    expect(sheet.locator("img")).to_have_attribute("src", re.compile("view=channels"))
    page.keyboard.press("Escape")
    editor.socket(page, "Prompt", "conditioning", "out").click()
    expect(sheet.locator(".token")).to_have_count(8, timeout=SOON)
    page.keyboard.press("Escape")
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("t")
    expect(page.locator("[data-test=timeline-total]")).to_contain_text("nodes")
    expect(page.locator("[data-test=timeline] li")).to_have_count(7)


def test_a_node_explains_itself_and_gives_an_example(page: Page) -> None:
    editor.node(page, "VAE Decode").locator(".node-title").click()
    page.keyboard.press("F1")
    sheet = page.locator("[data-test=node-help]")
    expect(sheet).to_contain_text("Turn latents into pictures")
    sheet.locator("[data-test=insert-example]").click()
    expect(page.locator('[data-type="vae_decode"]')).to_have_count(2, timeout=SOON)
    expect(page.locator('[data-type="preview_image"]')).to_have_count(1)
    expect(page.locator("[data-problem=error]")).to_have_count(0)


def test_the_tour_has_five_steps_and_is_offered_once(chromium: Browser, url: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(url)
    page.locator("[data-test=tour-invitation] button").first.click(timeout=SOON)
    for number in range(1, 6):
        expect(page.locator("[data-test=tour]")).to_contain_text(f"{number} of 5")
        page.locator("[data-test=tour-next]").click()
    expect(page.locator("[data-test=tour]")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=SOON)
    expect(page.locator("[data-test=tour-invitation]")).to_have_count(0)
    context.close()


def test_a_workflow_is_a_form_on_a_phone(page: Page, chromium: Browser, url: str) -> None:
    page.locator("[data-test=canvas]").click(button="right", position={"x": 720, "y": 760})
    page.get_by_text("App view").click()
    page.locator("[data-test=suggest]").click()
    page.keyboard.press("Escape")
    pack(page, "Draw", *INSIDE)  # the form's pins follow their nodes inside
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Control+s")
    page.locator("[data-test=dialog] input").fill("phone form")
    page.locator("[data-test=confirm]").click()
    expect(page.locator("[data-test=unsaved]")).to_have_count(0, timeout=SOON)

    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    phone = context.new_page()
    phone.goto(f"{url}/?app=phone%20form")
    expect(phone.get_by_role("heading", name="Draw / Prompt", exact=True)).to_be_visible(
        timeout=SOON
    )
    phone.locator("textarea").first.fill("a large blue ring on a yellow background")
    phone.locator("[data-test=app-run]").tap()
    expect(phone.locator("[data-test=app-picture]")).to_be_visible(timeout=editor.RUN_SECONDS)
    expect(phone.locator("[data-test=app-status]")).to_have_text("Done", timeout=SOON)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
