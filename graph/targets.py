"""Where a wire that a person drags may go, and which new nodes could take it."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from graph.apart import Apart
from graph.definition import NodeDefinition, OutputDefinition, Term
from graph.facts import Facts
from graph.files import Files
from graph.modes import Source, variadic_number
from graph.node_type import NodeType
from graph.offers import agree, givers, takers
from graph.recent import Recent, Solved
from graph.sentences import Sentences
from graph.solve import Link, Variable
from graph.subgraphs import Flat
from graph.target_forms import Target, Targets, TypeTarget, shown_inputs, shown_outputs, worst
from graph.types import accepts
from graph.words import t
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
    recent: Recent | None = None,
) -> Targets:
    """Where a wire from the node's output, or back from its input, may go. Raises `NoSuchSocket`.

    A wire that is at an input already is taken out first, since a new one replaces it. Nodes that
    stand for subgraphs are there with their own sockets, and all that is inside as "up/k". `recent`
    remembers what checks found out.
    """
    if (output is None) == (input is None):
        raise ValueError("A drag begins at an output or at an input: give one of them.")
    flat = Flat(workflow, definitions)
    types = flat.interfaces.all()
    facts = Facts(flat.workflow, {**flat.definitions, **types}, files, flat.name)
    drag = _Drag((recent or Recent()).solved(facts))
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


Refusal = tuple[str, str]
"""The code of what is wrong with a wire, and why in words."""

FITS: Refusal = ("", "")


class _Input(NamedTuple):
    """An input of a node type; `base` is the variadic input that the wire "images.2" enters."""

    name: str
    base: str
    term: Term
    list: bool


class _Drag:
    def __init__(self, solved: Solved) -> None:
        self.facts = solved.facts
        self.say = Sentences(self.facts)
        self.solution = solved.solution
        self.apart = Apart(self.solution)
        self._refusals: dict[tuple[str, bool, str, bool], Refusal] = {}
        self._plain: dict[NodeType, list[_Input]] = {}

    def from_output(self, source: Source) -> Targets:
        given = self.facts.output(*source)
        if given is None:
            raise NoSuchSocket(f"There is no output '{source.output}' at node '{source.node}'.")
        before = self._reachable(source.node, self._sources)
        found = []
        for node in self.facts.workflow.nodes:
            for taken in self._inputs(node):
                refusal = self._kinds_refusal(taken, given)
                if refusal is FITS:
                    refusal = self._refusal(node, taken, source, node in before)
                found.append(Target(node, taken.name, not refusal[0], *refusal))
        spaces = [self.solution.candidates(item) for item in self._given(source)]
        return Targets(tuple(found), takers(self.facts, given.term, given.list, spaces))

    def from_input(self, node: str, name: str) -> Targets:
        taken = next((item for item in self._inputs(node) if name in (item.name, item.base)), None)
        kind = self.facts.type_of(node)
        slot = kind.slot(name) if kind is not None else None
        if slot is not None:
            taken = _Input(name, name, slot.term, slot.is_list)
        if taken is None:
            raise NoSuchSocket(f"There is no input '{name}' at node '{node}'.")
        after = self._reachable(node, self._users())
        found = []
        for other in self.facts.workflow.nodes:
            type_ = self.facts.type_of(other)
            for output in type_.definition.outputs if type_ else ():
                refusal = self._kinds_refusal(taken, output)
                if refusal is FITS:
                    source = Source(other, output.name)
                    refusal = self._refusal(node, taken, source, other in after)
                found.append(Target(other, output.name, not refusal[0], *refusal))
        spaces = [
            self.apart.candidates(variable, self._wired(node, taken, k))
            for k, variable in enumerate(self.facts.wanted(node, taken.name))
        ]
        return Targets(tuple(found), givers(self.facts, taken.term, taken.list, spaces))

    def _kinds_refusal(self, taken: _Input, given: OutputDefinition) -> Refusal:
        """What is wrong between the kinds alone; most sockets are of another one."""
        key = taken.term.kind, taken.list, given.term.kind, given.list
        if key not in self._refusals:
            fits = accepts(taken.term.kind, given.term.kind) and taken.list == given.list
            wanted = self.say.kind(taken.term.kind, taken.list)
            got = self.say.kind(given.term.kind, given.list)
            wrong = "wrong_type", t("This takes {wanted}, not {got}.", wanted=wanted, got=got)
            self._refusals[key] = FITS if fits else wrong
        return self._refusals[key]

    def _refusal(self, node: str, taken: _Input, source: Source, ring: bool) -> Refusal:
        if ring:
            return "cycle", t("The nodes would wait for each other in a ring.")
        lacking = self.facts.lacking(source, self.facts.half(node, taken.base))
        if lacking is not None:
            return "missing_part", t(
                "{name} has no {part}.", name=lacking[0].name, part=self.say.part(lacking[1])
            )
        return self._space_refusal(node, taken, source)

    def _space_refusal(self, node: str, taken: _Input, source: Source) -> Refusal:
        for k, (start, end) in enumerate(
            zip(self._given(source), self.facts.wanted(node, taken.name), strict=False)
        ):
            given, wanted = self.solution.candidates(start), self.solution.candidates(end)
            if agree(given, wanted) and not self._disputed(start) and not self._disputed(end):
                continue
            link = self._wired(node, taken, k)
            given, wanted = self.apart.candidates(start, link), self.apart.candidates(end, link)
            if given is not None and wanted is not None and not agree(given, wanted):
                first, second = self.say.spaces_apart(start.axis, given, wanted)
                return (
                    "space_mismatch",
                    t(
                        "This is {first}, and {node} needs {second}.",
                        first=first,
                        node=self.say.node(node),
                        second=second,
                    ),
                )
        return FITS

    def _disputed(self, variable: Variable) -> bool:
        """Whether the claims on the variable contradict each other as things are."""
        component = self.solution.component(variable)
        return component is not None and component.candidates == ()

    def _wired(self, node: str, taken: _Input, index: int) -> Link | None:
        """The equation of the wire that is at the input now, if there is one."""
        source = self.facts.active.every.get(node, {}).get(taken.name)
        links = self.facts.links(node, taken.name, source) if source else ()
        return dict(enumerate(links)).get(index)

    def _given(self, source: Source) -> list[Variable]:
        return self.facts.given(self.facts.active.passed.get(source, source))

    def _inputs(self, node: str) -> Sequence[_Input]:
        """The inputs of a node; of a variadic one the first that is free."""
        kind = self.facts.type_of(node)
        if kind is None:
            return ()
        if kind.variadic:
            return _inputs_of(kind, self.facts.node(node).inputs)
        if kind not in self._plain:
            self._plain[kind] = _inputs_of(kind, ())
        return self._plain[kind]

    @cached_property
    def _sources(self) -> dict[str, list[str]]:
        nodes = self.facts.workflow.nodes.items()
        return {node: [wire.node for wire in placed.inputs.values()] for node, placed in nodes}

    def _users(self) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {}
        for node, sources in self._sources.items():
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


def _inputs_of(kind: NodeType, wired: Collection[str]) -> list[_Input]:
    """The inputs of a node of the type, at whose inputs `wired` there are wires."""
    found = []
    for item in kind.definition.inputs:
        name = item.name
        if item.variadic:
            numbers = [variadic_number(wire, name) for wire in wired]
            free = 1 + max((number for number in numbers if number is not None), default=-1)
            name = f"{name}.{free}"
        found.append(_Input(name, item.name, item.term, item.list))
    for widget in kind.definition.widgets:
        if widget.wire is not None:
            term = kind.taken[widget.name].term
            found.append(_Input(widget.name, widget.name, term, False))
    return found
