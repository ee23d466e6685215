"""Keep what was found out about the last workflows, so that a check after an edit is quick.

Most edits change a value: which wires there are and which files are loaded stays, and with it every
space.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from graph.definition import NodeDefinition
from graph.equations import solve
from graph.facts import Facts
from graph.socket_types import SocketTypes
from graph.solve import Solution
from graph.subgraphs import Flat
from graph.workflow import Workflow

KEPT = 4
"""So many workflows are kept: those of a few tabs."""


@dataclass
class Solved:
    """A workflow's facts and spaces. What follows from these alone is added by who finds it out.

    `types` are its sockets' types, `right` the nodes with whose wires nothing was wrong, of which
    `settled` need not be looked at again; `well_set` and `unchanged` are the same for values.
    """

    facts: Facts
    solution: Solution
    types: Mapping[str, SocketTypes] | None = None
    right: Collection[str] = frozenset()
    settled: Collection[str] = frozenset()
    well_set: Collection[str] = frozenset()
    unchanged: Collection[str] = frozenset()


class Recent:
    """The workflows that were checked last. Safe for threads."""

    def __init__(self) -> None:
        self._known: list[Solved] = []
        self._flats: list[Flat] = []
        self._lock = threading.Lock()

    def flat(self, workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> Flat:
        """The workflow without subgraphs; what is the very same as before is not opened anew."""
        with self._lock:
            newest = next(iter(self._flats), None)
            known = next((one for one in self._flats if one.shares(workflow)), newest)
        found = Flat(workflow, definitions, known)
        if not found.is_same:
            with self._lock:
                self._flats = [found, *(one for one in self._flats if one is not known)][:KEPT]
        return found

    def solved(self, facts: Facts) -> Solved:
        """The workflow, solved; from what is known where only values and titles differ."""
        with self._lock:
            known = [one for one in self._known if one.facts.definitions == facts.definitions]
        if known:
            facts.learn(known[0].facts)
        same = next((one for one in known if same_wiring(one.facts, facts)), None)
        if same is None:
            found = Solved(facts, solve(facts))
            found.settled = _settled(known[0], facts) if known else frozenset()
        else:
            facts.wired_like(same.facts)
            found = Solved(facts, same.solution, same.types, same.right, same.right)
        if known:
            found.unchanged = _unchanged(same or known[0], facts, same is not None)
        with self._lock:
            others = [one for one in self._known if one is not same]
            self._known = [found, *others][:KEPT]
        return found


def same_wiring(one: Facts, other: Facts) -> bool:
    """Whether two workflows have the same nodes, modes, wires and files, whatever else differs."""
    before, now = one.workflow.nodes, other.workflow.nodes
    if before is not now and not (
        len(before) == len(now)
        and all(
            ours == theirs and (old is new or one.role(ours) == other.role(theirs))
            for (ours, old), (theirs, new) in zip(before.items(), now.items(), strict=True)
        )
    ):
        return False
    return _same_files(one, other)


def _settled(before: Solved, facts: Facts) -> Collection[str]:
    """The nodes with whose wires nothing was wrong, and nothing can have become wrong.

    What is wrong with a wire hangs on its own two nodes, as long as none is bypassed.
    """
    old, new = before.facts.workflow.nodes, facts.workflow.nodes
    if any(placed.mode == "bypass" for placed in new.values()):
        return frozenset()
    kept = all(
        (now := new.get(id_)) is placed
        or (now is not None and before.facts.role(id_)[:3] == facts.role(id_)[:3])
        for id_, placed in old.items()
    )
    if not kept or not _same_files(before.facts, facts):
        return frozenset()
    return {
        id_
        for id_ in before.right
        if new[id_] is old[id_] or before.facts.role(id_) == facts.role(id_)
    }


def _unchanged(before: Solved, facts: Facts, same_wiring: bool) -> Collection[str]:
    """The nodes that are the very same and whose values were right.

    What is wrong with a file hangs on what other nodes use of it, too.
    """
    old, new = before.facts.workflow.nodes, facts.workflow.nodes
    return {
        id_
        for id_ in before.well_set
        if (placed := new.get(id_)) is old[id_]
        and placed is not None
        and (same_wiring or not ((kind := facts.type(placed.type)) and kind.files))
    }


def _same_files(one: Facts, other: Facts) -> bool:
    """Whether the nodes that both workflows have load files of which the same is known."""
    if one.files is not other.files:
        return False
    alike: set[tuple[int, int]] = set()
    for node in one.workflow.nodes:
        kind = other.type_of(node)
        for widget in kind.files if kind else ():
            before, after = one.widget_file(node, widget), other.widget_file(node, widget)
            if before is after or (id(before), id(after)) in alike:
                continue
            if before != after:
                return False
            alike.add((id(before), id(after)))
    return True
