"""Draw README's picture from the running app: `python -m tests.browser.screenshot docs/editor.png`.

Runs a workflow of two latent spaces, which the Bridge joins, with one prompt and seed, in the light
or the dark theme, at 1440 x 900.
"""

import argparse
import json
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import editor, running

PROMPT = "a large orange star on a blue background"
NAME = "A star in two spaces"
TEMPLATE = running.ROOT / "workflows" / "what-the-garbage-looks-like.json"

PLACES = {
    "1": (0, 0),
    "2": (336, 240),
    "3": (336, 432),
    "4": (336, 528),
    "5": (672, 176),
    "6": (672, -64),
    "11": (1008, 64),
    "12": (1384, -64),
    "13": (1384, 80),
}
"""Where the nodes stand that the picture shows; the negative prompt is folded."""


def workflow(prompt: str) -> dict[str, Any]:
    """The way through the Bridge of the template that shows what a wrong VAE makes."""
    whole = json.loads(TEMPLATE.read_text("utf-8"))
    nodes = {id_: whole["nodes"][id_] for id_ in PLACES}
    nodes["2"]["values"]["text"] = prompt
    for id_ in ("1", "6", "12", "13"):
        nodes[id_]["title"] = ""
    layout = {
        id_: {"x": x, "y": y, "width": 320 if id_ in ("11", "12", "13") else 280}
        for id_, (x, y) in PLACES.items()
    }
    layout["3"]["collapsed"] = True
    return {"version": whole["version"], "nodes": nodes, "layout": {"nodes": layout}}


def shoot(path: Path, prompt: str, scheme: str) -> None:
    """Writes a PNG of the editor after a run of `prompt`; `scheme` is "light" or "dark"."""
    with (
        tempfile.TemporaryDirectory() as data,
        running.app(Path(data)) as url,
        running.browser() as chromium,
    ):
        _keep(url, workflow(prompt))
        context = chromium.new_context(
            viewport={"width": 1440, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.add_init_script("localStorage.setItem('latent-loom.tour', 'seen')")
        page = context.new_page()
        page.goto(url)
        expect(page.locator("[data-test=run]")).to_be_enabled(timeout=60_000)
        _open(page)
        page.locator("[data-test=run]").click()
        picture = editor.node(page, "Preview Image").locator("[data-test=result] img").first
        expect(picture).to_be_visible(timeout=editor.RUN_SECONDS)
        expect(page.locator("[data-state=running]")).to_have_count(0)
        editor.show_everything(page)
        page.mouse.click(720, 780)  # an empty place: nothing selected, no caret
        page.wait_for_timeout(1_500)  # ms; the forecast of the next run is there
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)


def _keep(url: str, saved: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{url}/api/workflows/saved/{NAME.replace(' ', '%20')}",
        json.dumps({"workflow": saved}).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=30).close()


def _open(page: Page) -> None:
    """Open the saved workflow in the only tab, and fold the panels away."""
    page.locator("[data-panel=workflows]").click()
    page.locator(f'[data-saved="{NAME}"]').click()
    expect(editor.node(page, "Bridge")).to_be_visible()
    page.get_by_role("button", name="Close Text to image").click()
    opened = page.locator("[data-panel][aria-pressed=true]")
    while opened.count():
        opened.first.click()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--scheme", choices=("light", "dark"), default="dark")
    options = parser.parse_args()
    shoot(options.path, options.prompt, options.scheme)


if __name__ == "__main__":
    main()
