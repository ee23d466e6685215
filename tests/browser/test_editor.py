"""The main job in a real browser: prompt to picture, and the mix-up that the page refuses."""

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser import editor


def share(picture: np.ndarray, colour: tuple[int, int, int], within: int = 90) -> float:
    """The part of the picture's pixels, 0…1, that lie within a distance of the colour."""
    distance = np.linalg.norm(picture.astype(float) - np.array(colour), axis=-1)
    return float((distance < within).mean())


def test_the_editor_opens_on_the_default_workflow(page: Page) -> None:
    for title in ("Load Checkpoint", "KSampler", "VAE Decode", "Save Image"):
        expect(editor.node(page, title)).to_be_visible()
    assert page.locator("[data-wire]").count() == 9


def test_the_default_workflow_draws_what_the_prompt_says(page: Page) -> None:
    editor.type_prompt(page, "Prompt", "a large blue square on a yellow background")
    editor.run(page)
    drawn = editor.picture(page, "Save Image")
    assert share(drawn, (36, 76, 216)) > 0.08, "too little blue for a large square"
    assert share(drawn, (248, 216, 40)) > 0.3, "too little yellow for a background"


def test_a_starter_latent_is_refused_at_the_starter_b_vae_and_a_fix_mends_it(page: Page) -> None:
    editor.add_node(page, "Load VAE")
    loader = editor.node(page, "Load VAE")
    loader.locator('[data-widget="file"]').click()
    page.locator('[data-pick*="starter-b"]').click()
    page.keyboard.press(".")
    page.wait_for_timeout(500)

    start = editor.socket(page, "Load VAE", "vae", "out")
    end = editor.socket(page, "VAE Decode", "vae", "in")
    editor.hold_wire(page, start, end)
    expect(page.locator(".drag-reason")).to_contain_text("VAE Decode needs Starter")
    page.mouse.up()
    card = page.locator("[data-test=refusal]")
    expect(card).to_be_visible()
    sentence = card.locator("[data-test=refusal-message]").inner_text()
    assert "Starter B" in sentence
    assert "KSampler" in sentence
    assert "VAE Decode" in sentence
    before = page.locator("[data-wire]").count()
    card.locator("[data-fix]").first.click()
    expect(card).to_be_hidden()
    expect(page.locator("[data-node][data-problem]")).to_have_count(0)
    assert page.locator("[data-wire]").count() >= before


def test_undo_restores_what_was_deleted_and_redo_takes_it_away_again(page: Page) -> None:
    nodes, wires = page.locator("[data-node]"), page.locator("[data-wire]")
    before = nodes.count(), wires.count()
    editor.node(page, "KSampler").get_by_text("KSampler", exact=True).click()
    page.keyboard.press("Delete")
    expect(nodes).to_have_count(before[0] - 1)
    page.keyboard.press("Control+z")
    expect(nodes).to_have_count(before[0])
    expect(wires).to_have_count(before[1])
    page.keyboard.press("Control+Shift+z")
    expect(nodes).to_have_count(before[0] - 1)


def test_a_saved_workflow_opens_again_as_the_same_graph(page: Page) -> None:
    editor.type_prompt(page, "Prompt", "a small green ring")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")
    dialog = page.locator("[data-test=dialog]")
    expect(dialog).to_be_visible()
    dialog.locator("input").fill("my ring")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    saved = page.request.get(page.url + "api/workflows/saved/my%20ring").json()["workflow"]
    page.reload()
    page.wait_for_selector("[data-node]")
    page.evaluate("localStorage.clear()")
    page.goto(page.url)
    page.wait_for_selector("[data-node]")
    page.locator("[data-test=panel-workflows]").click()
    page.locator('[data-saved="my ring"]').click()
    expect(editor.node(page, "Prompt").locator("textarea")).to_have_value("a small green ring")
    again = editor.workflow(page)
    assert again == saved
    assert again["nodes"]["2"]["values"]["text"] == "a small green ring"
    assert len(again["layout"]["nodes"]) == len(again["nodes"])


def test_the_page_has_no_dead_wires_and_every_socket_says_what_it_is(page: Page) -> None:
    sockets = page.locator("[data-socket]")
    assert sockets.count() > 10
    for label in sockets.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))"):
        assert label, "a socket has no name for screen readers"
    assert page.locator('[data-wire][data-wrong="true"]').count() == 0
