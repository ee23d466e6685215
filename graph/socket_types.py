"""What each socket of a workflow carries, in the form that the editor draws."""

from typing import Any

from graph.definition import Axis
from graph.facts import Facts
from graph.modes import Source
from graph.node_type import NodeType, Slot
from graph.problem import Certainty
from graph.solve import Candidates, Solution, Variable

SocketType = dict[str, Any]
"""{"kind", "spaces": [{"axis", "candidates": [id] or null, "certainty"}]}"""

SocketTypes = dict[str, dict[str, SocketType]]
"""{"inputs": {name: SocketType}, "outputs": {name: SocketType}}"""


def socket_types(facts: Facts, solution: Solution) -> dict[str, SocketTypes]:
    """The types of all sockets of nodes whose type is known.

    A variadic input is there under its name and under each wire's ("images", "images.0"), a widget
    where it is wired. A bypassed node shows what it passes. Nodes of equal types share one object.
    """
    drawn = _Drawn(facts, solution)
    return {
        node: drawn.node(node, kind)
        for node in facts.workflow.nodes
        if (kind := facts.type_of(node)) is not None
    }


class _Drawn:
    def __init__(self, facts: Facts, solution: Solution) -> None:
        self.facts = facts
        self.solution = solution
        self.spaces: dict[tuple[Axis, Candidates, Certainty], dict[str, Any]] = {}
        self.alike: dict[int, dict[str, Any]] = {}
        self.known: dict[tuple[Any, ...], SocketTypes] = {}

    def node(self, node: str, kind: NodeType) -> SocketTypes:
        placed = self.facts.node(node)
        if placed.mode == "bypass":
            types = self.types(node, kind)
            self.show_passed(node, types)
            return types
        spaces = [id(self.space(variable)) for variable in kind.everything(node)]
        # Of nodes with other wires only the names of these differ: "images.0", a wired widget.
        wired = () if kind.fixed_inputs else tuple(placed.inputs)
        key = (kind, wired, *spaces)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.types(node, kind)
        return found

    def types(self, node: str, kind: NodeType) -> SocketTypes:
        """The types of a node's sockets, made anew."""
        types: SocketTypes = {"inputs": {}, "outputs": {}}
        for name in kind.inputs:
            types["inputs"][name] = self.slot(kind.taken[name], node)
        for name in self.facts.node(node).inputs:
            slot = kind.slot(name) if name not in kind.inputs else None
            if slot is not None:
                types["inputs"][name] = self.slot(slot, node)
        for name, given in kind.given.items():
            types["outputs"][name] = self.slot(given, node)
        return types

    def slot(self, slot: Slot, node: str) -> SocketType:
        """The type of one socket."""
        spaces = [self.space(variable) for variable in slot.at(node)]
        return {"kind": slot.term.kind, "spaces": spaces}

    def space(self, variable: Variable) -> dict[str, Any]:
        """What is known of a variable: one object for all of which the same is known."""
        component = self.solution.component(variable)
        if component is None or not component.uniform:
            return self.told(variable)
        found = self.alike.get(id(component))
        if found is None:
            found = self.alike[id(component)] = self.told(variable)
        return found

    def told(self, variable: Variable) -> dict[str, Any]:
        candidates = self.solution.candidates(variable)
        key = variable.axis, candidates, self.solution.certainty(variable)
        found = self.spaces.get(key)
        if found is None:
            found = self.spaces[key] = {
                "axis": variable.axis,
                "candidates": None if candidates is None else list(candidates),
                "certainty": key[2],
            }
        return found

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
