"""Say of a workflow with subgraphs what the checker found in the flat one."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from graph.levels import Level
from graph.modes import active_graph
from graph.problem import Disconnect, Fix, Problem, RemoveNode
from graph.sentences import kind_in_words
from graph.socket_types import SocketType, SocketTypes
from graph.subgraph_fixes import Localiser
from graph.subgraphs import Flat, Lost, Told
from graph.words import t
from graph.workflow import HERE

if TYPE_CHECKING:
    from graph.check import CheckResult

NOTHING: SocketType = {"kind": "Any", "spaces": []}


def told(flat: Flat, found: "CheckResult") -> "CheckResult":
    """The answer for the workflow as it is saved: problems and types where a person sees them.

    Nodes inside are named by their flat ids ("up/k_sampler"). A fix's edits are of the saved form.
    """
    teller = _Teller(flat)
    seen = [told for problem in found.problems if (told := teller.problem(problem))]
    of_wires = [*teller.closed(), *teller.lost()]
    problems = {_place(problem): problem for problem in (*of_wires, *seen)}
    blocking = {_place(told) for problem in found.blocking if (told := teller.problem(problem))}
    if of_wires:
        needed = active_graph(flat.workflow, flat.definitions).ancestors(found.wanted)
        blocking |= {_place(one) for one in of_wires if teller.is_needed(one.node, needed)}
    return replace(
        found,
        problems=tuple(problems.values()),
        types={**found.types, **teller.types(found.types)},
        blocking=tuple(problem for place, problem in problems.items() if place in blocking),
    )


def _place(problem: Problem) -> tuple[str, str | None, str | None, str]:
    return problem.code, problem.node, problem.socket, problem.message


class _Teller:
    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.localise = Localiser(flat)
        self.lost_at = {(item.level.flat_id(item.node), item.socket) for item in flat.lost}

    def problem(self, problem: Problem) -> Problem | None:
        """The problem where a person can do something about it, with edits of the saved form.

        None where it is told better as a wire that is lost or as a node that stays closed.
        """
        node, socket = problem.node, problem.socket
        if problem.code == "unknown_node" and node in self.flat.opened.closed:
            return None
        if problem.code == "missing_input" and (node, socket) in self.lost_at:
            return None
        fixes = tuple(self.localise.fixes(problem.fixes))
        update: dict[str, object] = {"fixes": fixes}
        place = self.flat.place(node) if node is not None else None
        if place is not None and node is not None and socket is not None:
            level, id_ = place
            if problem.code == "missing_input":
                update |= self._outside(level, id_, socket, problem)
            else:
                level, id_, name = _shown_at(level, id_, socket)
                update |= {"node": level.flat_id(id_), "socket": name}
        return problem.model_copy(update=update)

    def _outside(
        self, level: Level, id_: str, socket: str, problem: Problem
    ) -> Mapping[str, object]:
        """A missing wire that should have come in from outside is missing there."""
        at, name = id_, socket
        while level.parent is not None:
            wire = level.nodes[at].inputs.get(name) or level.nodes[at].inputs.get(f"{name}.0")
            if wire is None or wire.node != HERE:
                break
            level, at, name = level.parent, level.id, wire.output
        if (at, name) == (id_, socket):
            return {}
        flat = level.flat_id(at)
        interface = self.flat.interfaces.type(level.nodes[at].type)
        title = (
            next((i.title for i in interface.inputs if i.name == name), name) if interface else name
        )
        called = self.flat.called(level, at)
        kind = str(problem.parameters.get("kind", ""))
        message = t(
            "'{title}' of {node} is not connected: wire {kind} to it.",
            title=title,
            node=called,
            kind=kind_in_words(kind) if kind else t("something"),
        )
        return {"node": flat, "socket": name, "message": message}

    def is_needed(self, node: str | None, needed: Collection[str]) -> bool:
        """Whether a node, or anything in it, is one of the needed."""
        level = self.flat.levels.get(node or "")
        if level is None:
            return node in needed
        return any(flat in needed for one in level.inside() for flat in one.ids.values())

    def closed(self) -> Iterator[Problem]:
        """Nodes that stand for a subgraph and could not be opened."""
        for flat, (code, why) in self.flat.opened.closed.items():
            place = self.flat.place(flat)
            name = self.flat.called(*place) if place else flat
            remove = Fix(title=t("Remove the node"), edits=(RemoveNode(node=flat),))
            yield Problem(code=code, node=flat, message=f"{name} {why}", fixes=(remove,))

    def lost(self) -> Iterator[Problem]:
        """Wires at sockets that the interface does not have, or that gives nothing."""
        for item in self.flat.lost:
            flat = item.level.flat_id(item.node)
            name = self.flat.called(item.level, item.node)
            fix = Fix(title=t("Disconnect"), edits=(Disconnect(node=flat, socket=item.socket),))
            if item.node in item.level.inner and not self._enters(item):
                code = "unknown_input"
                message = t(
                    "A wire goes to '{name}' of {node}, which {what}: disconnect it.",
                    name=item.socket,
                    node=name,
                    what=t("is not there"),
                )
            else:
                code = "unknown_output"
                message = t(
                    "A wire to '{name}' of {node} comes from '{output}' of {node2}, which gives "
                    "nothing: disconnect it.",
                    name=item.socket,
                    node=name,
                    output=item.wire.output,
                    node2=self._source(item),
                )
            yield Problem(code=code, node=flat, socket=item.socket, message=message, fixes=(fix,))

    def _enters(self, item: Lost) -> bool:
        shown = item.level.inner[item.node].subgraph
        return item.socket in shown.inputs or item.socket in shown.widgets

    def _source(self, item: Lost) -> str:
        if item.wire.node == HERE:
            return "the subgraph"
        known = item.wire.node in item.level.nodes
        return self.flat.called(item.level, item.wire.node) if known else f"'{item.wire.node}'"

    def types(self, flat: Mapping[str, SocketTypes]) -> dict[str, SocketTypes]:
        """What the sockets of opened nodes carry: what those inside do that they lead to."""
        found: dict[str, SocketTypes] = {}
        earlier = self.flat.earlier
        known = earlier.sockets if earlier is not None and earlier.flat is flat else {}
        for node, level in self.flat.levels.items():
            if node in known and node in self.flat.kept:
                found[node] = known[node]
                continue
            inputs = dict.fromkeys(level.subgraph.inputs)
            inputs |= dict.fromkeys(n for n in level.instance.inputs if n in level.subgraph.widgets)
            types: SocketTypes = {"inputs": {}, "outputs": {}}
            for name in inputs:
                fed = _first_fed(level, name)
                inner = flat.get(fed[0]) if fed else None
                types["inputs"][name] = (
                    inner["inputs"].get(fed[1], NOTHING) if inner and fed else NOTHING
                )
            for name in level.subgraph.outputs:
                source = self.flat.given(node, name)
                given = flat.get(source.node) if source else None
                types["outputs"][name] = (
                    given["outputs"].get(source.output, NOTHING) if given and source else NOTHING
                )
            found[node] = types
        self.flat.told = Told(flat, found)
        return found


def _first_fed(level: Level, name: str) -> tuple[str, str] | None:
    """The first flat socket that an input, or a wired widget, of the level's node feeds."""
    while True:
        shown = level.subgraph.widgets.get(name)
        if name in level.subgraph.inputs or shown is None:
            used = level.uses.get(name)
            if not used:
                return None
            id_, name = used[0]
        else:
            id_, name = shown.node, shown.name
        inner = level.inner.get(id_)
        if inner is None:
            return level.flat_id(id_), name
        level = inner


def _shown_at(level: Level, id_: str, socket: str) -> tuple[Level, str, str]:
    """Where the widget is shown furthest out: its level, node and name there."""
    while level.parent is not None and (id_, socket) in level.exposed:
        level, id_, socket = level.parent, level.id, level.exposed[id_, socket]
    return level, id_, socket
