"""Ask axe-core what of the page is closed to somebody."""

from typing import Any

from playwright.sync_api import Page

from tests.browser import running

AXE = running.ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """() => axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
}).then(({ violations }) => violations
  .filter(({ impact }) => impact === "serious" || impact === "critical")
  .map(({ id, nodes }) => [id, nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))]))"""


def violations(page: Page) -> list[Any]:
    """The rules that are broken seriously or critically, with the first elements that do."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))  # not as an element: the page allows none
    found: list[Any] = page.evaluate(CHECK)
    return found


def in_both_themes(page: Page, where: str) -> list[str]:
    """What is broken in light and in dark; colours change within 120 ms, or at once where little
    motion is asked for."""
    broken = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = violations(page)
        broken += [f"{where}, {scheme}: {rule} {html}" for rule, html in found]
    return broken
