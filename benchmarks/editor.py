"""How the editor feels with a very large workflow, in a real Chromium on the real server.

    python benchmarks/editor.py [--blocks 100] [--shown] [--json FILE]

The workflow has 10 nodes and 21 wires a block, so 1,000 nodes and 2,100 wires. Times of frames are
the intervals of `requestAnimationFrame` while a hand pans, zooms or drags: one wheel turn or
pointer move a frame. `work` is what the page's main thread did in a frame (script, style, layout
and paint, from Chromium's own counters): beside it a long interval is the drawing itself, which a
browser without a graphics card does on the processor. `--shown` opens a window in place of
headless. Typing is timed from the key to the frame that shows it, while every question to the
server takes three seconds.
"""

import argparse
import gzip
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, Response, sync_playwright

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.large_workflow import NAME, PROMPT, SIZE, large, spread
from tests.browser import running

ZOOMS = {"far": 0.3, "near": 0.7, "typing": 0.8}
PARTS = ["all", *ZOOMS]
STEPS = 90  # pointer moves or wheel turns of a gesture

FRAMES = """() => {
  const kept = { at: [], long: 0, on: true };
  window.__frames = kept;
  new PerformanceObserver((list) => (kept.long += list.getEntries().length))
    .observe({ type: "longtask" });
  const tick = (now) => { kept.at.push(now); if (kept.on) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""
# Where a place of the canvas is in the window.
PLACE_OF = """({ x, y }) => {
  const view = document.querySelector(".react-flow__viewport");
  const at = new DOMMatrix(getComputedStyle(view).transform);
  return [at.e + x * at.a, at.f + y * at.a];
}"""
KEYS = """() => {
  const kept = [];
  window.__keys = kept;
  addEventListener("keydown", (event) => {
    const from = event.timeStamp;
    requestAnimationFrame(() => setTimeout(() => kept.push(performance.now() - from)));
  }, true);
}"""
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")


class Editor:
    """The page under measurement."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("Performance.enable")

    def counters(self) -> dict[str, float]:
        found = self.cdp.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in found}

    def gesture(self, hand: Callable[[int], None]) -> dict[str, Any]:
        """Frames while `hand` makes its steps, and the main thread's work in each, in ms."""
        self.page.evaluate(FRAMES)
        before = self.counters()
        for step in range(STEPS):
            hand(step)
        after = self.counters()
        kept = self.page.evaluate(
            "() => { const kept = window.__frames; kept.on = false; return [kept.at, kept.long] }"
        )
        at, long = kept
        times = [later - sooner for sooner, later in pairwise(at)]
        work = {
            name.removesuffix("Duration").lower(): round(
                1000 * (after[name] - before[name]) / max(1, len(times)), 1
            )
            for name in WORK
        }
        return {**spread(times), "long_tasks": long, "work": work}

    def open_saved(self) -> float:
        """Seconds from the click on the saved workflow until its nodes are drawn."""
        page = self.page
        page.goto(self.url)
        page.wait_for_selector("[data-test=canvas][data-settled]", timeout=60_000)
        if not page.locator(f'[data-saved="{NAME}"]').is_visible():
            page.locator('[data-panel="workflows"]').first.click()
        page.wait_for_selector(f'[data-saved="{NAME}"]')
        page.wait_for_timeout(500)
        seconds: float = page.evaluate(
            """(name) => new Promise((done) => {
              const from = performance.now();
              document.querySelector(`[data-saved="${name}"]`).click();
              const look = () => {
                const there = document.querySelector('[data-drawn], [data-node="b0_load"]');
                if (!there) return setTimeout(look, 4);
                requestAnimationFrame(() => setTimeout(() => done(performance.now() - from)));
              };
              look();
            })""",
            NAME,
        )
        return seconds / 1000

    def reload(self) -> float:
        """Seconds from the start of a reload until the large workflow is drawn again."""
        page = self.page
        page.wait_for_timeout(1_500)  # what is open is kept in the browser meanwhile
        page.reload(wait_until="commit")
        page.wait_for_selector('[data-drawn], [data-node="b0_load"]', timeout=60_000)
        seconds: float = page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => "
            "done(performance.now()))))"
        )
        page.wait_for_timeout(3_000)
        return seconds / 1000

    def zoom_to(self, wanted: float) -> None:
        """Turns the wheel over a prompt near the middle until the zoom is about `wanted`."""
        self.page.mouse.move(*self.page.evaluate(PLACE_OF, PROMPT))
        for _ in range(200):
            now = float((self.page.locator(".zoom-value").inner_text()).split()[0]) / 100
            if abs(now / wanted - 1) < 0.1:
                return
            self.page.mouse.wheel(0, -100 if now < wanted else 100)
            self.page.wait_for_timeout(30)

    def pan(self) -> dict[str, Any]:
        mouse = self.page.mouse
        at = self.empty_place()
        mouse.move(*at)
        mouse.down()
        result = self.gesture(
            lambda step: mouse.move(at[0] + 3 * (45 - abs(step - 45)), at[1] + 2 * (step % 20))
        )
        mouse.up()
        return result

    def zoom(self) -> dict[str, Any]:
        mouse = self.page.mouse
        mouse.move(SIZE["width"] / 2, SIZE["height"] / 2)
        return self.gesture(lambda step: mouse.wheel(0, -12 if step % 60 < 30 else 12))

    def near(self) -> dict[str, Any]:
        """Come near and rest there: the far-away picture gives way to elements."""
        mouse, rest = self.page.mouse, self.page.wait_for_timeout
        mouse.move(SIZE["width"] / 2, SIZE["height"] / 2)
        return self.gesture(lambda step: mouse.wheel(0, -12) if step < 30 else rest(16))

    def drag(self) -> dict[str, Any]:
        mouse = self.page.mouse
        x, y = self.node_place()
        mouse.move(x, y)
        mouse.down()
        result = self.gesture(lambda step: mouse.move(x + 4 * (45 - abs(step - 45)), y + step % 9))
        mouse.up()
        return result

    def empty_place(self) -> tuple[float, float]:
        """A point of the window where nothing but the canvas lies."""
        found = self.page.evaluate(
            """() => { for (let y = 120; y < innerHeight - 120; y += 7)
                for (let x = 420; x < innerWidth - 420; x += 7)
                  if (document.elementFromPoint(x, y)?.classList.contains("react-flow__pane"))
                    return [x, y];
              return null; }"""
        )
        assert found, "no empty place on the canvas"
        return found[0], found[1]

    def node_place(self) -> tuple[float, float]:
        """A point where a node can be taken hold of."""
        found = self.page.evaluate(
            """() => { for (const node of document.querySelectorAll(".react-flow__node")) {
                const box = node.getBoundingClientRect();
                const x = box.x + box.width / 2, y = box.y + Math.min(14, box.height / 2);
                if (x > 420 && x < innerWidth - 420 && y > 120 && y < innerHeight - 120
                  && node.contains(document.elementFromPoint(x, y))) return [x, y]; }
              return null; }"""
        )
        assert found, "no node to take hold of"
        return found[0], found[1]

    def typing(self) -> dict[str, Any]:
        """From a key to the frame that shows it, while the server takes three seconds to answer."""
        page = self.page

        page.evaluate(
            """() => { const ask = window.fetch; window.fetch = async (...all) => {
              await new Promise((go) => setTimeout(go, 3000)); return ask(...all); } }"""
        )
        field = page.locator('[data-node="b49_yes"] textarea')
        field.click()
        page.evaluate(KEYS)
        page.keyboard.type("a quick brown fox jumps over the lazy dog and rests", delay=40)
        page.wait_for_timeout(200)
        result = spread(page.evaluate("() => window.__keys"))
        assert "lazy dog and rests" in field.input_value()
        return result


def first_load(page: Page, url: str) -> dict[str, int]:
    """Bytes, gzipped, of what the first load of the page fetches, by kind."""
    answers: list[Response] = []

    def took(answer: Response) -> None:
        answers.append(answer)

    page.on("response", took)
    page.goto(url)
    page.wait_for_selector("[data-test=canvas][data-settled]", timeout=60_000)
    page.wait_for_timeout(500)
    page.remove_listener("response", took)
    sizes: dict[str, int] = {}
    for answer in answers:
        path = answer.url.split("?")[0]
        if "/api/" in path or not path.startswith(url):
            continue
        kind = path.rsplit(".", 1)[-1] if "." in path.rsplit("/", 1)[-1] else "html"
        sizes[kind] = sizes.get(kind, 0) + len(gzip.compress(answer.body(), 9, mtime=0))
    return {**sizes, "total": sum(sizes.values())}


def measure(page: Page, url: str, parts: list[str]) -> Iterator[tuple[str, Any]]:
    yield "first_load_gzip", first_load(page, url)
    editor = Editor(page, url)
    yield "open_seconds", round(editor.open_saved(), 2)
    yield "reload_seconds", round(editor.reload(), 2)
    for name in parts:
        page.locator('[data-command="fit"]').first.click()
        page.wait_for_timeout(1_000)
        if name in ZOOMS:
            editor.zoom_to(ZOOMS[name])
            page.wait_for_timeout(1_000)
        if name == "typing":
            yield "typing", editor.typing()
            continue
        for gesture in (editor.pan, editor.zoom, editor.drag):
            yield f"{gesture.__name__}_{name}", gesture()
            page.wait_for_timeout(300)
        if name == "far":
            yield "near_far", editor.near()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--shown", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running.app(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=running.chromium(),
            headless=not options.shown,
            args=["--no-sandbox"],
        )
        page = chromium.new_page(viewport=SIZE)  # type: ignore[arg-type]
        answer = page.request.put(
            f"{url}/api/workflows/saved/{NAME}",
            data=json.dumps({"workflow": large(options.blocks)}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.ok, answer.text()
        found = {}
        for name, value in measure(page, url, options.parts):
            found[name] = value
            print(f"{name:18} {value}", flush=True)
        chromium.close()
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
