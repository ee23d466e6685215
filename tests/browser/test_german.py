"""In German no English text is left on the main screens: nodes, templates and problems, too."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import editor

NAMES = "[data-widget], [data-saved], [data-model], [data-batch] .library-name, [data-run], code"
"""Where values, names of files and runs, and what a person wrote stand."""

TEXTS = """(names) => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("script, style, kbd, textarea, option")) continue;
    if (element.checkVisibility() && !element.closest(names)) found.add(text);
  }
  for (const element of document.querySelectorAll("button, [role=dialog], [role=toolbar], nav")) {
    if (element.closest(names) || element.closest("[data-node]")) continue;
    for (const name of ["aria-label", "title"]) found.add(element.getAttribute(name) ?? "");
  }
  return [...found];
}"""

ENGLISH = re.compile(
    r"\b(the|and|of|is|are|not|with|this|that|from|to|your|it|its|what|run|runs|node|nodes|file"
    r"|picture|open|show|for|where|by|yet|no|first|search|close|delete|save|wire|wires|undo|paste"
    r"|copy|add|more|next|back|problems|queue|memory)\b",
    re.IGNORECASE,
)
"""Words that only an English sentence of the page has."""

EITHER = {"Problem", "1 Problem", "Text", "Name"}
"""Texts that are the same in both languages."""


@pytest.fixture
def german(chromium: Browser, url: str) -> Iterator[Page]:
    """The editor of a person whose browser speaks German."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="de-DE")
    page = context.new_page()
    page.goto(url)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    expect(page.locator("[data-test=run]")).to_be_enabled(timeout=30_000)
    yield page
    context.close()


def english(page: Page) -> list[str]:
    """The texts of the page that are English still."""
    texts: list[str] = page.evaluate(TEXTS, NAMES)
    assert len(texts) > 10, "the search for texts is broken"
    return [text for text in texts if ENGLISH.search(text) and text not in EITHER]


def test_no_english_text_is_left_on_the_main_screens(german: Page) -> None:
    assert german.evaluate("document.documentElement.lang") == "de"
    expect(german.locator("[data-test=run]")).to_have_text("Starten")
    found = {"page": english(german)}
    canvas = german.locator("[data-test=canvas]")
    for key, place in (("?", "[data-test=help]"), ("a", "[data-test=node-menu]")):
        canvas.focus()
        german.keyboard.press(key)
        expect(german.locator(place)).to_be_visible()
        found[place] = english(german)
        german.keyboard.press("Escape")
    title = editor.node(german, "VAE decodieren").get_by_text("VAE decodieren", exact=True)
    title.click(button="right")
    expect(german.locator("[role=menu]")).to_be_visible()
    found["menu"] = english(german)
    german.keyboard.press("Escape")

    title.click()
    german.keyboard.press("s")
    german.keyboard.press("Delete")
    problem = editor.node(german, "VAE decodieren").locator('[data-problem="missing_input"]')
    expect(problem).to_contain_text("ist nicht verbunden")
    expect(problem.locator("[data-fix]").first).to_contain_text("verbinden")
    for panel in german.locator("[data-panel]").all():
        name = panel.get_attribute("data-panel") or ""
        if panel.get_attribute("aria-pressed") != "true":
            panel.click()
        found[name] = english(german)
    assert {where: texts for where, texts in found.items() if texts} == {}


def test_another_language_is_chosen_in_the_help_and_kept(german: Page) -> None:
    german.locator("[data-command=help]").first.click()
    german.locator("[data-test=language]").select_option("en")
    expect(german.locator("[data-test=run]")).to_have_text("Run", timeout=30_000)
    german.reload()
    expect(german.locator("[data-test=run]")).to_have_text("Run", timeout=30_000)
