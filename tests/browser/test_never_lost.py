"""What is open survives its page: a process killed in the middle of edits, and a second window."""

import contextlib
import re

from playwright.sync_api import Browser, BrowserContext, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.browser import editor


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    expect(page.locator("[data-test=canvas][data-settled]")).to_be_attached(timeout=30_000)
    return page


def kill(page: Page) -> None:
    """End the tab's process: no event tells the page that it goes."""
    page.wait_for_timeout(250)  # ms; a gesture is written every 100
    with page.expect_event("crash"), contextlib.suppress(BrowserError):
        page.goto("chrome://crash", timeout=10_000)


def test_a_killed_tab_comes_back_with_every_tab_edit_and_undo(chromium: Browser, url: str) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = opened(context, url)
    editor.type_prompt(page, "Prompt", "a small green star")
    editor.set_number(page, "KSampler", "steps", 7)
    editor.add_node(page, "Load VAE")
    page.keyboard.press("Delete")
    expect(page.locator("[data-node]")).to_have_count(7)
    page.locator('[data-command="new"]').click()
    editor.add_node(page, "Empty Latent")
    expect(page.locator("[data-node]")).to_have_count(1)
    kill(page)

    again = opened(context, url)
    expect(again.locator("[data-test=tab]")).to_have_count(2)
    expect(again.locator("[data-node]")).to_have_count(1)
    again.locator("[data-test=tab] .tab-name").first.click()
    expect(again.locator("[data-node]")).to_have_count(7)
    prompt = editor.node(again, "Prompt").locator("textarea")
    expect(prompt).to_have_value("a small green star")
    expect(again.locator("[data-test=unsaved]")).to_have_count(2)

    again.locator("[data-test=canvas]").focus()
    again.keyboard.press("Control+z")
    expect(editor.node(again, "Load VAE")).to_be_visible()
    again.keyboard.press("Control+Shift+z")
    expect(again.locator("[data-node]")).to_have_count(7)
    for _ in range(4):
        again.keyboard.press("Control+z")
    steps = editor.node(again, "KSampler").locator('[data-widget="steps"]')
    expect(steps).to_have_attribute("aria-valuenow", "20")
    expect(prompt).not_to_have_value("a small green star")

    # A second window of the same browser has tabs of its own, and takes none away.
    other = opened(context, url)
    expect(other.locator("[data-node]")).to_have_count(7, timeout=30_000)
    expect(other.locator("[data-test=tab]")).to_have_count(1)
    other.locator('[data-command="new"]').click()
    kill(other)
    kill(again)
    back = opened(context, url)
    expect(back.locator("[data-test=tab]")).to_have_count(2)
    context.close()


def test_an_earlier_version_is_seen_and_gone_back_to(page: Page) -> None:
    editor.type_prompt(page, "Prompt", "a yellow square")
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Shift+H")
    card = page.locator("[data-version]")
    expect(card).to_have_count(1)
    expect(card).to_contain_text("as it was opened")
    picture = card.locator("img")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    card.click()
    prompt = editor.node(page, "Prompt").locator("textarea")
    expect(prompt).not_to_have_value("a yellow square")
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("a yellow square")
    page.keyboard.press("Shift+H")
    expect(card).to_have_count(2)
