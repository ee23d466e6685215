"""What each socket of a workflow carries, in the form that the editor draws."""

from typing import Any

from graph.definition import Term
from graph.equations import variables_of
from graph.facts import Facts
from graph.modes import Source
from graph.solve import Solution

SocketType = dict[str, Any]
"""{"kind", "spaces": [{"axis", "candidates": [id] or null, "certainty"}]}"""

SocketTypes = dict[str, dict[str, SocketType]]
"""{"inputs": {name: SocketType}, "outputs": {name: SocketType}}"""


def socket_types(facts: Facts, solution: Solution) -> dict[str, SocketTypes]:
    """The types of all sockets of nodes whose type is known.

    A variadic input is there under its name and under each wire's ("images", "images.0"). A
    bypassed node shows what it passes.
    """
    return {
        node: _of_node(facts, solution, node)
        for node in facts.workflow.nodes
        if facts.type_of(node) is not None
    }


def socket_type(solution: Solution, term: Term, node: str, socket: str, side: str) -> SocketType:
    """The type of one socket; `side` is "in" or "out"."""
    spaces = []
    for variable in variables_of(term, node, socket, side):
        candidates = solution.candidates(variable)
        spaces.append(
            {
                "axis": variable.axis,
                "candidates": None if candidates is None else list(candidates),
                "certainty": solution.certainty(variable),
            }
        )
    return {"kind": term.kind, "spaces": spaces}


def _of_node(facts: Facts, solution: Solution, node: str) -> SocketTypes:
    kind, placed = facts.type_of(node), facts.node(node)
    inputs: dict[str, SocketType] = {}
    outputs: dict[str, SocketType] = {}
    if kind is None:
        return {"inputs": inputs, "outputs": outputs}
    for item in kind.definition.inputs:
        inputs[item.name] = socket_type(solution, item.term, node, item.name, "in")
    for name in placed.inputs:
        taken = kind.taken(name)
        if name not in inputs and taken is not None:
            base = name if name in kind.widgets else name.rpartition(".")[0]
            inputs[name] = socket_type(solution, taken[0], node, base, "in")
    for output in kind.definition.outputs:
        outputs[output.name] = socket_type(solution, output.term, node, output.name, "out")
    if placed.mode == "bypass":
        _show_passed(facts, solution, node, inputs, outputs)
    return {"inputs": inputs, "outputs": outputs}


def _show_passed(
    facts: Facts,
    solution: Solution,
    node: str,
    inputs: dict[str, SocketType],
    outputs: dict[str, SocketType],
) -> None:
    """Replace the types of a bypassed node, which has no equations, by those of what it passes."""
    passed = facts.active.passed
    for name in outputs:
        source = passed.get(Source(node, name))
        output = facts.output(*source) if source else None
        if source and output:
            outputs[name] = socket_type(solution, output.term, *source, "out")
    for name, wire in facts.node(node).inputs.items():
        direct = Source(wire.node, wire.output)
        source = passed.get(direct, direct)
        output = facts.output(*source)
        if name in inputs and output is not None:
            inputs[name] = socket_type(solution, output.term, *source, "out")
