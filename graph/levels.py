"""The insides of a workflow's subgraphs: one level for each placed node that stands for one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from graph.definition import Json
from graph.interface import DEEPEST, is_shown, subgraph_of, uses_of
from graph.modes import Source
from graph.words import t
from graph.workflow import HERE, PlacedNode, Subgraph, Wire, Workflow

MOST = 20_000
"""So many nodes at most come out of subgraphs: a few that hold each other make any number."""


class Sent(NamedTuple):
    """What a placed node sets inside: the values and wires of one inner node's widgets."""

    values: dict[str, Json]
    inputs: dict[str, Wire]


class Face:
    """What follows from a subgraph alone, found out once for all nodes that stand for it.

    `nodes` are those in it, and `shown` those among them that stand for a subgraph themselves.
    """

    def __init__(self, subgraph: Subgraph, nodes: Mapping[str, PlacedNode]) -> None:
        self.subgraph = subgraph
        self.nodes = nodes
        self.shown = [id_ for id_, placed in nodes.items() if is_shown(placed)]

    @cached_property
    def uses(self) -> dict[str, list[tuple[str, str]]]:
        """The inner sockets that each of the interface's inputs feeds."""
        return uses_of(self.subgraph)

    @cached_property
    def exposed(self) -> dict[tuple[str, str], str]:
        """The name at the interface of each inner widget that is shown there."""
        return {(shown.node, shown.name): name for name, shown in self.subgraph.widgets.items()}


@dataclass(eq=False)
class Level:
    """The inside of one placed node, or (`parent` None) the workflow itself.

    `ids` maps its nodes' ids to those of the flat workflow, `inner` the opened ones to their
    insides. `instance` is the placed node as what lies around it sets it, under the name `id` in
    `parent`; `flat` is its id in the flat workflow, as if it were still a node of it.
    """

    face: Face
    parent: "Level | None" = None
    instance: PlacedNode = field(default_factory=lambda: PlacedNode(type=""))
    id: str = ""
    flat: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    inner: dict[str, "Level"] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> Mapping[str, PlacedNode]:
        """The nodes of this level, as they are saved."""
        return self.face.nodes

    @property
    def subgraph(self) -> Subgraph:
        """What the placed node stands for; an empty one for the workflow itself."""
        return self.face.subgraph

    @property
    def uses(self) -> dict[str, list[tuple[str, str]]]:
        """The inner sockets that each of the interface's inputs feeds."""
        return self.face.uses

    @property
    def exposed(self) -> dict[tuple[str, str], str]:
        """The name at the interface of each inner widget that is shown there."""
        return self.face.exposed

    @cached_property
    def sent(self) -> dict[str, Sent]:
        """What the placed node sets of the widgets inside, by inner node."""
        found: dict[str, Sent] = {}
        values, inputs = self.instance.values, self.instance.inputs
        for name, shown in self.subgraph.widgets.items():
            if name in self.subgraph.inputs or not (name in values or name in inputs):
                continue
            sent = found.setdefault(shown.node, Sent({}, {}))
            if name in values:
                sent.values[shown.name] = values[name]
            if name in inputs:
                sent.inputs[shown.name] = Wire(node=HERE, output=name)
        return found

    def placed(self, id_: str) -> PlacedNode:
        """The node as what lies around it sets it; its wires still lead through this level."""
        placed, sent = self.nodes[id_], self.sent.get(id_)
        if sent is None:
            return placed
        values = {**placed.values, **sent.values}
        return placed.model_copy(
            update={"values": values, "inputs": {**sent.inputs, **placed.inputs}}
        )

    def flat_id(self, id_: str) -> str:
        """The id of a node of this level in the flat workflow, be the node there or not."""
        if id_ in self.inner:
            return self.inner[id_].flat
        return self.ids.get(id_) or (f"{self.flat}/{id_}" if self.parent else id_)

    def follow(self, wire: Wire) -> tuple[Source, tuple[str, str] | None] | None:
        """Where a wire of this level comes from, and what a person allowed of it on the way.

        None where it comes from nowhere: from an input that nothing feeds, or an output that is
        not there or gives nothing.
        """
        level, allow, node, output = self, wire.allow, wire.node, wire.output
        if node in self.ids and node not in self.inner:  # most wires stay where they are
            return Source(self.ids[node], output), allow
        seen: set[tuple[int, str, str]] = set()
        while True:
            if node == HERE and level.parent is not None:
                outer = level.instance.inputs.get(output)
                if outer is None:
                    return None
                allow = allow or outer.allow
                level, node, output = level.parent, outer.node, outer.output
            elif (inner := level.inner.get(node)) is not None:
                shown = inner.subgraph.outputs.get(output)
                if shown is None or not shown.node:
                    return None
                level, node, output = inner, shown.node, shown.output
            else:
                return Source(level.flat_id(node), output), allow
            if (id(level), node, output) in seen:  # subgraphs that only hand on, in a ring
                return None
            seen.add((id(level), node, output))

    def is_unfed(self, wire: Wire) -> bool:
        """Whether the wire comes from an input of the interface that nothing feeds outside."""
        level = self
        while wire.node == HERE and level.parent is not None:
            outer = level.instance.inputs.get(wire.output)
            if outer is None:
                return wire.output in level.subgraph.inputs
            level, wire = level.parent, outer
        return False

    def inside(self) -> list["Level"]:
        """This level and all that are opened inside it."""
        found = [self]
        for level in found:
            found += level.inner.values()
        return found

    def around(self) -> list["Level"]:
        """The levels that this one lies in, the outermost placed node's first, and itself."""
        found: list[Level] = []
        level: Level | None = self
        while level is not None and level.parent is not None:
            found.append(level)
            level = level.parent
        return found[::-1]


class Opened(NamedTuple):
    """The workflow's own level and those inside it, outer ones first.

    `closed` says of the nodes that stand for a subgraph and could not be opened why: a code, and
    how a sentence about the node goes on.
    """

    root: Level
    levels: list[Level]
    closed: dict[str, tuple[str, str]]


def open_levels(workflow: Workflow) -> Opened:
    """Open every placed node that runs and stands for a subgraph, and name all that is inside.

    The workflow's own nodes keep their ids; "up/k" is the node "k" inside "up".
    """
    opened = Opened(whole(workflow), [], {})
    taken = set(workflow.nodes)
    faces: dict[str, Face] = {}
    waiting = [opened.root]
    for level in waiting:
        if level.parent is None:
            level.ids = {id_: id_ for id_ in level.nodes}
        else:
            for id_ in level.nodes:
                flat = f"{level.flat}/{id_}"
                while flat in taken:  # an id with a slash of its own
                    flat += "'"
                taken.add(flat)
                level.ids[id_] = flat
        for id_ in level.face.shown:
            placed, flat = level.nodes[id_], level.ids[id_]
            if placed.mode != "run":
                continue
            trouble = _trouble(workflow, level, placed, len(taken))
            if trouble is not None:
                opened.closed[flat] = trouble
                continue
            name = subgraph_of(placed.type) or ""
            if name not in faces:
                subgraph = workflow.subgraphs[name]
                faces[name] = Face(subgraph, subgraph.nodes)
            inner = Level(faces[name], level, level.placed(id_), id_, flat)
            level.inner[id_] = inner
            opened.levels.append(inner)
            waiting.append(inner)
    return opened


def whole(workflow: Workflow) -> Level:
    """The workflow itself as a level, of which nothing is opened yet."""
    return Level(Face(Subgraph(), workflow.nodes))


def _trouble(
    workflow: Workflow, level: Level, placed: PlacedNode, count: int
) -> tuple[str, str] | None:
    id_ = subgraph_of(placed.type) or ""
    subgraph = workflow.subgraphs.get(id_)
    if subgraph is None:
        return (
            "unknown_subgraph",
            t(
                "stands for the subgraph '{id}', which this workflow does not hold: insert it from "
                "your library, or remove the node.",
                id=id_,
            ),
        )
    around = [subgraph_of(one.instance.type) or "" for one in level.around()]
    if id_ in around:
        ring = [*around[around.index(id_) :], id_]
        names = " → ".join(workflow.subgraphs[one].title or one for one in ring)
        return (
            "recursive_subgraph",
            t(
                "lies inside itself ({names}), so it would never end: remove the node.",
                names=names,
            ),
        )
    if len(around) >= DEEPEST:
        return (
            "too_many_nodes",
            t(
                "stays closed: it lies inside {count} others already. Unpack some of them.",
                count=DEEPEST,
            ),
        )
    if count + len(subgraph.nodes) > MOST:
        return (
            "too_many_nodes",
            t(
                "stays closed: with all that is inside, this workflow has more than {count} nodes. "
                "Remove some of those that hold each other.",
                count=f"{MOST:,}",
            ),
        )
    return None
