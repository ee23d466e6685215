"""Find nodes that wait for each other."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from graph.modes import Source

Sources = Mapping[str, Mapping[str, Source]]


class Ring(NamedTuple):
    """Nodes that wait for each other, and wires (node, input) whose removal ends the waiting."""

    nodes: list[str]
    wires: list[tuple[str, str]]


def rings(sources: Sources) -> list[Ring]:
    """Every ring of the graph in which `sources[node][input]` is where an input comes from.

    Tarjan 1972, "Depth-first search and linear graph algorithms", with a stack of our own instead
    of recursion. The wires are those that lead back to a node on the way that the search came by.
    """
    if not _tangled(sources):
        return []
    search = _Search(sources)
    for node in sorted(sources):
        if node not in search.index:
            search.run(node)
    return search.found


def _tangled(sources: Sources) -> bool:
    """Whether there is a ring at all: nodes that are left when those that wait for none are gone.

    Kahn 1962, "Topological sorting of large networks".
    """
    users: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for node, inputs in sources.items():
        count = 0
        for source in inputs.values():
            if source[0] in sources:
                users.setdefault(source[0], []).append(node)
                count += 1
        waiting[node] = count
    ready = [node for node, count in waiting.items() if not count]
    for node in ready:
        for user in users.get(node, ()):
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    return len(ready) < len(sources)


class _Search:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.index: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.open: list[str] = []
        self.pending: set[str] = set()
        self.way: set[str] = set()
        self.stack: list[tuple[str, Iterator[tuple[str, Source]]]] = []
        self.back: dict[str, list[tuple[str, str]]] = {}
        self.found: list[Ring] = []

    def run(self, root: str) -> None:
        self.enter(root)
        while self.stack:
            node, inputs = self.stack[-1]
            for name, source in inputs:
                target = source.node
                if target not in self.sources:
                    continue
                if target not in self.index:
                    self.enter(target)
                    break
                if target in self.pending:
                    self.low[node] = min(self.low[node], self.index[target])
                if target in self.way:
                    self.back.setdefault(node, []).append((node, name))
            else:
                self.leave(node)

    def enter(self, node: str) -> None:
        self.index[node] = self.low[node] = len(self.index)
        self.open.append(node)
        self.pending.add(node)
        self.way.add(node)
        self.stack.append((node, iter(sorted(self.sources[node].items()))))

    def leave(self, node: str) -> None:
        self.stack.pop()
        self.way.discard(node)
        if self.stack:
            above = self.stack[-1][0]
            self.low[above] = min(self.low[above], self.low[node])
        if self.low[node] != self.index[node]:
            return
        members: list[str] = []
        while not members or members[-1] != node:
            members.append(self.open.pop())
            self.pending.discard(members[-1])
        wires = [wire for member in members for wire in self.back.get(member, ())]
        if wires:
            self.found.append(Ring(sorted(members), sorted(wires)))
