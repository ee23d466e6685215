"""A workflow is read, walked through and wired by keys alone, and what happens is said."""

from playwright.sync_api import Page, expect

from tests.browser import editor


def focused(page: Page, title: str) -> None:
    """Waits until the node with this title has the focus."""
    shown = page.locator(".react-flow__node").filter(has=editor.node(page, title))
    expect(shown).to_be_focused()


def test_a_wire_is_followed_removed_refused_and_made_again_by_keys(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    said = page.locator("[data-test=said]")
    wires = page.locator("[data-wire]")

    page.keyboard.press("Alt+ArrowRight")  # from nowhere to the first node
    focused(page, "Load Checkpoint")
    before = editor.workflow(page)["layout"]
    editor.node(page, "Load Checkpoint").locator("..").focus()
    for title in ("VAE Decode", "Save Image"):  # along the wires to the end
        page.keyboard.press("Alt+ArrowRight")
        focused(page, title)
    page.keyboard.press("Alt+ArrowLeft")
    focused(page, "VAE Decode")
    assert editor.workflow(page)["layout"] == before, "going to a node moves none"
    page.evaluate("document.querySelector('[data-test=canvas]').focus()")

    editor.node(page, "VAE Decode").get_by_text("VAE Decode", exact=True).click()
    page.keyboard.press("s")
    latent = editor.socket(page, "VAE Decode", "latent", "in")
    expect(latent).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")  # to the sampler's end of the wire
    expect(editor.socket(page, "KSampler", "latent", "out")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(latent).to_be_focused()

    page.keyboard.press("Delete")
    expect(wires).to_have_count(8)
    expect(said).to_contain_text("Removed the wire")

    page.keyboard.press("Enter")
    card = page.locator("[data-test=socket-card]")
    expect(card).to_contain_text("No wire here yet")
    expect(card.locator('[role=option]:not([aria-disabled="true"])').first).to_be_visible()
    expect(card.locator('[role=option][aria-disabled="true"] .pick-reason').first).to_be_attached()
    page.keyboard.type("ksampler")
    page.keyboard.press("Enter")
    expect(card).to_be_hidden()
    expect(wires).to_have_count(9)
    expect(said).to_have_text("Connected.")
    expect(latent).to_be_focused()

    page.keyboard.press("Enter")
    expect(card).to_contain_text("from KSampler")
    expect(card.locator(":focus")).to_have_count(1)  # it takes the focus once it is open
    card.locator("[data-test=remove-wire]").press("Enter")
    expect(wires).to_have_count(8)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(wires).to_have_count(9)
    _a_dot_by_keys(page)


def _a_dot_by_keys(page: Page) -> None:
    """A dot is put on a wire, left, reached along the wire, moved and removed."""
    latent = editor.socket(page, "VAE Decode", "latent", "in")
    latent.focus()
    page.keyboard.press("Enter")
    card = page.locator("[data-test=socket-card]")
    expect(card.locator(":focus")).to_have_count(1)  # it takes the focus once it is open
    page.locator("[data-test=add-dot]").press("Enter")
    dot = page.locator(".react-flow__node:has([data-dot])")
    expect(dot).to_be_focused()
    page.keyboard.press("Alt+ArrowRight")
    focused(page, "VAE Decode")
    dot.focus()
    page.keyboard.press("Alt+ArrowLeft")
    focused(page, "KSampler")
    page.keyboard.press("Alt+ArrowRight")
    expect(dot).to_be_focused()
    (before,) = editor.workflow(page)["layout"]["reroutes"].values()
    dot.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    (after,) = editor.workflow(page)["layout"]["reroutes"].values()
    assert (after["x"], after["y"]) == (before["x"], before["y"] + 16)
    dot.focus()
    page.keyboard.press("Delete")
    expect(dot).to_have_count(0)
    expect(page.locator("[data-wire]")).to_have_count(9)


def test_the_outline_reads_the_workflow_in_words_and_leads_to_its_nodes(page: Page) -> None:
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("o")
    outline = page.locator("[data-test=outline]")
    expect(outline.locator("[data-outline]")).to_have_count(7)
    titles = outline.locator("[data-outline]").all_inner_texts()
    assert titles.index("Load Checkpoint") < titles.index("KSampler") < titles.index("VAE Decode")
    decode = (
        outline.locator("ol > li")
        .filter(has_text="VAE Decode")
        .filter(has=page.get_by_role("button", name="VAE Decode", exact=True))
    )
    expect(decode).to_contain_text("from KSampler")
    expect(decode).to_contain_text("Latent, Starter")
    outline.get_by_role("button", name="KSampler", exact=True).press("Enter")
    focused(page, "KSampler")


def test_the_help_lists_the_keys_of_sockets_and_of_going_along_wires(page: Page) -> None:
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("?")
    sheet = page.locator("[data-test=help]")
    for words in ("Into the node’s sockets", "Its wires, and where it fits", "Along its wire"):
        expect(sheet).to_contain_text(words)
