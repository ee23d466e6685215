"""Try fixes of conflicts out: solve what they change, and see whether the conflict is gone.

A workflow may hold hundreds of conflicts that are all alike. Two tries that differ in the ids of
nodes alone, in the same order, have one outcome, and it is computed once.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from graph.conflict import Conflict, conflicts
from graph.edits import apply
from graph.equations import solve
from graph.facts import Facts
from graph.problem import AddNode, Connect, Edit, Fix, SetValue, Statement
from graph.solve import Solution, Variable
from graph.statements import stated
from graph.workflow import PlacedNode, Workflow

BUDGET = 50_000
"""So many nodes at most are solved again to try fixes out, so that a check ends within seconds."""


class Tries:
    """Tries fixes out on one workflow, whose solution is given."""

    def __init__(self, facts: Facts, solution: Solution) -> None:
        self.facts = facts
        self.solution = solution
        self._budget = BUDGET
        self._before: dict[Any, int] = {}
        self._outcomes: dict[Any, bool] = {}
        self._overruled: dict[Variable, list[Variable]] = {}
        for link in solution.without:  # wires that a person allowed, which an edit may make count
            self._overruled.setdefault(link.start, []).append(link.end)
            self._overruled.setdefault(link.end, []).append(link.start)

    def mends(self, conflict: Conflict, fix: Fix) -> bool:
        """Whether there are fewer conflicts after the fix, and this one is gone.

        Only the part of the workflow is solved again that the edits may change.
        """
        if fix.statement is not None:
            return self._mends_if_said(conflict, fix.statement)
        edited = {edit.node for edit in fix.edits if not isinstance(edit, AddNode)}
        wires = [edit.wire for edit in fix.edits if isinstance(edit, Connect)]
        for edit in fix.edits:
            if isinstance(edit, AddNode):
                wires += edit.node.inputs.values()
        edited |= {wire.node for wire in wires} | {conflict.link.node, conflict.link.source[0]}
        part = self.part(edited, {edit.node for edit in fix.edits if isinstance(edit, SetValue)})
        added = [edit.id for edit in fix.edits if isinstance(edit, AddNode)]
        alike = _Alike(self.facts, [*part.nodes, *added])
        before = alike.nodes(part.nodes)
        place = (conflict.link.node, conflict.link.socket)
        key = before, alike.edits(fix.edits), alike.rank[place[0]], place[1]
        if key not in self._outcomes:
            self._budget -= len(part.nodes)
            if self._budget < 0:
                return False
            if before not in self._before:
                self._before[before] = len(conflicts(solve(self.facts.changed(part))))
            after = conflicts(solve(self.facts.changed(apply(part, fix.edits))))
            self._outcomes[key] = _mended(after, self._before[before], place)
        return self._outcomes[key]

    def _mends_if_said(self, conflict: Conflict, statement: Statement) -> bool:
        """The same for what is said of a file, which may be loaded anywhere."""
        self._budget -= len(self.facts.workflow.nodes)
        if self._budget < 0:
            return False
        after = conflicts(solve(stated(self.facts, statement)))
        return _mended(after, self._conflicts, (conflict.link.node, conflict.link.socket))

    @cached_property
    def _conflicts(self) -> int:
        """How many conflicts the workflow has."""
        return len(conflicts(self.solution))

    @cached_property
    def _resting(self) -> list[str]:
        """Nodes that do not run: bypassed ones pass things on."""
        return [id_ for id_, node in self.facts.workflow.nodes.items() if node.mode != "run"]

    def part(self, edited: set[str], reloaded: set[str]) -> Workflow:
        """The nodes whose spaces may change with those of the edited ones.

        A variable that a claim gives one space divides the workflow, as nothing goes through it;
        unless its node is `reloaded`, that is to say gets another file.
        """
        flow, solution = self.facts.workflow, self.solution
        variables = []
        for node in edited:
            kind = self.facts.type_of(node)
            variables += kind.variables(node) if kind is not None else []
        found = set(variables)
        while variables:
            variable = variables.pop()
            claim = solution.own_claim(variable)
            determined = claim is not None and len(claim.candidates or ()) == 1
            if determined and variable.node not in reloaded:
                continue
            near = [step.variable for step in solution.neighbours.get(variable, ())]
            near += self._overruled.get(variable, ())
            for other in near:
                if other not in found:
                    found.add(other)
                    variables.append(other)
        nodes = {variable.node for variable in found} | edited | {*self._resting}
        kept = {id_: flow.nodes[id_] for id_ in sorted(nodes) if id_ in flow.nodes}
        return flow.model_copy(update={"nodes": kept})


class _Alike:
    """Nodes and edits with each id replaced by its rank among the ids, so that equals are equal."""

    def __init__(self, facts: Facts, ids: list[str]) -> None:
        self.facts = facts
        self.rank = {id_: number for number, id_ in enumerate(sorted(ids))}

    def nodes(self, nodes: Mapping[str, PlacedNode]) -> tuple[Any, ...]:
        return tuple(self.node(id_, node) for id_, node in nodes.items())

    def node(self, id_: str, node: PlacedNode) -> tuple[Any, ...]:
        """All of a node that spaces hang on."""
        kind = self.facts.type(node.type)
        files = [
            self.facts.file(widget.folder or "", node.values.get(widget.name, widget.default))
            for widget in (kind.files if kind else ())
        ]
        wires = [
            (name, self.rank.get(wire.node, -1), wire.output, wire.allow)
            for name, wire in node.inputs.items()
        ]
        return self.rank[id_], node.type, node.mode, tuple(map(id, files)), tuple(wires)

    def edits(self, edits: tuple[Edit, ...]) -> tuple[Any, ...]:
        found: list[Any] = []
        for edit in edits:
            if isinstance(edit, AddNode):
                found.append(self.node(edit.id, edit.node))
            elif isinstance(edit, Connect):
                source = self.rank.get(edit.wire.node, -1), edit.wire.output, edit.wire.allow
                found.append((self.rank[edit.node], edit.socket, *source))
            elif isinstance(edit, SetValue):
                found.append((self.rank[edit.node], edit.name, edit.value))
            else:  # no fix of a conflict takes anything away
                found.append(id(edit))
        return tuple(found)


def _mended(after: list[Conflict], before: int, place: tuple[str, str]) -> bool:
    there = {(item.link.node, item.link.socket) for item in after}
    return len(after) < before and place not in there
