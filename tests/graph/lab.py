"""Where tests plan and run workflows of `tests.graph.arithmetic` as a worker would."""

import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from graph.cache import ResultCache
from graph.cancel import Cancel
from graph.check import check
from graph.definition import Axis, OutputDefinition
from graph.events import Event, NodeChanged
from graph.execute import Call, Outcome, execute
from graph.expand import Expander
from graph.files import EmbeddingFit, FileFacts, Mentioned
from graph.plan import Bindings, Plan, Unplannable, plan
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.arithmetic import DEFINITIONS, REGISTRY, Box

Nodes = Mapping[str, PlacedNode] | Workflow


class Boxes:
    """The files of a test: their contents by name."""

    def __init__(self, **contents: str) -> None:
        self.contents = contents

    def facts(self, folder: str, name: str) -> FileFacts | None:
        if folder != "boxes" or name not in self.contents:
            return None
        return FileFacts(name=name, kind="box", content=self.contents[name])

    def names(self, folder: str) -> Sequence[str]:
        return sorted(self.contents)

    def space_title(self, axis: Axis, space: str) -> str:
        return space

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        return True

    def mentioned(self, text: str) -> Sequence[Mentioned]:
        return ()

    def embeddings(self) -> Mapping[str, str]:
        return {}

    def embedding_fit(self, file: str, space: str, prompt: str) -> EmbeddingFit:
        return EmbeddingFit(True)


def placed(type_: str, *, mode: str = "run", title: str = "", values: Any = None, **inputs: str):
    """A node whose wires are written "node" or "node.output"; `items_0` is the input "items.0"."""
    wires = {}
    for name, source in inputs.items():
        base, _, number = name.rpartition("_")
        from_node, _, output = source.partition(".")
        socket = f"{base}.{number}" if number.isdigit() else name
        wires[socket] = Wire(node=from_node, output=output or "box")
    return PlacedNode(type=type_, mode=mode, title=title, values=values or {}, inputs=wires)


def boxed(number: int) -> PlacedNode:
    """A node that gives a box with the number."""
    return placed("box", values={"number": number})


def chain(length: int, start: int = 0) -> dict[str, PlacedNode]:
    """A box and one `one_more` after the other: node "k" gives `start` + k."""
    nodes = {"0": placed("box", values={"number": start})}
    for index in range(1, length):
        nodes[str(index)] = placed("one_more", a=str(index - 1))
    return nodes


def _workflow(nodes: Nodes) -> Workflow:
    return nodes if isinstance(nodes, Workflow) else Workflow(nodes=dict(nodes))


def size_of(value: Any) -> int:
    return sys.getsizeof(value)


@dataclass
class Lab:
    """Runs workflows as a worker does, and remembers what happened."""

    files: Boxes = field(default_factory=Boxes)
    engine: str = "test"
    cache: ResultCache = field(default_factory=lambda: ResultCache(2**30, size_of))
    bindings: Bindings = field(default_factory=dict)
    cancel: Cancel = field(default_factory=Cancel)
    hooks: Mapping[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    checked: list[tuple[Workflow, Sequence[str]]] = field(default_factory=list)
    plan: Plan | None = None

    def planned(self, nodes: Nodes, *wanted: str, **more: Any) -> Plan:
        return plan(
            _workflow(nodes),
            DEFINITIONS,
            self.bindings,
            wanted=wanted or None,
            files=self.files,
            engine=self.engine,
            **more,
        )

    def run(self, nodes: Nodes, *wanted: str) -> Outcome:
        workflow = _workflow(nodes)
        self.events = []
        self.plan = self.planned(nodes, *wanted)
        join = Expander(workflow, DEFINITIONS, self.check, self.files, self.engine)
        return execute(
            self.plan,
            REGISTRY.functions,
            self.cache,
            services=self.service,
            resolve_file=self.resolve,
            cancel=self.cancel,
            **{"join": join, "emit": self.events.append, **self.options},
        )

    def number(self, nodes: Mapping[str, PlacedNode], wanted: str, output: str = "box") -> Any:
        """The number in the wanted output of a run that must finish."""
        outcome = self.run(nodes, wanted)
        assert outcome.status == "finished", outcome.failure
        value = outcome.values[wanted][output]
        return value.number if isinstance(value, Box) else value

    def check(self, workflow: Workflow, wanted: Sequence[str]) -> Bindings:
        self.checked.append((workflow, wanted))
        checked = check(workflow, DEFINITIONS, self.files, wanted)
        if not checked.runnable:
            raise Unplannable(checked.blocking[0].message)
        return checked.bindings

    def service(self, name: str, call: Call) -> object:
        assert name == "Hook"
        return self.hooks.get(call.node, lambda: None)

    def resolve(self, folder: str, name: str) -> PurePosixPath:
        if name not in self.files.contents:
            raise FileNotFoundError(f"There is no file {name!r} in {folder}.")
        return PurePosixPath("/", folder, name)

    def states(self, node_id: str) -> list[str]:
        """Each state that the node went through."""
        return [event.state for event in self.changes() if event.node == node_id]

    def ran(self) -> list[str]:
        """The nodes that ran, in order."""
        return [event.node for event in self.changes() if event.state == "running"]

    def changes(self) -> list[NodeChanged]:
        return [event for event in self.events if isinstance(event, NodeChanged)]


def most_alive(nodes: dict[str, PlacedNode], wanted: str, room: int = 0) -> int:
    """The most boxes that live when a node begins; the cache holds `room` bytes."""
    boxes: list[weakref.ref[Box]] = []
    most = 0

    def examine(definition: OutputDefinition, value: Any) -> None:
        boxes.append(weakref.ref(value))

    def emit(event: Any) -> None:
        nonlocal most
        if event.state == "running":
            most = max(most, sum(box() is not None for box in boxes))

    lab = Lab(cache=ResultCache(room, size_of), options={"examine": examine, "emit": emit})
    assert lab.run(nodes, wanted).status == "finished"
    return most


def alive_at(nodes: Mapping[str, PlacedNode], wanted: str, at: str) -> set[str]:
    """The nodes whose boxes live when the node `at` begins, in a run that keeps nothing."""
    began: list[str] = []
    boxes: dict[str, weakref.ref[Box]] = {}
    found: set[str] = set()

    def examine(definition: OutputDefinition, value: Any) -> None:
        boxes.setdefault(began[-1], weakref.ref(value))

    def emit(event: Any) -> None:
        if event.state == "running":
            began.append(event.node)
            if event.node == at:
                found.update(name for name, box in boxes.items() if box() is not None)

    lab = Lab(cache=ResultCache(0, size_of), options={"examine": examine, "emit": emit})
    assert lab.run(nodes, wanted).status == "finished"
    return found


def work_of(action: Callable[[], object]) -> int:
    """How many lines of `graph` the action runs, each turn of a loop counted: no clock needed."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace if frame.f_globals["__name__"].startswith("graph.") else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count
