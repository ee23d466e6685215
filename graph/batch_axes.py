"""The ways in which values of a batch vary, as saved in its recipe, and what they give."""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from graph.definition import Data, Json
from graph.widgets import LARGEST_SEED
from graph.wildcards import BadWildcard, Words, drawn

MOST = 100_000
"""Runs that one batch may have."""


class Place(Data):
    """A widget of a node."""

    node: str
    widget: str


class _Axis(Data):
    """Axes with the same `group` advance together; those of different groups are multiplied."""

    title: str = ""
    group: str = ""


class Listed(_Axis):
    """The values as they are given."""

    kind: Literal["values"] = "values"
    at: Place
    values: tuple[Json, ...]


class Ranged(_Axis):
    """`count` numbers from `start` to `stop`, both included."""

    kind: Literal["range"] = "range"
    at: Place
    start: float
    stop: float
    count: int = Field(ge=1, le=MOST)


class Seeded(_Axis):
    """`count` seeds: drawn from `seed`, or one after the other from it on."""

    kind: Literal["seeds"] = "seeds"
    at: Place
    count: int = Field(ge=1, le=MOST)
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED)
    how: Literal["random", "increment"] = "random"


class Lines(_Axis):
    """The lines of a text file that are not empty."""

    kind: Literal["lines"] = "lines"
    at: Place
    file: str


class Columns(_Axis):
    """The rows of a CSV file whose first row names its columns; each column sets one widget."""

    kind: Literal["columns"] = "columns"
    file: str
    columns: dict[str, Place] = Field(min_length=1)


class Drawn(_Axis):
    """A text with `{a|b}` and `__list__` in it, drawn `count` times.

    Without a `text` of its own it is the one that the workflow has there.
    """

    kind: Literal["wildcards"] = "wildcards"
    at: Place
    text: str | None = None
    count: int = Field(ge=1, le=MOST)
    seed: int | None = Field(None, ge=0, le=LARGEST_SEED)


BatchAxis = Annotated[
    Listed | Ranged | Seeded | Lines | Columns | Drawn, Field(discriminator="kind")
]


class Recipe(Data):
    """What a batch is made from. The first axes are a grid's columns, rows and sheets."""

    axes: tuple[BatchAxis, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Sources:
    """Where texts come from: `read` gives a file inside the input folder, `words` a wildcard list.

    Both raise `BadWildcard` with a sentence.
    """

    read: Callable[[str], str]
    words: Words


def places_of(axis: BatchAxis) -> tuple[Place, ...]:
    """The widgets that the axis sets."""
    return tuple(axis.columns.values()) if isinstance(axis, Columns) else (axis.at,)


def rows_of(axis: BatchAxis, own_text: Json, sources: Sources) -> list[list[Json]]:
    """The values of the axis: one list for each position, one value for each of its places.

    `own_text` is what the workflow has at its place. Raises `BadWildcard`.
    """
    if isinstance(axis, Columns):
        return _table(axis, sources)
    return [[value] for value in _values(axis, own_text, sources)]


def _values(
    axis: Listed | Ranged | Seeded | Lines | Drawn, own_text: Json, sources: Sources
) -> list[Json]:
    match axis:
        case Listed():
            return list(axis.values)
        case Ranged():
            return _range(axis)
        case Seeded():
            return _seeds(axis)
        case Lines():
            return [line for line in sources.read(axis.file).splitlines() if line.strip()]
        case Drawn():
            text = own_text if axis.text is None else axis.text
            if not isinstance(text, str):
                raise BadWildcard("Only a text can have choices in it.")
            draw = random.Random(axis.seed)
            return [drawn(text, draw, sources.words) for _ in range(axis.count)]


def _table(axis: Columns, sources: Sources) -> list[list[Json]]:
    reader = csv.DictReader(io.StringIO(sources.read(axis.file)))
    missing = [name for name in axis.columns if name not in (reader.fieldnames or ())]
    if missing:
        there = ", ".join(reader.fieldnames or ()) or "none"
        raise BadWildcard(f"{axis.file} has no column {missing[0]!r}. It has: {there}.")
    return [[row[name] or "" for name in axis.columns] for row in reader]


def _range(axis: Ranged) -> list[Json]:
    if axis.count == 1:
        return [axis.start]
    step = (axis.stop - axis.start) / (axis.count - 1)
    # Rounded, because people read these numbers: 0.30000000000000004 is meant as 0.3.
    return [round(axis.start + place * step, 10) for place in range(axis.count)]


def _seeds(axis: Seeded) -> list[Json]:
    first = axis.seed or 0
    if axis.how == "increment":
        return [(first + place) % (LARGEST_SEED + 1) for place in range(axis.count)]
    draw = random.Random(first)
    return [draw.getrandbits(53) for _ in range(axis.count)]  # readable by every JSON reader
