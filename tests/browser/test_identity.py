"""What a file is shows in the page with its reasons, and a person may say it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import editor, running
from tests.server.vae_shelf import tiny

NAME = "tiny.safetensors"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that has a tiny VAE of random weights: nothing can tell its space."""
    folder = tmp_path_factory.mktemp("identity")
    tiny(folder / "more" / "vae" / NAME)
    Image.new("RGB", (300, 200), (90, 160, 90)).save(folder / "more" / "vae" / "tiny.preview.png")
    with running.app(folder / "data", "--models", str(folder / "more")) as address:
        yield address


def test_a_person_says_what_a_file_is_and_the_problems_follow(
    chromium: Browser, shelf: str, tmp_path: Path
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(shelf)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(page.locator("[data-node]")).to_have_count(7, timeout=30_000)
    editor.add_node(page, "Load VAE")
    editor.add_node(page, "VAE Encode")
    editor.show_everything(page)
    loader = editor.node(page, "Load VAE")
    loader.locator('[data-widget="file"]').click()
    page.locator(f'[data-pick="{NAME}"]').click()
    editor.wire(page, ("Load VAE", "vae"), ("VAE Encode", "vae"))
    warning = loader.locator('[data-problem="unidentified"]')
    expect(warning).to_be_visible(timeout=15_000)

    # The picker's card tells the evidence; the trial of random weights fits no space.
    loader.locator('[data-widget="file"]').click()
    card = page.locator("[data-test=identity]")
    expect(card.locator("[data-test=sureness]")).to_have_text("candidates")
    expect(card.locator("[data-layer=header]")).to_contain_text("SD 1.x or SDXL")
    expect(card.locator("[data-layer=probe]")).to_contain_text("cannot tell", timeout=60_000)

    card.locator("[data-say=sdxl]").click()
    expect(card.locator("[data-test=sureness]")).to_have_text("certain", timeout=15_000)
    expect(card.locator("[data-layer=statement][data-decides]")).to_contain_text("SDXL")
    page.keyboard.press("Escape")
    expect(warning).to_be_hidden(timeout=15_000)  # the checker was asked again by itself

    # Taken back by the notice, and said again by the fix of the problem.
    page.locator("[data-test=notice]").get_by_text("Undo").click()
    expect(warning).to_be_visible(timeout=15_000)
    warning.get_by_text("Say that tiny.safetensors is SD 1.x").click()
    expect(warning).to_be_hidden(timeout=15_000)
    _is_kept(page)
    context.close()


def _is_kept(page: Page) -> None:
    """The list of models shows the answer, also after a reload."""
    page.reload()
    page.locator("[data-test=panel-models]").click()
    row = page.locator(f'[data-model="{NAME}"]')
    expect(row).to_contain_text("SD1", timeout=15_000)
    row.click()
    expect(page.locator("[data-test=identity] [data-say=sd1]")).to_be_checked()


def test_the_list_of_files_greys_what_does_not_fit_and_shows_pictures(
    chromium: Browser, shelf: str
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(shelf)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(page.locator("[data-node]")).to_have_count(7, timeout=30_000)
    editor.add_node(page, "Load VAE")
    editor.show_everything(page)
    loader = editor.node(page, "Load VAE")
    loader.locator('[data-widget="file"]').click()
    other = page.locator('[data-pick="starter-b.safetensors"]')
    tiny_row = page.locator(f'[data-pick="{NAME}"]')
    # A picture beside the file is its picture; nothing is wired yet, so that every file fits.
    expect(tiny_row.locator("img.model-picture")).to_have_js_property("complete", True)
    assert tiny_row.locator("img").evaluate("image => image.naturalWidth") > 0
    expect(page.locator("[data-doubtful]")).to_have_count(0)
    page.keyboard.press("Escape")

    editor.wire(page, ("Load VAE", "vae"), ("VAE Decode", "vae"))
    page.get_by_text("I know better: allow this wire").click()
    loader.locator('[data-widget="file"]').click()
    expect(tiny_row).to_have_attribute("data-doubtful", "true", timeout=15_000)
    expect(tiny_row).to_contain_text("KSampler uses starter.safetensors")
    expect(other).not_to_have_attribute("data-doubtful", "true")  # a person allowed it
    tiny_row.click()  # it can be chosen all the same
    expect(loader.locator('[data-widget="file"]')).to_contain_text("tiny")
    context.close()
