"""One workflow, many runs: which values vary, in which order, and what each run is called."""

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graph.batch_axes import (
    MOST,
    BatchAxis,
    Drawn,
    Place,
    Ranged,
    Recipe,
    Seeded,
    Sources,
    places_of,
    rows_of,
)
from graph.definition import Json, NodeDefinition, WidgetDefinition
from graph.node_type import NodeType, node_type
from graph.subgraph_values import named_node
from graph.subgraphs import Flat
from graph.wildcards import BadWildcard
from graph.workflow import Workflow

Changes = dict[str, dict[str, Json]]


class BadBatch(ValueError):
    """A recipe that makes no batch; the message says which axis and why."""


@dataclass(frozen=True)
class Point:
    """One position of an axis: what it changes, and its label."""

    changes: Changes
    label: str


class Side(NamedTuple):
    """An axis, or several that advance together, written out. `is_model`: it changes a file."""

    title: str
    points: list[Point]
    is_model: bool


@dataclass(frozen=True)
class Case:
    """One run of a batch. `cell` is its position on each axis (group) of the recipe."""

    changes: Changes
    name: str
    cell: tuple[int, ...]


@dataclass(frozen=True)
class Expansion:
    """A batch, written out. `recipe` names every seed that was drawn, so that it gives the same
    again; `axes` are titles and labels; `cases` come in the order in which they should be run;
    `models` are the axes that change a model's file, and `nodes` says of each axis at which nodes
    it varies something."""

    recipe: Recipe
    axes: tuple[tuple[str, tuple[str, ...]], ...]
    cases: tuple[Case, ...]
    models: tuple[int, ...]
    nodes: tuple[frozenset[str], ...]

    def typical(self) -> tuple[Case, ...]:
        """One case for each combination of models: what suits it suits all of them."""
        found: dict[tuple[int, ...], Case] = {}
        for case in self.cases:
            found.setdefault(self.models_at(case), case)
        return tuple(found.values())

    def models_at(self, case: Case) -> tuple[int, ...]:
        """The case's positions on the axes that change a model's file."""
        return tuple(case.cell[axis] for axis in self.models)


def expand(
    recipe: Recipe,
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    sources: Sources,
    draw: random.Random,
) -> Expansion:
    """Every run of the batch. Raises `BadBatch`.

    Axes that change a model's file are the outermost loops, so that each model is loaded once; the
    others keep their order, the last one being the innermost.
    """
    settled = Recipe(axes=tuple(_settled(axis, draw) for axis in recipe.axes))
    maker = _Maker(workflow, definitions, sources)
    groups: dict[str, list[Side]] = {}
    for place, axis in enumerate(settled.axes):
        name = axis.group or f" {place}"
        groups.setdefault(name, []).append(maker.axis(axis, place + 1))
    sides = [_zipped(members) for members in groups.values()]
    count = math.prod(len(side.points) for side in sides)
    if count > MOST:
        raise BadBatch(f"This batch would have {count:,} runs; at most {MOST:,} are possible.")
    axes = tuple((side.title, tuple(point.label for point in side.points)) for side in sides)
    models = tuple(place for place, side in enumerate(sides) if side.is_model)
    nodes = tuple(frozenset(side.points[0].changes) for side in sides)
    return Expansion(settled, axes, tuple(_cases(sides)), models, nodes)


def _cases(sides: Sequence[Side]) -> list[Case]:
    order = sorted(range(len(sides)), key=lambda place: not sides[place].is_model)
    cases = []
    for chosen in itertools.product(*(range(len(sides[place].points)) for place in order)):
        at = dict(zip(order, chosen, strict=True))
        cell = tuple(at[place] for place in range(len(sides)))
        points = [side.points[position] for side, position in zip(sides, cell, strict=True)]
        labels = [f"{side.title} {point.label}" for side, point in zip(sides, points, strict=True)]
        cases.append(Case(_together(points), ", ".join(labels), cell))
    return cases


def _zipped(members: Sequence[Side]) -> Side:
    if len(members) == 1:
        return members[0]
    if len({len(side.points) for side in members}) > 1:
        listed = ", ".join(f"{side.title} has {len(side.points)}" for side in members)
        raise BadBatch(f"Axes that advance together need equally many values: {listed}.")
    points = [
        Point(_together(together), ", ".join(point.label for point in together))
        for together in zip(*(side.points for side in members), strict=True)
    ]
    title = " + ".join(side.title for side in members)
    return Side(title, points, any(side.is_model for side in members))


def _together(points: Sequence[Point]) -> Changes:
    changes: Changes = {}
    for point in points:
        for node, values in point.changes.items():
            changes.setdefault(node, {}).update(values)
    return changes


def _settled(axis: BatchAxis, draw: random.Random) -> BatchAxis:
    if isinstance(axis, Seeded | Drawn) and axis.seed is None:
        return axis.model_copy(update={"seed": draw.getrandbits(32)})
    return axis


class _Maker:
    """Writes axes out, and holds each value against its widget."""

    def __init__(
        self, workflow: Workflow, definitions: Mapping[str, NodeDefinition], sources: Sources
    ) -> None:
        self._flat = Flat(workflow, definitions)
        self._sources = sources

    def axis(self, axis: BatchAxis, number: int) -> Side:
        """Its title, its points, and whether it changes a model."""
        places = places_of(axis)
        widgets = [self._widget(place, number) for place in places]
        first = named_node(self._flat, places[0].node)
        own = first.placed.values.get(places[0].widget, widgets[0][1].default) if first else ""
        try:
            rows = rows_of(axis, own, self._sources)
        except BadWildcard as error:
            raise BadBatch(f"Axis {number}: {error}") from error
        if not rows:
            raise BadBatch(f"Axis {number} has no values.")
        points = [
            self._point(
                places,
                widgets,
                [_fitting(axis, w[1], v) for w, v in zip(widgets, row, strict=True)],
            )
            for row in rows
        ]
        title = axis.title or ", ".join(widget.title for _, widget in widgets)
        is_model = any(widget.control == "model_file" for _, widget in widgets)
        return Side(title, points, is_model)

    def _widget(self, place: Place, number: int) -> tuple[NodeType, WidgetDefinition]:
        found = named_node(self._flat, place.node)
        if found is None:
            raise BadBatch(f"Axis {number}: this workflow has no node {place.node!r}.")
        kind = node_type(found.definition) if found.definition else None
        title = found.placed.title or found.placed.type
        if kind is None or place.widget not in kind.widgets:
            raise BadBatch(f"Axis {number}: {title} has no value {place.widget!r}.")
        widget = kind.widgets[place.widget]
        if place.widget in found.placed.inputs:
            raise BadBatch(
                f"Axis {number}: {widget.title} of {title} comes along a wire, so it cannot be "
                "varied there."
            )
        return kind, widget

    def _point(
        self,
        places: Sequence[Place],
        widgets: Sequence[tuple[NodeType, WidgetDefinition]],
        values: Sequence[Json],
    ) -> Point:
        changes: Changes = {}
        for place, (kind, widget), value in zip(places, widgets, values, strict=True):
            wrong = kind.checkers[widget.name].fault(value)
            if wrong is not None:
                raise BadBatch(f"{widget.title} {wrong.reason}.")
            changes.setdefault(place.node, {})[place.widget] = value
        return Point(changes, ", ".join(_label(value) for value in values))


def _fitting(axis: BatchAxis, widget: WidgetDefinition, value: Json) -> Json:
    """The value as the widget's kind, where a file or a range gives it in another form."""
    schema = widget.schema_
    kinds = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    if isinstance(axis, Ranged) and "integer" in kinds and "number" not in kinds:
        return round(value)
    if isinstance(value, str) and "string" not in kinds:
        text = value.strip()
        for kind, read in (("integer", int), ("number", float)):
            if kind in kinds:
                try:
                    return read(text)
                except ValueError:
                    continue
        if "boolean" in kinds and text.lower() in ("true", "false"):
            return text.lower() == "true"
    return value


def _label(value: Json) -> str:
    text = (
        value
        if isinstance(value, str)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:77]}..."
