"""Turn a checked workflow into steps: what to compute, after what, and under which key.

A step's key is a SHA-256 over everything that its result follows from, so that equal key means
equal result: across runs, batches and browser tabs. The node's id is not in it: nodes that do the
same work are one step. A node that runs for its effect (Save Image), or whose results differ from
run to run, is its own step in each run: its key holds its id and the run's nonce.
"""

import hashlib
import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import NamedTuple

from graph.contents import Contents
from graph.definition import Json, NodeDefinition
from graph.files import Files
from graph.modes import Source, active_graph
from graph.step import Gathered, Origin, Shape, Step
from graph.subgraphs import Flat
from graph.workflow import PlacedNode, Workflow

Bindings = Mapping[str, Mapping[str, Sequence[str] | None]]
"""What the checker found: node id → type variable → candidate space ids (None: any)."""


Engine = str | Callable[[NodeDefinition], str]
"""What results follow from beside the workflow: one for all types of node, or one for each."""


class Unplannable(ValueError):
    """A workflow that the checker would have refused; the sentence says why."""


class Forecast(NamedTuple):
    """How many nodes of a plan are kept, how many will run, how many run only if asked for."""

    cached: int
    to_run: int
    lazy: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps by key, each after the steps it reads; `keys` leads from node ids to them.

    `wanted` are the ids of the nodes that the plan is for. `nonce` tells runs apart.
    """

    steps: dict[str, Step]
    keys: dict[str, str]
    wanted: tuple[str, ...]
    nonce: str

    def cached(self, cache: Container[str]) -> Forecast:
        """What running the plan with the cache would cost."""
        counts = {"cached": 0, "to_run": 0, "lazy": 0}
        for key, fate in self._fates(cache).items():
            counts[fate] += len(self.steps[key].nodes)
        return Forecast(**counts)

    def to_run(self, cache: Container[str]) -> list[str]:
        """The keys of the steps that running the plan with the cache would compute for certain."""
        return [key for key, fate in self._fates(cache).items() if fate == "to_run"]

    def _fates(self, cache: Container[str]) -> dict[str, str]:
        """What becomes of each step that counts, by the names of a `Forecast`."""
        wanted = [self.keys[node] for node in self.wanted]
        asked, needed, possible = set(wanted), set(wanted), set(wanted)
        fates: dict[str, str] = {}
        for key in reversed(self.steps):
            step = self.steps[key]
            if key in asked:
                asked.update(step.needs)
            if key in possible and key not in cache:
                possible.update(step.sources)
                if key in needed:
                    needed.update(step.needs)
                fates[key] = "to_run" if key in needed else "lazy"
            elif key in asked:
                fates[key] = "cached"
        return fates


def plan(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    bindings: Bindings,
    *,
    wanted: Sequence[str] | None = None,
    files: Files,
    engine: Engine,
    nonce: str | None = None,
) -> Plan:
    """The steps that give the wanted nodes; by default those whose definition says `output`.

    `engine` is whatever else results follow from: version, precision, device kind; it may differ
    from one type of node to the next. `nonce` is given only to plan more of a run that has begun.
    Raises `Unplannable`.

    Subgraphs are planned as what is inside: "up/k" is the node "k" inside the node "up".
    """
    flat = Flat(workflow, definitions)
    workflow, definitions = flat.workflow, flat.definitions
    wanted = None if wanted is None else flat.wanted(wanted)
    planner = _Planner(workflow, definitions, bindings, files, engine, nonce or token_hex(8))
    return planner.plan(wanted)


class _Planner:
    def __init__(
        self,
        workflow: Workflow,
        definitions: Mapping[str, NodeDefinition],
        bindings: Bindings,
        files: Files,
        engine: Engine,
        nonce: str,
    ) -> None:
        self.nodes = workflow.nodes
        active = active_graph(workflow, definitions)
        self.active = frozenset(active.nodes)
        self.inputs = active.inputs
        self.definitions = definitions
        self.bindings = bindings
        self.contents = Contents(files)
        self.engine = engine
        self.nonce = nonce
        self.steps: dict[str, Step] = {}
        self.keys: dict[str, str] = {}
        self.gathered: dict[str, Gathered] = {}
        self.shapes: dict[str, Shape] = {}
        self.digests: dict[str, hashlib._Hash] = {}

    def plan(self, wanted: Sequence[str] | None) -> Plan:
        if wanted is None:
            wanted = [
                node
                for node, placed in self.nodes.items()
                if node in self.active and self.shape(node, placed.type).definition.output
            ]
        for node in wanted:
            if node not in self.active:
                raise Unplannable(self.inactive(node))
            self.visit(node)
        return Plan(self.steps, self.keys, tuple(dict.fromkeys(wanted)), self.nonce)

    def visit(self, root: str) -> None:
        """Make the steps of `root` and all that it hangs on, deepest first.

        Depth first: a branch is finished before the next one begins, so that few values are held at
        a time. A stack of our own, since graphs are deeper than Python's.
        """
        keys, gathered = self.keys, self.gathered
        stack = [root]
        while stack:
            node = stack[-1]
            if node in keys:
                stack.pop()
            elif node in gathered:
                self.add(stack.pop())
            else:
                stack.extend(self.open(node))

    def open(self, node: str) -> list[str]:
        """Gather the node's wires; the nodes that must be planned before it, last one first."""
        placed = self.nodes[node]
        gathered = self.shape(node, placed.type).gather(self.inputs[node])
        self.gathered[node] = gathered
        before = [source.node for source in _flat(gathered) if source.node not in self.keys]
        for source in before:
            if source in self.gathered:
                raise Unplannable(
                    f"{_titled(source, self.nodes)} hangs on its own result: remove a wire."
                )
            if source not in self.active:
                raise Unplannable(self.inactive(source))
        before.reverse()
        return before

    def add(self, node: str) -> None:
        """Make the node's step, or join it to the one that does the same."""
        placed = self.nodes[node]
        shape = self.shapes[placed.type]
        keys = self.keys
        wires: dict[str, Origin | list[Origin]] = {}
        sources: list[str] = []
        needs = sources if not shape.lazy else []
        for name, fed in self.gathered.pop(node):
            if isinstance(fed, list):
                several = [Origin(keys[source.node], source.output) for source in fed]
                wires[name] = several
                found = [origin.key for origin in several]
            else:
                origin = Origin(keys[fed.node], fed.output)
                wires[name] = origin
                found = [origin.key]
            sources += found
            if needs is not sources and name not in shape.lazy:
                needs += found
        values = shape.hold(placed.values, wires)
        contents = self.contents.of(shape, values) if shape.files else _NOTHING
        named = self.contents.named(shape, values) if shape.prompts else _NOTHING
        # What a prompt says that comes along a wire is not known yet: it may name any embedding.
        wired = any(prompt in wires for prompt in shape.prompts)
        embeddings = self.contents.embeddings() if wired else named
        bound = self.bindings.get(node)
        content: tuple[Json, ...] = (values, contents, _plain(bound), wires)
        key = self.key(node, placed, (*content, embeddings) if embeddings else content)
        keys[node] = key
        step = self.steps.get(key)
        if step is not None:
            step.nodes.append(node)
            return
        title = placed.title or shape.definition.title
        spaces = self.spaces(title, shape, bound) if shape.definition.spaces else _NOTHING
        self.steps[key] = Step(
            key, [node], title, shape, values, contents, named, spaces, wires, sources, needs
        )

    def key(self, node: str, placed: PlacedNode, content: tuple[Json, ...]) -> str:
        digest = self.digests[placed.type].copy()
        if self.shapes[placed.type].unique:
            content = (*content, node, self.nonce)
        digest.update(_encode(content).encode())
        return digest.hexdigest()

    def shape(self, node: str, type_: str) -> Shape:
        shape = self.shapes.get(type_)
        if shape is None:
            definition = self.definitions.get(type_)
            if definition is None:
                raise Unplannable(
                    f"{_titled(node, self.nodes)} is of the unknown type {type_!r}: "
                    "install the node pack that it comes from, or remove the node."
                )
            shape = self.shapes[type_] = Shape(definition)
            engine = self.engine if isinstance(self.engine, str) else self.engine(definition)
            about = [engine, definition.type, definition.version, definition.source]
            self.digests[type_] = hashlib.sha256(_encode(about).encode())
        return shape

    def spaces(
        self, title: str, shape: Shape, bound: Mapping[str, Sequence[str] | None] | None
    ) -> dict[str, str]:
        """The space of each parameter that takes one."""
        found: dict[str, str] = {}
        for space in shape.definition.spaces:
            candidates = (bound or {}).get(space.variable)
            if candidates is None or len(candidates) != 1:
                raise Unplannable(
                    f"The {space.axis} space of {title} is not known: "
                    "wire it to a node that says it."
                )
            found[space.name] = candidates[0]
        return found

    def inactive(self, node: str) -> str:
        if node not in self.nodes:
            return f"There is no node {node!r} in the workflow."
        return f"{_titled(node, self.nodes)} cannot run: it, or what it hangs on, is muted."


_NOTHING: Mapping[str, str] = {}  # shared, since every container costs the garbage collector

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def _flat(gathered: Gathered) -> Iterable[Source]:
    for _, fed in gathered:
        if isinstance(fed, list):
            yield from fed
        else:
            yield fed


def _plain(bound: Mapping[str, Sequence[str] | None] | None) -> Json:
    """Bindings in the one form that keys are made of: the order of candidates does not matter."""
    if not bound:
        return None
    return {
        variable: None if candidates is None else sorted(candidates)
        for variable, candidates in bound.items()
    }


def _titled(node: str, nodes: Mapping[str, PlacedNode]) -> str:
    placed = nodes[node]
    return f"{placed.title or placed.type} ({node})"
