"""Pictures in the page: a cancelled run, a workflow in a picture, a picture to begin from."""

import base64
import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import editor

DROP = """([bytes, name]) => {
  const file = new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name);
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(file);
  const canvas = document.querySelector("[data-test=canvas]");
  const at = { bubbles: true, cancelable: true, clientX: 700, clientY: 760, dataTransfer };
  for (const type of ["dragenter", "dragover", "drop"]) {
    canvas.dispatchEvent(new DragEvent(type, at));
  }
}"""


def png(width: int, height: int) -> bytes:
    """A picture with a red disc on white."""
    y, x = np.mgrid[:height, :width]
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 4) ** 2
    pixels = np.where(inside[..., None], (220, 30, 30), (255, 255, 255)).astype(np.uint8)
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, "PNG")
    return kept.getvalue()


def test_a_run_that_is_cancelled_stops_and_makes_way_for_the_next(page: Page) -> None:
    editor.set_number(page, "KSampler", "steps", 1000)
    with page.expect_response(re.compile(r"/api/runs$")) as posted:
        page.locator("[data-test=run]").click()
    made = posted.value.json()["id"]
    step = editor.node(page, "KSampler").locator("[data-test=node-step]")
    expect(step).to_be_visible(timeout=editor.RUN_SECONDS)
    page.locator("[data-test=cancel]").click()
    expect(page.locator("[data-test=cancel]")).to_be_hidden(timeout=30_000)
    expect(editor.node(page, "KSampler")).to_have_attribute("data-state", "cancelled")
    run = page.request.get(f"{page.url}api/runs/{made}").json()
    assert (run["status"], run["outputs"]) == ("cancelled", [])
    editor.set_number(page, "KSampler", "steps", 2)
    editor.run(page)


def test_a_picture_that_is_dropped_opens_the_workflow_inside_it(page: Page) -> None:
    prompt = "a small purple triangle on a black background"
    editor.type_prompt(page, "Prompt", prompt)
    editor.set_number(page, "KSampler", "steps", 2)
    editor.run(page)
    source = editor.node(page, "Save Image").locator("[data-test=result] img").get_attribute("src")
    assert source is not None
    picture = page.request.get(page.url.rstrip("/") + source.split("?")[0]).body()
    editor.type_prompt(page, "Prompt", "something else")
    tabs = page.locator("[data-test=tab]")
    before = tabs.count()
    runs = len(page.request.get(f"{page.url}api/runs").json()["runs"])
    page.evaluate(DROP, [base64.b64encode(picture).decode(), "dropped.png"])
    expect(tabs).to_have_count(before + 1)
    expect(editor.node(page, "Prompt").locator("textarea")).to_have_value(prompt)
    expect(page.locator("[data-wire]")).to_have_count(9)
    assert len(page.request.get(f"{page.url}api/runs").json()["runs"]) == runs, "it ran by itself"


def test_after_a_reload_the_page_still_knows_what_is_cached(page: Page) -> None:
    editor.type_prompt(page, "Prompt", "a large white hexagon on a purple background")
    editor.set_number(page, "KSampler", "steps", 2)
    status = page.locator("[data-test=run-status]")
    # The models that it will load are weighed before; the starter's are few megabytes.
    expect(status.locator("[data-test=run-memory]")).to_contain_text(
        re.compile(r"about \d+ MB of memory"), timeout=15_000
    )
    page.locator('[data-node] button[aria-label*="Seed is"]').click()  # fixed from now on
    editor.run(page)
    expect(status).to_contain_text("6 cached, 1 to run", timeout=15_000)  # only saving is left
    page.wait_for_timeout(300)  # ms; what is open is kept within 100
    page.reload()
    page.wait_for_selector("[data-node]")
    expect(status).to_contain_text("6 cached, 1 to run", timeout=15_000)


def test_an_uploaded_picture_is_encoded_and_sampled_from(page: Page) -> None:
    editor.add_node(page, "Load Image")
    editor.node(page, "Load Image").locator("[data-test^=upload]").set_input_files(
        files=[{"name": "disc.png", "mimeType": "image/png", "buffer": png(160, 96)}]
    )
    expect(editor.node(page, "Load Image").locator("img")).to_be_visible()
    editor.add_node(page, "VAE Encode")
    editor.show_everything(page)
    editor.wire(page, ("Load Image", "image"), ("VAE Encode", "image"))
    editor.wire(page, ("Load Checkpoint", "vae"), ("VAE Encode", "vae"))
    editor.wire(page, ("VAE Encode", "latent"), ("KSampler", "latent"))
    editor.set_number(page, "KSampler", "denoise", 0.3)
    editor.set_number(page, "KSampler", "steps", 6)
    editor.run(page)
    drawn = editor.picture(page, "Save Image").astype(float)
    assert drawn.shape == (96, 160, 3), "the picture's size is not that of the upload"
    corner, middle = drawn[:16, :16].mean((0, 1)), drawn[40:56, 72:88].mean((0, 1))
    assert corner.min() > 170, "the white ground did not survive a denoise of 0.3"
    assert middle[0] - middle[1] > 50, "the red disc did not survive a denoise of 0.3"


def test_one_undo_takes_back_a_fix_and_the_wire_that_it_mended(page: Page) -> None:
    editor.add_node(page, "Load VAE")
    editor.node(page, "Load VAE").locator('[data-widget="file"]').click()
    page.locator('[data-pick*="starter-b"]').click()
    editor.show_everything(page)
    before = editor.workflow(page)["nodes"]
    for number in range(3):
        editor.wire(page, ("Load VAE", "vae"), ("VAE Decode", "vae"))
        card = page.locator("[data-test=refusal]")
        expect(card).to_be_visible()
        card.locator("[data-fix]").nth(number).click()
        expect(card).to_be_hidden()
        expect(page.locator("[data-node][data-problem]")).to_have_count(0)
        if number:  # the first fix leaves the wires as they were
            assert editor.workflow(page)["nodes"] != before
            page.keyboard.press("Control+z")
        assert editor.workflow(page)["nodes"] == before
        editor.show_everything(page)


def test_a_node_run_by_itself_shows_what_it_gave(page: Page) -> None:
    editor.node(page, "VAE Decode").get_by_text("VAE Decode", exact=True).click(button="right")
    page.locator('[data-command="run-node"]').click()
    drawn = editor.picture(page, "VAE Decode")
    assert drawn.shape == (128, 128, 3)
    assert editor.node(page, "Save Image").locator("[data-test=result]").count() == 0
