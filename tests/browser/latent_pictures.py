"""Draw the pictures of docs/latents.md with the app: `python -m tests.browser.latent_pictures`.

Pictures of nodes come from runs of the template "What the garbage looks like" and of a few nodes
more; the two of the editor are taken in Chromium.
"""

import io
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from tests.browser import editor, running

DOCS = running.ROOT / "docs" / "latents"
TEMPLATE = "what-the-garbage-looks-like"


def main() -> None:
    DOCS.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running.app(Path(data)) as url,
        running.browser() as chromium,
    ):
        page = chromium.new_page(viewport={"width": 2560, "height": 1600}, color_scheme="dark")
        page.goto(url)
        page.wait_for_selector("[data-node]")
        _save_node_pictures(page)
        _shoot_template(page)
        _shoot_refusal(page)


def _save_node_pictures(page: Page) -> None:
    """Every picture that a node shows, as the app wrote it."""
    flow = page.request.get(f"{page.url}api/workflows/templates/{TEMPLATE}").json()["workflow"]
    flow["nodes"] |= {
        "show": _placed("show_latent", latent="5.latent"),
        "trip": _placed("vae_round_trip", image="7.image", vae="1.vae"),
    }
    _save(page, "docs", flow)
    _open(page, "docs")
    run = _run(page)
    names = {"8": ["picture"], "10": ["garbage"], "13": ["converted"],
             "show": ["colours", "channels"], "trip": ["round-trip"]}  # fmt: skip
    outputs = run["outputs"]
    for node, files in names.items():
        made = [item["url"] for item in outputs if item["node"] == node and item["url"]]
        for name, url in zip(files, made, strict=True):
            picture = page.request.get(page.url.rstrip("/") + url)
            (DOCS / f"{name}.png").write_bytes(picture.body())


def _shoot_template(page: Page) -> None:
    """The template after its run."""
    flow = page.request.get(f"{page.url}api/workflows/templates/{TEMPLATE}").json()["workflow"]
    _save(page, "shown", flow)
    _open(page, "shown")
    _run(page)
    editor.show_everything(page)
    page.wait_for_timeout(1_000)
    boxes = [item.bounding_box() for item in page.locator("[data-node]").all()]
    edges = [box for box in boxes if box is not None]
    left, top = (min(box[side] for box in edges) - 24 for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in edges) + 24
    bottom = max(box["y"] + box["height"] for box in edges) + 24
    shot = page.screenshot(
        clip={"x": left, "y": top, "width": right - left, "height": bottom - top}
    )
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture.thumbnail((1280, 1280), Image.Resampling.LANCZOS)
    picture.quantize(128).save(DOCS / "template.png", optimize=True)


def _shoot_refusal(page: Page) -> None:
    """What the node says where nobody has allowed the wire."""
    flow = page.request.get(f"{page.url}api/workflows/templates/{TEMPLATE}").json()["workflow"]
    nodes = {id_: node for id_, node in flow["nodes"].items() if id_ in "1234569"}
    del nodes["9"]["inputs"]["latent"]["allow"]
    nodes["9"]["title"] = "VAE Decode"
    flow["nodes"] = nodes
    _save(page, "refused", flow)
    _open(page, "refused")
    editor.show_everything(page)
    node = editor.node(page, "VAE Decode")
    page.wait_for_timeout(1_000)
    node.screenshot(path=DOCS / "refused.png")


def _run(page: Page) -> dict[str, Any]:
    """Press Run, and wait until the run is over."""
    with page.expect_response(re.compile(r"/api/runs$")) as posted:
        page.locator("[data-test=run]").click()
    address = f"{page.url}api/runs/{posted.value.json()['id']}"
    while (run := page.request.get(address).json())["status"] in ("waiting", "running"):
        page.wait_for_timeout(500)
    assert run["status"] == "finished", run["error"]
    found: dict[str, Any] = run
    return found


def _placed(type_: str, **wires: str) -> dict[str, Any]:
    inputs = {}
    for name, source in wires.items():
        node, _, output = source.partition(".")
        inputs[name] = {"node": node, "output": output}
    return {"type": type_, "title": "", "values": {}, "inputs": inputs}


def _save(page: Page, name: str, flow: dict[str, Any]) -> None:
    body = json.dumps({"workflow": flow})
    address = f"{page.url}api/workflows/saved/{name}"
    headers = {"Content-Type": "application/json"}
    answer = page.request.put(address, data=body, headers=headers)
    assert answer.ok, answer.text()


def _open(page: Page, name: str) -> None:
    """Open a saved workflow from the panel."""
    page.reload()
    page.wait_for_selector("[data-test=canvas]")
    page.wait_for_timeout(1_000)
    entry = page.locator(f'[data-saved="{name}"]')
    if not entry.is_visible():  # the panel stays open over a reload
        page.locator('[data-panel="workflows"]').first.click()
    entry.click()
    page.locator('[data-panel="workflows"]').first.click()
    page.wait_for_timeout(1_500)


if __name__ == "__main__":
    main()
