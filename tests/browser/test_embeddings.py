"""An embedding is offered while one types, counted, faulted where it does not fit, and mended."""

from playwright.sync_api import Page, expect

from tests.browser import editor
from tests.browser.accessible import violations

PATIENCE = 30_000  # ms; the worker counts tokens, and may have to start first


def test_an_embedding_is_completed_counted_and_checked(page: Page) -> None:
    prompt = editor.node(page, "Prompt").locator('textarea[data-widget="text"]')
    count = editor.node(page, "Prompt").locator("[data-test=token-count]")
    prompt.fill("")
    prompt.press_sequentially("a (embedding:")
    offered = page.locator("[data-test=embeddings]")
    options = offered.get_by_role("option")
    expect(options).to_have_count(2, timeout=PATIENCE)
    expect(prompt).to_have_attribute("role", "combobox")
    expect(prompt).to_have_attribute("aria-expanded", "true")

    assert violations(page) == []

    # What does not fit comes last, grey, and says why; Enter does not take it.
    misfit = offered.locator('[data-pick="badhands.safetensors"]')
    expect(misfit).to_have_attribute("aria-disabled", "true")
    expect(misfit).to_contain_text("made for SD 1.x (768 numbers a token)")
    page.keyboard.press("ArrowUp")
    expect(misfit).to_have_attribute("aria-selected", "true")
    active = prompt.get_attribute("aria-activedescendant")
    assert misfit.get_attribute("id") == active
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("a (embedding:")

    # A few letters, Escape, one more letter, Enter.
    prompt.press_sequentially("rin")
    expect(options).to_have_count(1)
    page.keyboard.press("Escape")
    expect(offered).to_be_hidden()
    prompt.press_sequentially("g")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("a (embedding:red-ring")
    expect(offered).to_be_hidden()
    expect(prompt).not_to_have_attribute("role", "combobox")
    prompt.press_sequentially(":1.2)")
    expect(count).to_have_text("CLIP-L 3/30", timeout=PATIENCE)

    # One for another model, and one that is not there, are told here with a way out.
    prompt.fill("embedding:badhands, a embedding:red-rong")
    node = editor.node(page, "Prompt")
    expect(node.locator('[data-problem="embedding_mismatch"]')).to_be_visible(timeout=PATIENCE)
    missing = node.locator('[data-problem="missing_embedding"]')
    expect(node.locator(".prompt-fault")).to_have_text(["embedding:badhands", "embedding:red-rong"])
    missing.get_by_text("Use 'red-ring'").click()
    expect(prompt).to_have_value("embedding:badhands, a embedding:red-ring")
    node.get_by_text("Take 'badhands' out of the prompt").click()
    expect(prompt).to_have_value("a embedding:red-ring")
    expect(node.locator("[data-problem]")).to_have_count(0, timeout=PATIENCE)
