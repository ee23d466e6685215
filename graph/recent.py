"""Keep what was found out about the last workflows, so that a check after an edit is quick.

Most edits change a value: which wires there are and which files are loaded stays, and with it every
space.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from graph.equations import solve
from graph.facts import Facts
from graph.socket_types import SocketTypes
from graph.solve import Solution

KEPT = 4
"""So many workflows are kept: those of a few tabs."""


@dataclass
class Solved:
    """A workflow's facts and spaces. What follows from these alone is added by who finds it out.

    `types` are its sockets' types, `right` the nodes with whose wires nothing was wrong, of which
    `settled` need not be looked at again.
    """

    facts: Facts
    solution: Solution
    types: Mapping[str, SocketTypes] | None = None
    right: Collection[str] = frozenset()
    settled: Collection[str] = frozenset()


class Recent:
    """The workflows that were checked last. Safe for threads."""

    def __init__(self) -> None:
        self._known: list[Solved] = []
        self._lock = threading.Lock()

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
            facts.active = same.facts.active
            found = Solved(facts, same.solution, same.types, same.right, same.right)
        with self._lock:
            others = [one for one in self._known if one is not same]
            self._known = [found, *others][:KEPT]
        return found


def same_wiring(one: Facts, other: Facts) -> bool:
    """Whether two workflows have the same nodes, modes, wires and files, whatever else differs."""
    return one.wiring == other.wiring and _same_files(one, other)


def _settled(before: Solved, facts: Facts) -> Collection[str]:
    """The nodes with whose wires nothing was wrong, and nothing can have become wrong.

    What is wrong with a wire hangs on its own two nodes, as long as none is bypassed.
    """
    old = {entry[0]: entry for entry in before.facts.wiring}
    new = {entry[0]: entry for entry in facts.wiring}
    if any(entry[3] == "bypass" for entry in new.values()):
        return frozenset()
    kept = all(id_ in new and new[id_][:4] == entry[:4] for id_, entry in old.items())
    if not kept or not _same_files(before.facts, facts):
        return frozenset()
    return {id_ for id_ in before.right if new[id_] == old[id_]}


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
