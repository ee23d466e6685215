"""How soon the page shows what the checker says of an edit, in a real Chromium on the real server.

    python benchmarks/answer.py [--blocks 1 100] [--edits 20]

In a workflow of so many blocks (10 nodes each) a VAE of another space is wired to a decoder, so
there is a problem; its first fix is clicked, and from then on undo and redo are pressed by turns. A
time is that from the key to the change of the number of problems on the page, in milliseconds: the
edit, the page's own wait for more edits, the question, the check, the answer, drawing.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.large_workflow import NAME, SIZE, large
from tests.browser import running

WATCH = """() => {
  const mark = document.querySelector('[data-panel="problems"]');
  const read = () => mark.textContent;
  window.__times = [];
  let from = 0, was = read();
  const pressed = (event) => { if (event.key.toLowerCase() === "z") from = event.timeStamp; };
  addEventListener("keydown", pressed, true);
  new MutationObserver(() => {
    if (from && read() !== was) { window.__times.push(performance.now() - from); from = 0; }
    was = read();
  }).observe(mark, { childList: true, characterData: true, subtree: true });
}"""


def at_odds(blocks: int) -> dict[str, object]:
    """The large workflow with a VAE of another space at the decoder of its first block."""
    flow = large(blocks)
    flow["nodes"]["other"] = {"type": "load_vae", "values": {"file": "starter-b.safetensors"}}
    flow["nodes"]["b0_decode"]["inputs"]["vae"] = {"node": "other", "output": "vae"}
    flow["layout"]["nodes"]["other"] = {"x": 0, "y": -300}
    return flow


def opened(page: Page, url: str, flow: dict[str, object]) -> None:
    answer = page.request.put(
        f"{url}/api/workflows/saved/{NAME}",
        data=json.dumps({"workflow": flow}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.ok, answer.text()
    page.goto(url)
    page.wait_for_selector("[data-test=canvas][data-settled]", timeout=60_000)
    if not page.locator(f'[data-saved="{NAME}"]').is_visible():
        page.locator('[data-panel="workflows"]').first.click()
    page.locator(f'[data-saved="{NAME}"]').click()
    page.locator('[data-panel="problems"]').click()
    page.locator('[data-test=problem-list] [data-problem="space_mismatch"]').wait_for()


def times(page: Page, edits: int) -> list[float]:
    page.locator('[data-test=problem-list] [data-fix="0"]').first.click()
    gone = page.locator('[data-test=problem-list] [data-problem="space_mismatch"]')
    gone.wait_for(state="detached")
    page.locator("[data-test=canvas]").focus()
    page.evaluate(WATCH)
    for number in range(edits):
        page.keyboard.press("Control+z" if number % 2 == 0 else "Control+Shift+z")
        page.wait_for_function("(n) => window.__times.length === n", arg=number + 1)
        page.wait_for_timeout(150)
    found: list[float] = page.evaluate("window.__times")
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, nargs="+", default=[1, 100])
    parser.add_argument("--edits", type=int, default=20)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running.app(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=running.chromium(), args=["--no-sandbox"]
        )
        for blocks in given.blocks:
            page = chromium.new_page(viewport=SIZE)  # type: ignore[arg-type]
            opened(page, url, at_odds(blocks))
            found = times(page, given.edits)
            print(
                f"{blocks * 10 + 1:6,} nodes: least {found[0]:.0f} ms, "
                f"median {statistics.median(found):.0f}, worst {found[-1]:.0f}",
                flush=True,
            )
            page.close()
        chromium.close()


if __name__ == "__main__":
    main()
