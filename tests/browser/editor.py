"""What a person does in the editor, as functions: find a node, set a value, drag a wire, run."""

import io
import json
import re
from typing import Any
from urllib.parse import urljoin

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

RUN_SECONDS = 120_000  # ms; a loaded machine with two cores may be slow, the test is not timed


def node(page: Page, title: str) -> Locator:
    """The node with this title."""
    return page.locator("[data-node]").filter(has=page.get_by_text(title, exact=True)).first


def node_id(page: Page, title: str) -> str:
    found = node(page, title).get_attribute("data-node")
    assert found is not None
    return found


def socket(page: Page, title: str, name: str, side: str) -> Locator:
    """A socket of the node with this title: `side` is "in" or "out"."""
    return page.locator(f'[data-socket="{node_id(page, title)}:{name}:{side}"]')


def type_prompt(page: Page, title: str, text: str) -> None:
    node(page, title).locator('textarea[data-widget="text"]').fill(text)


def set_number(page: Page, title: str, widget: str, value: float) -> None:
    """Types a number into a widget of the node with this title."""
    field = node(page, title).locator(f'[data-widget="{widget}"]')
    field.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type(f"{value:g}")
    page.keyboard.press("Enter")
    expect(node(page, title).locator(f'[data-widget="{widget}"]')).to_have_attribute(
        "aria-valuenow", f"{value:g}"
    )


def show_everything(page: Page) -> None:
    """Fits the view to the workflow."""
    page.locator('[data-command="fit"]').first.click()
    page.wait_for_timeout(300)  # ms; the view glides for 140


def wire(page: Page, start: tuple[str, str], end: tuple[str, str]) -> None:
    """Drags a wire from an output to an input, each given as (title of the node, socket)."""
    drag_wire(page, socket(page, *start, "out"), socket(page, *end, "in"))


def add_node(page: Page, name: str) -> None:
    """Adds a node by the keyboard's search."""
    page.locator("[data-test=canvas]").focus()
    page.keyboard.press("a")
    menu = page.locator("[data-test=node-menu]")
    expect(menu).to_be_visible()
    menu.locator("input").fill(name)
    page.keyboard.press("Enter")
    expect(menu).to_be_hidden()


def drag_wire(page: Page, start: Locator, end: Locator) -> None:
    """Drags from one socket to the other with the mouse, as slowly as a hand does."""
    hold_wire(page, start, end)
    page.wait_for_timeout(100)
    page.mouse.up()


def hold_wire(page: Page, start: Locator, end: Locator) -> None:
    """The same, and holds the wire over the other socket."""
    begin, finish = start.bounding_box(), end.bounding_box()
    assert begin is not None
    assert finish is not None
    x, y = begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2
    to_x, to_y = finish["x"] + finish["width"] / 2, finish["y"] + finish["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 8, y + 8, steps=3)
    page.wait_for_timeout(400)  # the page asks which sockets fit
    page.mouse.move(to_x, to_y, steps=12)


def run(page: Page) -> None:
    """Presses Run and waits until the picture of the last node is there."""
    with page.expect_response(re.compile(r"/api/runs$")) as posted:
        page.locator("[data-test=run]").click()
    assert posted.value.status == 201, posted.value.text()
    made = posted.value.json()["id"]
    done = page.locator(f'[data-test="thumb"][data-run="{made}"]')
    expect(done).to_be_attached(timeout=RUN_SECONDS)


def picture(page: Page, title: str) -> np.ndarray:
    """The picture that a node shows, uint8 (height, width, 3)."""
    shown = node(page, title).locator("[data-test=result] img").first
    expect(shown).to_be_visible(timeout=10_000)
    source = shown.get_attribute("src")
    assert source is not None
    answer = page.request.get(urljoin(page.url, source.split("?")[0]))
    assert answer.ok, answer.status_text
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"))


def workflow(page: Page) -> dict[str, Any]:
    """The workflow on the canvas, as the Download command gives it."""
    with page.expect_download() as download:
        page.locator('[data-command="download"]').first.click()
    found: dict[str, Any] = json.loads(download.value.path().read_text("utf-8"))
    return found
