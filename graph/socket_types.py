"""What each socket of a workflow carries, in the form that the editor draws."""

from typing import Any

from graph.facts import Facts
from graph.modes import Source
from graph.node_type import Slot
from graph.solve import Solution, Variable

SocketType = dict[str, Any]
"""{"kind", "spaces": [{"axis", "candidates": [id] or null, "certainty"}]}"""

SocketTypes = dict[str, dict[str, SocketType]]
"""{"inputs": {name: SocketType}, "outputs": {name: SocketType}}"""


def socket_types(facts: Facts, solution: Solution) -> dict[str, SocketTypes]:
    """The types of all sockets of nodes whose type is known.

    A variadic input is there under its name and under each wire's ("images", "images.0"), a widget
    where it is wired. A bypassed node shows what it passes.
    """
    drawn = _Drawn(facts, solution)
    return {
        node: drawn.node(node) for node in facts.workflow.nodes if facts.type_of(node) is not None
    }


class _Drawn:
    def __init__(self, facts: Facts, solution: Solution) -> None:
        self.facts = facts
        self.solution = solution
        self.spaces: dict[Variable, dict[str, Any]] = {}

    def node(self, node: str) -> SocketTypes:
        kind, placed = self.facts.type_of(node), self.facts.node(node)
        types: SocketTypes = {"inputs": {}, "outputs": {}}
        if kind is None:
            return types
        for name in kind.inputs:
            types["inputs"][name] = self.slot(kind.taken[name], node)
        for name in placed.inputs:
            slot = kind.slot(name) if name not in kind.inputs else None
            if slot is not None:
                types["inputs"][name] = self.slot(slot, node)
        for name, given in kind.given.items():
            types["outputs"][name] = self.slot(given, node)
        if placed.mode == "bypass":
            self.show_passed(node, types)
        return types

    def slot(self, slot: Slot, node: str) -> SocketType:
        """The type of one socket."""
        spaces = [self.space(variable) for variable in slot.at(node)]
        return {"kind": slot.term.kind, "spaces": spaces}

    def space(self, variable: Variable) -> dict[str, Any]:
        if variable not in self.spaces:
            candidates = self.solution.candidates(variable)
            self.spaces[variable] = {
                "axis": variable.axis,
                "candidates": None if candidates is None else list(candidates),
                "certainty": self.solution.certainty(variable),
            }
        return self.spaces[variable]

    def show_passed(self, node: str, types: SocketTypes) -> None:
        """Replace the types of a bypassed node, which has no equations, by what it passes."""
        passed = self.facts.active.passed
        for name in types["outputs"]:
            self.show(types["outputs"], name, passed.get(Source(node, name)))
        for name, wire in self.facts.node(node).inputs.items():
            source = Source(wire.node, wire.output)
            self.show(types["inputs"], name, passed.get(source, source))

    def show(self, sockets: dict[str, SocketType], name: str, source: Source | None) -> None:
        kind = self.facts.type_of(source.node) if source else None
        slot = kind.given.get(source.output) if source and kind else None
        if source and slot and name in sockets:
            sockets[name] = self.slot(slot, source.node)
