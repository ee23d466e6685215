"""Where a wire that a person drags may go, and which new nodes could take it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from graph.apart import Apart
from graph.definition import NodeDefinition, Term
from graph.equations import links_of, solve
from graph.facts import Facts
from graph.files import Files
from graph.modes import Source, variadic_number
from graph.node import CORE
from graph.node_type import NodeType
from graph.sentences import Sentences
from graph.solve import Candidates, Link, Variable
from graph.subgraphs import Flat
from graph.target_forms import Target, Targets, TypeTarget, shown_inputs, shown_outputs, worst
from graph.types import accepts
from graph.workflow import Workflow

__all__ = ["NoSuchSocket", "Target", "Targets", "TypeTarget", "targets"]


class NoSuchSocket(Exception):
    """The dragged wire begins at a node or socket that is not there."""


def targets(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    files: Files,
    node: str,
    *,
    output: str | None = None,
    input: str | None = None,
) -> Targets:
    """Where a wire from the node's output, or back from its input, may go. Raises `NoSuchSocket`.

    A wire that is at an input already is taken out first, since a new one replaces it. Nodes that
    stand for subgraphs are there with their own sockets, and all that is inside as "up/k".
    """
    if (output is None) == (input is None):
        raise ValueError("A drag begins at an output or at an input: give one of them.")
    flat = Flat(workflow, definitions)
    types = flat.interfaces.all()
    facts = Facts(flat.workflow, {**flat.definitions, **types}, files, flat.name)
    drag = _Drag(facts)
    if flat.is_same:
        if output is not None:
            return drag.from_output(Source(node, output))
        return drag.from_input(node, input or "")
    if output is not None:
        source = flat.given(node, output)
        if source is None:
            raise NoSuchSocket(f"The output '{output}' of node '{node}' gives nothing.")
        found = drag.from_output(source)
        return Targets((*found.targets, *shown_inputs(flat, found.targets, node)), found.types)
    answers = [drag.from_input(*socket) for socket in flat.fed(node, input or "")]
    if not answers:
        raise NoSuchSocket(f"Nothing inside node '{node}' takes its input '{input}'.")
    outputs = worst([answer.targets for answer in answers])
    return Targets((*outputs, *shown_outputs(flat, outputs, node)), answers[0].types)


class _Input(NamedTuple):
    """An input of a node; `base` is the variadic input that the wire "images.2" enters."""

    node: str
    name: str
    base: str
    term: Term
    list: bool


class _Drag:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.say = Sentences(facts)
        self.solution = solve(facts)
        self.apart = Apart(self.solution)

    def from_output(self, source: Source) -> Targets:
        given = self.facts.output(*source)
        if given is None:
            raise NoSuchSocket(f"There is no output '{source.output}' at node '{source.node}'.")
        before = self._reachable(source.node, self._sources())
        found = [
            self._judged(taken, source, taken.node in before, Target(taken.node, taken.name, True))
            for node in self.facts.workflow.nodes
            for taken in self._inputs(node)
        ]
        spaces = [self.solution.candidates(item) for item in self._given(source)]
        return Targets(tuple(found), self._takers(given.term, given.list, spaces))

    def from_input(self, node: str, name: str) -> Targets:
        taken = next((item for item in self._inputs(node) if name in (item.name, item.base)), None)
        kind = self.facts.type_of(node)
        slot = kind.slot(name) if kind is not None else None
        if slot is not None:
            taken = _Input(node, name, name, slot.term, slot.is_list)
        if taken is None:
            raise NoSuchSocket(f"There is no input '{name}' at node '{node}'.")
        after = self._reachable(node, self._users())
        found = []
        for other in self.facts.workflow.nodes:
            type_ = self.facts.type_of(other)
            for output in type_.definition.outputs if type_ else ():
                source = Source(other, output.name)
                target = Target(other, output.name, True)
                found.append(self._judged(taken, source, other in after, target))
        spaces = [
            self.apart.candidates(variable, self._wired(taken, k))
            for k, variable in enumerate(self.facts.wanted(taken.node, taken.name))
        ]
        return Targets(tuple(found), self._givers(taken, spaces))

    def _judged(self, taken: _Input, source: Source, ring: bool, target: Target) -> Target:
        """The target with the verdict on a wire from the source to the input."""
        code, reason = self._refusal(taken, source, ring)
        return Target(target.node, target.socket, not code, code, reason) if code else target

    def _refusal(self, taken: _Input, source: Source, ring: bool) -> tuple[str, str]:
        given = self.facts.output(*source)
        if given is None:
            return "unknown_output", "There is no such output."
        if not accepts(taken.term.kind, given.term.kind) or taken.list != given.list:
            wanted = self.say.kind(taken.term.kind, taken.list)
            got = self.say.kind(given.term.kind, given.list)
            return "wrong_type", f"This takes {wanted}, not {got}."
        if ring:
            return "cycle", "The nodes would wait for each other in a ring."
        lacking = self.facts.lacking(source, self.facts.half(taken.node, taken.base))
        if lacking is not None:
            return "missing_part", f"{lacking[0].name} has no {self.say.part(lacking[1])}."
        return self._space_refusal(taken, source)

    def _space_refusal(self, taken: _Input, source: Source) -> tuple[str, str]:
        for k, (start, end) in enumerate(
            zip(self._given(source), self.facts.wanted(taken.node, taken.name), strict=False)
        ):
            given, wanted = self.solution.candidates(start), self.solution.candidates(end)
            if _agree(given, wanted) and not self._disputed(start) and not self._disputed(end):
                continue
            link = self._wired(taken, k)
            given, wanted = self.apart.candidates(start, link), self.apart.candidates(end, link)
            if given is not None and wanted is not None and not _agree(given, wanted):
                first, second = self.say.spaces_apart(start.axis, given, wanted)
                return (
                    "space_mismatch",
                    f"This is {first}, and {self.say.node(taken.node)} needs {second}.",
                )
        return "", ""

    def _disputed(self, variable: Variable) -> bool:
        """Whether the claims on the variable contradict each other as things are."""
        component = self.solution.component(variable)
        return component is not None and component.candidates == ()

    def _wired(self, taken: _Input, index: int) -> Link | None:
        """The equation of the wire that is at the input now, if there is one."""
        source = self.facts.active.every.get(taken.node, {}).get(taken.name)
        links = links_of(self.facts, taken.node, taken.name, source) if source else ()
        return dict(enumerate(links)).get(index)

    def _given(self, source: Source) -> list[Variable]:
        return self.facts.given(self.facts.active.passed.get(source, source))

    def _inputs(self, node: str) -> Iterator[_Input]:
        """The inputs of a node; of a variadic one the first that is free."""
        kind, wired = self.facts.type_of(node), self.facts.node(node).inputs
        if kind is None:
            return
        for item in kind.definition.inputs:
            name = item.name
            if item.variadic:
                numbers = [variadic_number(wire, name) for wire in wired]
                free = 1 + max((number for number in numbers if number is not None), default=-1)
                name = f"{name}.{free}"
            yield _Input(node, name, item.name, item.term, item.list)
        for widget in kind.definition.widgets:
            if widget.wire is not None:
                yield _Input(node, widget.name, widget.name, Term(kind=widget.wire), False)

    def _sources(self) -> dict[str, list[str]]:
        nodes = self.facts.workflow.nodes.items()
        return {node: [wire.node for wire in placed.inputs.values()] for node, placed in nodes}

    def _users(self) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {}
        for node, sources in self._sources().items():
            for source in sources:
                users.setdefault(source, []).append(node)
        return users

    def _reachable(self, node: str, next_: Mapping[str, Sequence[str]]) -> set[str]:
        found: set[str] = set()
        waiting = [node]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting += next_.get(at, ())
        return found

    def _takers(
        self, given: Term, is_list: bool, spaces: Sequence[Candidates]
    ) -> tuple[TypeTarget, ...]:
        """The node types with an input for the output."""
        found: list[_Fitting] = []
        for type_ in self._types():
            sockets = [(item.name, item.term, item.list) for item in type_.definition.inputs]
            sockets += [
                (widget.name, Term(kind=widget.wire), False)
                for widget in type_.definition.widgets
                if widget.wire is not None
            ]
            found += [
                _Fitting(type_, name, term)
                for name, term, wants_list in sockets
                if accepts(term.kind, given.kind) and wants_list == is_list
            ]
        return _ranked(found, given.kind, spaces)

    def _givers(self, taken: _Input, spaces: Sequence[Candidates]) -> tuple[TypeTarget, ...]:
        """The node types with an output for the input."""
        found = [
            _Fitting(type_, item.name, item.term)
            for type_ in self._types()
            for item in type_.definition.outputs
            if accepts(taken.term.kind, item.term.kind) and item.list == taken.list
        ]
        return _ranked(found, taken.term.kind, spaces)

    def _types(self) -> Iterator[NodeType]:
        for name in self.facts.definitions:
            type_ = self.facts.type(name)
            if type_ is not None:
                yield type_


class _Fitting(NamedTuple):
    """A socket of a node type, of a kind that the dragged wire may have."""

    type: NodeType
    socket: str
    term: Term


def _ranked(
    found: Sequence[_Fitting], kind: str, spaces: Sequence[Candidates]
) -> tuple[TypeTarget, ...]:
    """One socket of each type: what fits first, then the same kind, then our own nodes."""

    def rank(item: _Fitting) -> tuple[bool, bool, bool, str]:
        definition = item.type.definition
        return (
            not _suits(item.term, spaces),
            item.term.kind != kind,
            definition.pack != CORE,
            definition.title,
        )

    best: dict[str, TypeTarget] = {}
    for item in sorted(found, key=rank):
        ok = _suits(item.term, spaces)
        type_ = item.type.definition.type
        best.setdefault(type_, TypeTarget(type_, item.socket, ok))
    return tuple(best.values())


def _suits(term: Term, spaces: Sequence[Candidates]) -> bool:
    """Whether what the signature fixes has a space in common with the dragged wire."""
    return all(
        _agree(argument.one_of, candidates)
        for argument, candidates in zip(term.arguments, spaces, strict=False)
    )


def _agree(left: Sequence[str] | None, right: Sequence[str] | None) -> bool:
    """Whether two sets of candidates have a space in common; an unknown one agrees with all."""
    return left is None or right is None or bool(set(left) & set(right))
