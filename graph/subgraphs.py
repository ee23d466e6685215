"""Replace the nodes that stand for subgraphs by what is inside, so that the rest sees no subgraph.

The inner node "k" of the placed node "up" is called "up/k". Check, plan and run work on the flat
workflow: spaces go through the wires as if nothing had been packed, each placed node has variables
of its own, and a step's key is what it was before. A node that is muted or bypassed stays as it is,
with its interface as its definition.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from graph.definition import NodeDefinition
from graph.interface import Interfaces, is_shown
from graph.levels import Level, Opened, open_levels, whole
from graph.modes import Source
from graph.reopened import nodes_like
from graph.socket_types import SocketTypes
from graph.workflow import PlacedNode, Wire, Workflow


class Lost(NamedTuple):
    """A wire of `level` that enters no socket, or that comes from nowhere."""

    level: Level
    node: str
    socket: str
    wire: Wire


class Told(NamedTuple):
    """What was said of opened nodes' sockets, when that of the flat nodes' was `flat`."""

    flat: Mapping[str, SocketTypes]
    sockets: Mapping[str, SocketTypes]


class Flat:
    """A workflow without subgraphs, and where everything in it comes from.

    `definitions` are those that were given, and the interfaces of the nodes that were not opened.
    What `before`, an earlier one, holds of nodes that are the very same is taken from there; their
    ids are `kept`. `told` is what `graph.subgraph_answers` makes of it, `earlier` of that one.
    """

    def __init__(
        self,
        workflow: Workflow,
        definitions: Mapping[str, NodeDefinition],
        before: "Flat | None" = None,
    ) -> None:
        self.original = workflow
        self.kept: set[str] = set()
        self.told: Told | None = None
        self.earlier = before.told if before else None
        self._library = definitions
        self.definitions = definitions
        self.interfaces = Interfaces(workflow.subgraphs, definitions)
        self.lost: list[Lost] = []
        self._prefixes: dict[Level, tuple[str, str]] = {}
        self._counts: dict[Level, Counter[str]] = {}
        self._titles: dict[str, str] = {}
        self._wires: dict[tuple[Source, tuple[str, str] | None], Wire] = (
            before._wires if before and before._is_small else {}
        )
        self.is_same = not any(is_shown(placed) for placed in workflow.nodes.values())
        self.opened = Opened(whole(workflow), [], {}) if self.is_same else open_levels(workflow)
        known = before if before and before._library == definitions else None
        self.workflow = workflow if self.is_same else self._flatten(known)

    def shares(self, workflow: Workflow) -> bool:
        """Whether another workflow has a subgraph that is the very same."""
        mine = self.original.subgraphs.items()
        return any(workflow.subgraphs.get(id_) is subgraph for id_, subgraph in mine)

    def level(self, node: str) -> Level | None:
        """The inside of the opened node of this flat id; None for every other node."""
        return self._levels.get(node)

    def place(self, node: str) -> tuple[Level, str] | None:
        """The level that a node lies in, and its id there; None where there is no such node."""
        return self._places.get(node)

    @property
    def levels(self) -> Mapping[str, Level]:
        """The insides of opened nodes, by the nodes' ids in the flat workflow."""
        return self._levels

    def wanted(self, nodes: Iterable[str]) -> list[str]:
        """The ids, each opened node replaced by what gives its outputs or has an effect."""
        found: dict[str, None] = {}
        for node in nodes:
            level = self.level(node)
            if level is None:
                found[node] = None
                continue
            inside: dict[str, None] = {}
            for output in level.subgraph.outputs:
                source = self.given(node, output)
                if source is not None and source.node in self.workflow.nodes:
                    inside[source.node] = None
            flat_ids = [flat for one in level.inside() for flat in one.ids.values()]
            there = [flat for flat in flat_ids if flat in self.workflow.nodes]
            for flat in there:
                definition = self.definitions.get(self.workflow.nodes[flat].type)
                if definition is not None and definition.output:
                    inside[flat] = None
            found.update(inside or dict.fromkeys(there))  # it gives nothing: all that is in it
        return list(found)

    def given(self, node: str, output: str) -> Source | None:
        """The flat output that an output stands for, be the node an opened one or not."""
        level = self.level(node)
        if level is None or level.parent is None:
            return Source(node, output)
        found = level.parent.follow(Wire(node=level.id, output=output))
        return found[0] if found else None

    def fed(self, node: str, socket: str) -> list[tuple[str, str]]:
        """The flat sockets that an input or wired widget feeds: several for an opened node's."""
        found: list[tuple[str, str]] = []
        waiting = [(node, socket)]
        while waiting:
            at, name = waiting.pop()
            level = self.level(at)
            if level is None:
                found.append((at, name))
                continue
            inner = level.uses.get(name, [])
            if name not in level.subgraph.inputs and name in level.subgraph.widgets:
                shown = level.subgraph.widgets[name]
                inner = [(shown.node, shown.name)]
            waiting += [(level.flat_id(id_), entered) for id_, entered in reversed(inner)]
        return found

    def name(self, node: str) -> str | None:
        """What sentences call a node inside: "Upscale twice / KSampler 'Base'", or None outside."""
        inner = self._levels.get(node)
        level, id_ = (inner.parent, inner.id) if inner else self._places.get(node, (None, ""))
        if level is None or (inner is None and level.parent is None):
            return None
        return self.called(level, id_)

    def called(self, level: Level, id_: str) -> str:
        """What sentences call the node of a level."""
        return self._before(level)[1] + self._called(level, id_)

    def title(self, level: Level, id_: str) -> str:
        """The titles of a node and of what it lies in: "Upscale twice / Base"."""
        return self._before(level)[0] + self._titled(level, id_)

    def _before(self, level: Level) -> tuple[str, str]:
        """What the titles, and the names in sentences, of a level's nodes begin with."""
        if level.parent is None:
            return "", ""
        if level not in self._prefixes:
            title, called = self._before(level.parent)
            self._prefixes[level] = (
                f"{title}{self._titled(level.parent, level.id)} / ",
                f"{called}{self._called(level.parent, level.id)} / ",
            )
        return self._prefixes[level]

    def _titled(self, level: Level, id_: str) -> str:
        placed = level.nodes[id_]
        return placed.title if self._is_named(placed) else self._type_title(placed.type)

    def _is_named(self, placed: PlacedNode) -> bool:
        """Whether a person gave the node a title of its own."""
        definition = self.interfaces.type(placed.type)
        if definition is None:
            return placed.title not in ("", placed.type)
        return not definition.is_called(placed.title)

    def _type_title(self, type_: str) -> str:
        if type_ not in self._titles:
            definition = self.interfaces.type(type_)
            self._titles[type_] = definition.title if definition is not None else type_
        return self._titles[type_]

    def _called(self, level: Level, id_: str) -> str:
        """A node's name as sentences write it, with its id where two of its level have the same."""
        placed = level.nodes[id_]
        title = self._type_title(placed.type)
        if self._is_named(placed):
            return placed.title if is_shown(placed) else f"{title} '{placed.title}'"
        return f"{title} ({id_})" if self._untitled(level)[placed.type] > 1 else title

    def _untitled(self, level: Level) -> Counter[str]:
        if level not in self._counts:
            nodes = level.nodes.values()
            self._counts[level] = Counter(one.type for one in nodes if not one.title)
        return self._counts[level]

    @cached_property
    def _levels(self) -> dict[str, Level]:
        return {level.flat: level for level in self.opened.levels}

    @cached_property
    def _places(self) -> dict[str, tuple[Level, str]]:
        if self.is_same:
            root = self.opened.root
            return {id_: (root, id_) for id_ in root.nodes}
        levels = (self.opened.root, *self.opened.levels)
        return {flat: (level, id_) for level in levels for id_, flat in level.ids.items()}

    @property
    def _is_small(self) -> bool:
        """Whether few wires are remembered that are gone; hours of edits would make many."""
        return len(self._wires) < 1000 + 4 * len(self.workflow.nodes)

    def _flatten(self, before: "Flat | None") -> Workflow:
        nodes: dict[str, PlacedNode] = {}
        root = self.opened.root
        waiting = [(root, id_) for id_ in reversed(list(root.nodes))]
        while waiting:  # what is inside comes where its node was
            level, id_ = waiting.pop()
            inner = level.inner.get(id_)
            if inner is None:
                nodes[level.ids[id_]] = self._moved(level, id_)
                continue
            self._look_at_wires(inner)
            known = nodes_like(before, inner) if before else None
            if known is not None:
                nodes.update(known)
                self.kept.add(inner.flat)
                continue
            waiting += [(inner, deeper) for deeper in reversed(list(inner.nodes))]
        self._define_closed()
        return self.original.model_copy(update={"nodes": nodes, "subgraphs": {}})

    def _moved(self, level: Level, id_: str) -> PlacedNode:
        """The node with wires that lead to flat nodes, as what lies around it sets it."""
        placed = level.placed(id_)
        if level.parent is None and not any(
            wire.node in level.inner for wire in placed.inputs.values()
        ):
            return placed
        inputs: dict[str, Wire] = {}
        for socket, wire in placed.inputs.items():
            if (found := level.follow(wire)) is not None:
                inputs[socket] = self._wire(*found)
            elif not level.is_unfed(wire):
                self.lost.append(Lost(level, id_, socket, wire))
        title = placed.title if level.parent is None else self.title(level, id_)
        moved = copy.copy(placed)  # and its dictionary changed: quicker than `model_copy`
        vars(moved).update(inputs=inputs, title=title)
        return moved

    def _wire(self, source: Source, allow: tuple[str, str] | None) -> Wire:
        """A wire from a flat node; one object for all from that output, to be quick."""
        wire = self._wires.get((source, allow))
        if wire is None:
            wire = self._wires[source, allow] = Wire(
                node=source.node, output=source.output, allow=allow
            )
        return wire

    def _look_at_wires(self, inner: Level) -> None:
        """Note the wires of an opened node that enter no socket of it."""
        assert inner.parent is not None
        shown = inner.subgraph
        for socket, wire in inner.instance.inputs.items():
            if socket not in shown.inputs and socket not in shown.widgets:
                self.lost.append(Lost(inner.parent, inner.id, socket, wire))

    def _define_closed(self) -> None:
        """Let the interfaces of muted and bypassed nodes be known like those of other types."""
        shown = (
            level.nodes[id_]
            for level in (self.opened.root, *self.opened.levels)
            for id_ in level.face.shown
        )
        types = {placed.type for placed in shown if placed.mode != "run"}
        found = {type_: self.interfaces.type(type_) for type_ in types}
        known = {type_: definition for type_, definition in found.items() if definition is not None}
        if known:
            self.definitions = {**self.definitions, **known}
