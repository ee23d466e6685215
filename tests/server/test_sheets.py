"""A batch's sheet shows each picture at its place, marks what is missing, and lets nothing out."""

import base64
import copy
import io
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from graph.events import Produced
from server.contact_sheet import Cell, Sheet, edge_of, png, tables
from server.errors import TooLarge
from server.sheet_page import page
from tests.server.site import Site, site_at
from tests.server.test_batches import SEEDS, STEPS, batch

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
COLOURS = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def picture(folder: Path, name: str, colour: tuple[int, int, int]) -> Path:
    Image.new("RGB", (400, 300), colour).save(folder / name)
    return folder / name


def colours_in(data: bytes) -> set[int]:
    """Which of `COLOURS` the picture shows, within what WebP changes of a plain colour."""
    found = Image.open(io.BytesIO(data)).convert("RGB").quantize(64).convert("RGB")
    seen = {colour for _, colour in found.getcolors(10_000) or []}
    return {
        number
        for number, wanted in enumerate(COLOURS)
        if any(max(abs(a - b) for a, b in zip(wanted, one, strict=True)) < 40 for one in seen)  # type: ignore[arg-type]
    }


class Page(HTMLParser):
    """The tags, the attributes and the texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_every_text_of_the_page_is_escaped_and_it_loads_nothing(tmp_path: Path) -> None:
    cells = {
        (0, 0): Cell(picture(tmp_path, "a.png", COLOURS[0])),
        (1, 0): Cell(None, EVIL, failed=True),
    }
    axes = [(EVIL, [EVIL, "b"]), (EVIL, [EVIL]), (EVIL, [EVIL])]
    sheet = Sheet(EVIL, axes, {(*place, 0): cell for place, cell in cells.items()})
    found = Page(page(sheet, tmp_path / "cache", 10**6))
    assert "script" not in found.tags
    assert found.tags.count("img") == 1
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "".join(found.texts).count(EVIL) == 9, "each of them is shown as it was"
    sources = [value for name, value in found.attributes if name in ("src", "href", "srcset")]
    assert all((value or "").startswith("data:image/webp;base64,") for value in sources)
    shown = base64.b64decode((sources[0] or "").split(",")[1])
    assert Image.open(io.BytesIO(shown)).size == (256, 192)


def test_the_picture_has_every_cell_at_its_place(tmp_path: Path) -> None:
    cells = {
        (column, row): Cell(picture(tmp_path, f"{column}{row}.png", COLOURS[2 * row + column]))
        for column in (0, 1)
        for row in (0, 1)
    }
    sheet = Sheet("four", [("Steps", ["4", "8"]), ("Seed", ["5", "6"])], cells)
    drawn = Image.open(io.BytesIO(png(sheet, tmp_path / "cache", 10**6))).convert("RGB")
    found: dict[int, tuple[int, int]] = {}
    for x in range(0, drawn.width, 8):
        for y in range(0, drawn.height, 8):
            pixel = drawn.getpixel((x, y))
            for number, colour in enumerate(COLOURS):
                if max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 40:  # type: ignore[arg-type]
                    found.setdefault(number, (x, y))
    assert set(found) == {0, 1, 2, 3}
    assert found[0][0] < found[1][0]
    assert found[0][1] == found[1][1] < found[2][1]
    assert found[2][0] == found[0][0]


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_a_single_axis_is_wrapped_and_none_is_left_out(count: int) -> None:
    axis = ("Seed", [str(number) for number in range(count)])
    cells = {(number,): Cell(None, str(number)) for number in range(count)}
    (table,) = tables(Sheet("s", [axis], cells))
    shown = [cell.note for row in table.cells for cell in row if cell]
    assert shown == [label for row in table.captions for label in row] == axis[1]
    assert abs(len(table.cells) - max(map(len, table.cells))) <= 1


def test_further_axes_are_tables_of_their_own() -> None:
    axes = [("A", ["1", "2"]), ("B", ["3"]), ("C", ["4", "5"]), ("D", ["6"])]
    found = list(tables(Sheet("s", axes, {(1, 0, 1, 0): Cell(None, "here")})))
    assert [table.title for table in found] == ["C: 4, D: 6", "C: 5, D: 6"]
    assert [cell.note if cell else None for cell in found[1].cells[0]] == [None, "here"]


def test_many_pictures_are_small_and_too_many_are_refused(tmp_path: Path) -> None:
    def square(side: int) -> Sheet:
        labels = [str(number) for number in range(side)]
        return Sheet("s", [("A", labels), ("B", labels)], {})

    assert edge_of(square(3)) == 256
    assert edge_of(square(100)) == 40
    drawn = Image.open(io.BytesIO(png(square(60), tmp_path, 10**6)))
    assert drawn.width * drawn.height < 40_000_000
    with pytest.raises(TooLarge, match="10,201"):
        list(tables(square(101)))


async def test_a_batch_in_the_middle_of_its_work_has_both_sheets(site: Site) -> None:
    body = batch({**STEPS, "title": EVIL}, SEEDS, name=EVIL)
    _, made = await site.post("/api/batches", body)
    for number, ending in enumerate(("finished", "failed", "finished")):
        run = site.queue.claim()
        assert run
        if number == 0:
            picture(site.settings.output, "x.png", COLOURS[0])
            site.queue.produced(run.id, Produced(node="save", kind="image", file="x.png"))
        if number == 2:
            site.queue.produced(run.id, Produced(node="save", kind="image", file="gone.png"))
        site.queue.finish(run.id, ending, EVIL if ending == "failed" else None)  # type: ignore[arg-type]
    async with site.client.get(f"/api/batches/{made['id']}/sheet.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert colours_in(await answer.read()) == {0}
    async with site.client.get(f"/api/batches/{made['id']}/sheet.html") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        found = Page(await answer.text())
    assert "script" not in found.tags
    told = " ".join(found.texts)
    assert told.count("waiting") == 3
    assert "no longer there" in told
    assert re.sub(r"\s+", " ", EVIL) in told
    for name in ("sheet.png", "sheet.html"):
        assert (await site.get(f"/api/batches/nothing/{name}"))[0] == 404


async def test_a_plan_foretells_what_was_learned_and_nothing_else(site: Site) -> None:
    async def foretold(*axes: dict[str, Any]) -> float | None:
        _, answer = await site.post("/api/batches/plan", batch(*axes))
        return answer["seconds"]  # type: ignore[no-any-return]

    workflow = copy.deepcopy(batch()["workflow"])
    assert await foretold(SEEDS) is None
    assert site.worker.library is not None
    took = dict.fromkeys(workflow["nodes"], 1.0) | {"sampler": 10.0}
    site.worker.times.learn(workflow, site.worker.library.nodes, took)
    shared = 4.0  # checkpoint, two prompts, the empty latent
    two_workers = 2
    assert await foretold(SEEDS) == pytest.approx((shared + 3 * 12) / two_workers)
    status, answer = await site.post("/api/times", {"workflow": workflow})
    assert (status, answer["nodes"]) == (200, took)
    workflow["nodes"]["sampler"]["values"]["steps"] = 40
    _, answer = await site.post("/api/times", {"workflow": workflow})
    assert answer["nodes"]["sampler"] == 20, "twice the steps of the one that took 10 s"
