"""A batch's pictures on one sheet, each where its values are: what to show, and the PNG of it."""

import io
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.errors import BadRequest, Refused, TooLarge
from server.pictures import thumbnail
from server.sheet_fonts import Lettering

MOST_CELLS = 10_000

MOST_PIXELS = 24_000_000
"""Of the whole sheet; many pictures are shown smaller."""

LARGEST, SMALLEST = 256, 40
"""Pixels of a picture's longer side on the sheet."""

GAP = 10
LABEL_WIDTH = 180
LINE = 18
LETTERS = 13
"""Pixels that letters are high."""

LINES = 3
"""Lines that a label may have; what does not fit is cut."""

PAPER, INK, PALE, ALERT = (255, 255, 255), (25, 25, 30), (236, 236, 240), (170, 30, 30)


@dataclass(frozen=True)
class Cell:
    """What there is at a place: a picture's file, else a `note` of why there is none."""

    picture: Path | None
    note: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Sheet:
    """A batch's result. `axes` are titles and labels; a cell's place is its position on each."""

    title: str
    axes: Sequence[tuple[str, Sequence[str]]]
    cells: Mapping[tuple[int, ...], Cell]


@dataclass(frozen=True)
class Table:
    """A part of a sheet with at most two axes. An empty `columns` or `rows` has no labels.

    `captions` stand at each picture where one long axis is wrapped into lines.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[Cell | None]]
    captions: Sequence[Sequence[str]] = ()


def tables(sheet: Sheet) -> Iterator[Table]:
    """The sheet's tables: the first axis goes across, the second one down, one table for each
    combination of the others. Raises `TooLarge`."""
    count = math.prod(len(labels) for _, labels in sheet.axes)
    if count > MOST_CELLS:
        raise TooLarge(f"A sheet has at most {MOST_CELLS:,} pictures, and this batch {count:,}.")
    if len(sheet.axes) == 1:
        yield _wrapped(sheet)
        return
    (_, columns), (_, rows), *others = sheet.axes
    for place in itertools.product(*(range(len(labels)) for _, labels in others)):
        title = ", ".join(
            f"{name}: {labels[at]}" for (name, labels), at in zip(others, place, strict=True)
        )
        cells = [
            [sheet.cells.get((column, row, *place)) for column in range(len(columns))]
            for row in range(len(rows))
        ]
        yield Table(title, columns, rows, cells)


def edge_of(sheet: Sheet) -> int:
    """Pixels of a picture's longer side, so that all of them fit on the sheet."""
    count = max(1, math.prod(len(labels) for _, labels in sheet.axes))
    return max(SMALLEST, min(LARGEST, int(math.sqrt(MOST_PIXELS / count)) - 2 * GAP))


def small_picture(cell: Cell | None, edge: int, cache: Path, max_pixels: int) -> Path | None:
    """A small WebP of the cell's picture; None where there is none that can be read."""
    if cell is None or cell.picture is None:
        return None
    try:
        return thumbnail(cell.picture, cell.picture.name, edge, cache, max_pixels)
    except (Refused, OSError):
        return None


def note_of(cell: Cell | None) -> str:
    """What stands in place of a picture that is not there."""
    if cell is None:
        return "empty"
    return cell.note or "its picture cannot be read"


def axes_line(sheet: Sheet) -> str:
    """What goes across and down, for the head of the sheet."""
    ways = ("across", "down")
    return ", ".join(f"{title} {way}" for (title, _), way in zip(sheet.axes, ways, strict=False))


def png(sheet: Sheet, cache: Path, max_pixels: int) -> bytes:
    """The sheet as a PNG; small pictures are kept in `cache`. Raises `TooLarge`."""
    from PIL import Image, ImageDraw

    edge = edge_of(sheet)
    parts = list(tables(sheet))
    if not parts or not all(table.cells for table in parts):
        raise BadRequest("This batch has no cells to show.")
    places = [_Place(table, edge) for table in parts]
    head = 2 * LINE + 2 * GAP
    width = max(place.width for place in places)
    height = head + sum(place.height for place in places)
    paper = Image.new("RGB", (width, height), PAPER)
    pen = _Pen(ImageDraw.Draw(paper), Lettering(LETTERS))
    pen.write(GAP, GAP, sheet.title, width - 2 * GAP, 1)
    pen.write(GAP, GAP + LINE, axes_line(sheet), width - 2 * GAP, 1)
    top = head
    for place in places:
        place.draw(top, pen, lambda cell: small_picture(cell, edge, cache, max_pixels), paper)
        top += place.height
    written = io.BytesIO()
    paper.save(written, "PNG")
    return written.getvalue()


class _Pen:
    """Writes texts within a width."""

    def __init__(self, draw: Any, letters: Lettering) -> None:
        self.draw, self._letters = draw, letters

    def write(
        self, left: int, top: int, text: str, width: int, lines: int = LINES, ink: Any = INK
    ) -> None:
        """The text at the place, broken into at most so many lines of at most `width` pixels."""
        shown = self._letters.legible(" ".join(text.split()))
        for number, line in enumerate(self._broken(shown, width, lines)):
            self._letters.draw(self.draw, left, top + number * LINE, line, ink)

    def box(self, left: int, top: int, size: int) -> None:
        self.draw.rectangle((left, top, left + size - 1, top + size - 1), fill=PALE)

    def _broken(self, text: str, width: int, most: int) -> list[str]:
        lines: list[str] = []
        rest = text
        while rest and len(lines) < most:
            end = self._fitting(rest, width)
            if end < len(rest) and len(lines) + 1 < most:
                end = rest.rfind(" ", 1, end + 1) if " " in rest[1 : end + 1] else end
            line, rest = rest[:end].rstrip(), rest[end:].lstrip()
            lines.append(line)
        if rest:
            lines[-1] = lines[-1][:-1].rstrip() + "…"
        return lines

    def _fitting(self, text: str, width: int) -> int:
        """How many characters of the text have room, at least one."""
        if self._letters.length(text) <= width:
            return len(text)
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self._letters.length(text[:middle]) <= width:
                low = middle
            else:
                high = middle - 1
        return low


class _Place:
    """Where everything of a table goes, in pixels."""

    def __init__(self, table: Table, edge: int) -> None:
        self.table, self.edge = table, edge
        self.pitch = edge + GAP
        self.below = LINES * LINE if table.captions else 0
        self.left = GAP + (LABEL_WIDTH + GAP if table.rows else 0)
        self.above = (LINE + GAP if table.title else 0) + (LINES * LINE if table.columns else 0)
        self.width = max(320, self.left + self.pitch * max(len(row) for row in table.cells))
        self.height = self.above + (self.pitch + self.below) * len(table.cells) + GAP

    def draw(
        self, top: int, pen: _Pen, small: Callable[[Cell | None], Path | None], paper: Any
    ) -> None:
        table = self.table
        if table.title:
            pen.write(GAP, top, table.title, self.width - 2 * GAP, 1)
        for number, label in enumerate(table.columns):
            left = self.left + number * self.pitch
            pen.write(left, top + self.above - LINES * LINE, label, self.edge)
        for number, row in enumerate(table.cells):
            y = top + self.above + number * (self.pitch + self.below)
            if table.rows:
                pen.write(GAP, y, table.rows[number], LABEL_WIDTH)
            for column, cell in enumerate(row):
                x = self.left + column * self.pitch
                self._cell(x, y, cell, pen, small(cell), paper)
                if table.captions:
                    pen.write(x, y + self.edge, table.captions[number][column], self.edge)

    def _cell(
        self, x: int, y: int, cell: Cell | None, pen: _Pen, small: Path | None, paper: Any
    ) -> None:
        from PIL import Image

        if small is None:
            pen.box(x, y, self.edge)
            ink = ALERT if cell is not None and cell.failed else INK
            lines = max(1, self.edge // LINE - 1)
            pen.write(x + 4, y + 4, note_of(cell), self.edge - 8, lines, ink)
            return
        with Image.open(small) as picture:
            paper.paste(picture.convert("RGB"), (x, y))


def _wrapped(sheet: Sheet) -> Table:
    """One axis as lines of about a square, each picture with its label below."""
    ((title, labels),) = sheet.axes
    columns = max(1, math.ceil(math.sqrt(len(labels))))
    starts = range(0, len(labels), columns)
    cells = [
        [sheet.cells.get((at,)) for at in range(start, min(start + columns, len(labels)))]
        for start in starts
    ]
    captions = [[*labels[start : start + columns]] for start in starts]
    return Table(title, (), (), cells, captions)
