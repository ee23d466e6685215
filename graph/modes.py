"""What a workflow's modes leave: which nodes run, and where each input really comes from.

A muted node does not run, and neither does what hangs on it. A bypassed node passes, for each
output, the first of its inputs whose type unifies with that output's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from graph.definition import NodeDefinition, Term
from graph.types import accepts
from graph.workflow import PlacedNode, Wire, Workflow


class Source(NamedTuple):
    """Where a value comes from."""

    node: str
    output: str


class Blocked(NamedTuple):
    """An input that gets nothing because a bypassed node has nothing to pass for that output."""

    node: str
    input: str
    bypassed: str
    output: str


@dataclass(frozen=True)
class ActiveGraph:
    """The wires between the nodes whose mode is "run", with bypassed nodes taken out.

    `inputs` maps each node that runs, in the workflow's order, to its inputs' sources ("name.0" and
    so on for variadic ones); `every` does so too for the nodes that hang on a muted one, and
    `hanging` says on which. `blocked` are the inputs that a bypass leaves empty, and `passed` says
    what each output of a bypassed node passes.
    """

    inputs: Mapping[str, Mapping[str, Source]]
    every: Mapping[str, Mapping[str, Source]]
    hanging: Mapping[str, str]
    blocked: tuple[Blocked, ...]
    passed: Mapping[Source, Source]

    @property
    def nodes(self) -> Collection[str]:
        """The ids of the nodes that run."""
        return self.inputs.keys()

    def source(self, node: str, input: str) -> Source | None:
        """The output that really feeds the input, or None where nothing does."""
        return self.inputs.get(node, {}).get(input)

    def ancestors(self, wanted: Iterable[str]) -> set[str]:
        """The wanted nodes and everything they are computed from."""
        found: set[str] = set()
        waiting = list(wanted)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += [source.node for source in self.every.get(node, {}).values()]
        return found


def active_graph(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    before: tuple[Workflow, ActiveGraph] | None = None,
) -> ActiveGraph:
    """The graph that is left when muted nodes and bypassed nodes are taken out.

    Wires from nodes that are not there lead nowhere; `graph.check` reports them. The sources of
    nodes that are the very same are taken from a workflow `before`.
    """
    bypass = _Bypass(workflow, definitions)
    known = _known_sources(workflow, *before) if before else {}
    every: dict[str, Mapping[str, Source]] = {}
    blocked: list[Blocked] = []
    passed: dict[Source, Source] = {}
    for node, placed in workflow.nodes.items():
        if placed.mode == "bypass" and placed.type in definitions:
            for output in definitions[placed.type].outputs:
                source, _ = bypass.resolve(Wire(node=node, output=output.name))
                if source:
                    passed[Source(node, output.name)] = source
        if placed.mode != "run":
            continue
        if node in known:
            every[node] = known[node]
            continue
        sources = every[node] = dict[str, Source]()
        for name, wire in placed.inputs.items():
            giver = workflow.nodes.get(wire.node)
            if giver is not None and giver.mode != "bypass":
                sources[name] = Source(wire.node, wire.output)
                continue
            source, stuck = bypass.resolve(wire)
            if source:
                sources[name] = source
            elif stuck:
                blocked.append(Blocked(node, name, stuck.node, stuck.output))
    hanging = _hanging(workflow, every)
    inputs = {node: sources for node, sources in every.items() if node not in hanging}
    return ActiveGraph(inputs, every, hanging, tuple(blocked), passed)


def _known_sources(
    workflow: Workflow, before: Workflow, graph: ActiveGraph
) -> Mapping[str, Mapping[str, Source]]:
    """The sources of the nodes that are as before, with givers as before, where none is bypassed.

    A wire that led nowhere may lead to a node that is new.
    """
    now = workflow.nodes
    if not before.nodes.keys() <= now.keys() or any(
        placed.mode == "bypass" for nodes in (before.nodes, now) for placed in nodes.values()
    ):
        return {}
    return {
        id_: sources
        for id_, sources in graph.every.items()
        if (placed := before.nodes[id_]) is now[id_] and len(sources) == len(placed.inputs)
    }


def passed_input(definition: NodeDefinition, placed: PlacedNode, output: str) -> str | None:
    """The name of the wired input that a bypassed node passes for `output`, or None."""
    given = next((item for item in definition.outputs if item.name == output), None)
    if given is None:
        return None
    for taken in definition.inputs:
        names = _wired_names(placed, taken.name) if taken.variadic else [taken.name]
        wired = names and names[0] in placed.inputs
        if wired and taken.list == given.list and _unifies(given.term, taken.term):
            return names[0]
    for widget in definition.widgets:
        kind = widget.wire
        if kind and widget.name in placed.inputs and accepts(given.term.kind, kind):
            return None if given.list else widget.name
    return None


def variadic_number(name: str, base: str) -> int | None:
    """The k of "base.k", or None where `name` is no such name."""
    head, dot, tail = name.rpartition(".")
    return int(tail) if dot and head == base and tail.isascii() and tail.isdigit() else None


def _wired_names(placed: PlacedNode, base: str) -> list[str]:
    """The names of a variadic input's wires, in the order of their numbers."""
    numbered = [(variadic_number(name, base), name) for name in placed.inputs]
    return [name for number, name in sorted((k, name) for k, name in numbered if k is not None)]


def _unifies(output: Term, input: Term) -> bool:
    """Whether what may enter the input may leave by the output, as far as signatures say."""
    if not accepts(output.kind, input.kind):
        return False
    pairs = zip(output.arguments, input.arguments, strict=False)
    return all(
        left.one_of is None or right.one_of is None or set(left.one_of) & set(right.one_of)
        for left, right in pairs
    )


class _Bypass:
    """Follows wires through bypassed nodes, remembering what it found."""

    def __init__(self, workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> None:
        self.workflow = workflow
        self.definitions = definitions
        self.found: dict[Source, tuple[Source | None, Source | None]] = {}

    def resolve(self, wire: Wire) -> tuple[Source | None, Source | None]:
        """The real source and None, or None and the bypassed output that has nothing to pass."""
        at = Source(wire.node, wire.output)
        on_the_way: dict[Source, None] = {}
        result: tuple[Source | None, Source | None]
        while True:
            placed = self.workflow.nodes.get(at.node)
            if placed is None:
                result = None, None
            elif placed.mode != "bypass":
                result = at, None
            elif at in self.found:
                result = self.found[at]
            elif at in on_the_way:  # bypassed nodes in a ring pass nothing
                result = None, at
            else:
                on_the_way[at] = None
                definition = self.definitions.get(placed.type)
                name = definition and passed_input(definition, placed, at.output)
                if name:
                    at = Source(placed.inputs[name].node, placed.inputs[name].output)
                    continue
                result = None, at
            break
        self.found.update(dict.fromkeys(on_the_way, result))
        return result


def _hanging(workflow: Workflow, inputs: Mapping[str, Mapping[str, Source]]) -> dict[str, str]:
    """Each node that needs a muted node, at once or through others, and which one."""
    waiting = [(node, node) for node, placed in workflow.nodes.items() if placed.mode == "mute"]
    if not waiting:
        return {}
    users: dict[str, list[str]] = defaultdict(list)
    for node, sources in inputs.items():
        for source in sources.values():
            users[source.node].append(node)
    found: dict[str, str] = {}
    while waiting:
        node, muted = waiting.pop()
        for user in users[node]:
            if user not in found:
                found[user] = muted
                waiting.append((user, muted))
    return found
