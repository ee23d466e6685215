"""Where a value of a wanted type could come from: outputs that are there, or a file to load."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from graph.definition import Axis, OutputDefinition, WidgetDefinition
from graph.edits import fresh_id
from graph.facts import Facts
from graph.files import FileFacts
from graph.interface import is_subgraph
from graph.modes import Source
from graph.node_type import NodeType
from graph.problem import AddNode, Edit
from graph.solve import Candidates, Solution
from graph.words import t
from graph.workflow import PlacedNode, Wire

FEW = 3
"""More of one sort of fix is not offered: a person should see at a glance what to choose."""

MANY = 500
"""So many names of a folder are looked at for a fix, so that a check stays quick."""


class Supply(NamedTuple):
    """An output that gives what is wanted; `edits` first add its node where it is not there."""

    title: str
    wire: Wire
    edits: tuple[Edit, ...] = ()


class Loaded(NamedTuple):
    """An output of a node that loads a file, and what the file is for each of its arguments."""

    supply: Supply
    spaces: list[Candidates]


class Load(NamedTuple):
    """A file, and the node type, output and widget by which it can be loaded."""

    type: NodeType
    output: OutputDefinition
    widget: WidgetDefinition
    file: FileFacts
    spaces: tuple[str, ...]


class Supplies:
    """Finds supplies in one workflow, whose types are known."""

    def __init__(self, facts: Facts, solution: Solution) -> None:
        self.facts = facts
        self.solution = solution
        self._by_kind: dict[str, list[Source]] | None = None
        self._sorted: dict[tuple[str, Axis], dict[str, list[FileFacts]]] = {}
        self._known_loads: dict[tuple[str, Axis, str | None], list[Load]] = {}
        self._loaded: dict[str, list[Loaded]] = {}
        self._fitting: dict[tuple[str, int, tuple[str, ...]], dict[str, dict[str, Supply]]] = {}

    def outputs(self, kind: str) -> Sequence[Source]:
        """The outputs of the kind that can be had, sorted."""
        if self._by_kind is None:
            self._by_kind = {}
            for node in sorted(self.facts.active.every):
                type_ = self.facts.type_of(node)
                for output in type_.definition.outputs if type_ else ():
                    if not output.list and self._holds(node, output):
                        source = Source(node, output.name)
                        self._by_kind.setdefault(output.term.kind, []).append(source)
        return self._by_kind.get(kind, ())

    def given(self, source: Source) -> list[Candidates]:
        """What is known of each space of an output."""
        return [self.solution.candidates(variable) for variable in self.facts.given(source)]

    def from_loaders(self, kind: str, spaces: Mapping[int, Sequence[str]]) -> Iterator[Supply]:
        """The outputs of nodes that load a file, whose argument k is exactly `spaces[k]`."""
        for supply, said in self._loaders_of(kind):
            if all(k < len(said) and said[k] == tuple(v) for k, v in spaces.items()):
                yield supply

    def titled(self, kind: str, index: int, spaces: Sequence[str], near: str) -> list[Supply]:
        """The same for one argument, one for each file; the one at the node `near` comes first."""
        key = kind, index, tuple(spaces)
        if key not in self._fitting:
            found: dict[str, dict[str, Supply]] = {}
            for supply in self.from_loaders(kind, {index: spaces}):
                found.setdefault(supply.title, {}).setdefault(supply.wire.node, supply)
            self._fitting[key] = found
        nodes = self._fitting[key].values()
        best = [same.get(near) or next(iter(same.values())) for same in nodes]
        return sorted(best, key=lambda supply: supply.wire.node != near)

    def _loaders_of(self, kind: str) -> Sequence[Loaded]:
        """The outputs of the kind of nodes that load a file.

        A node that takes a value of the kind changes it by its file (Load LoRA), and loads none.
        """
        if kind not in self._loaded:
            self._loaded[kind] = []
            for source in self.outputs(kind):
                type_ = self.facts.type_of(source.node)
                if type_ and kind in type_.kinds:
                    continue
                file = self._file(source.node)
                output = self.facts.output(*source)
                if file is None or output is None:
                    continue
                # What the file itself is, not what its use makes of it, which may be in dispute.
                claims = [self.solution.own_claim(item) for item in self.facts.given(source)]
                said = [claim.candidates if claim else None for claim in claims]
                title = t("the {title} of {name}", title=output.title, name=file.name)
                wire = Wire(node=source.node, output=source.output)
                self._loaded[kind].append(Loaded(Supply(title, wire), said))
        return self._loaded[kind]

    def from_files(
        self, kind: str, axis: Axis, wanted: str, near: str, half: str | None = None
    ) -> list[Supply]:
        """Files of the wanted space, each with a node to add that loads it; the surest first.

        The node's only widget without a default is the file, and it needs no wires. `half` is what
        is used of a VAE. Files that may be of other spaces too come last.
        """
        return [
            self._added(load, near)
            for load in sorted(self._loads(kind, axis, half), key=lambda load: len(load.spaces))
            if wanted in load.spaces
        ]

    def added(
        self, kind: str, axis: Axis, wanted: str, near: str, half: str | None, avoid: Sequence[str]
    ) -> list[Supply]:
        """The same for a few files of that space alone; new nodes get ids other than `avoid`."""
        certain = [load for load in self._loads(kind, axis, half) if load.spaces == (wanted,)]
        return [self._added(load, near, avoid) for load in certain[:FEW]]

    def _loads(self, kind: str, axis: Axis, half: str | None) -> Sequence[Load]:
        """Every way to load a file for an output of the kind."""
        key = kind, axis, half
        if key not in self._known_loads:
            self._known_loads[key] = [
                Load(type_, output, widget, found, tuple(sorted(found.spaces.get(axis, ()))))
                for type_, output, widget in self._loaders(kind, axis)
                for found in self._usable(widget, output.part, half)
            ]
        return self._known_loads[key]

    def files(self, widget: WidgetDefinition, axis: Axis, wanted: str) -> Sequence[FileFacts]:
        """The usable files that the widget may name and that are exactly of the wanted space."""
        key = widget.folder or "", axis
        if key not in self._sorted:
            self._sorted[key] = {}
            for found in self._usable(widget):
                spaces = found.spaces.get(axis, ())
                if len(spaces) == 1:
                    self._sorted[key].setdefault(spaces[0], []).append(found)
        return self._sorted[key].get(wanted, ())

    def _usable(
        self, widget: WidgetDefinition, part: str | None = None, half: str | None = None
    ) -> Iterator[FileFacts]:
        """The files that the widget may name of which the part can be used."""
        folder = widget.folder
        for name in self.facts.files.names(folder)[:MANY] if folder else ():
            found = self.facts.file(folder or "", name)
            if found is None or found.trouble is not None or half in found.lacks:
                continue
            if any(not flaw.parts or part is None or part in flaw.parts for flaw in found.flaws):
                continue
            if part is None or part in found.parts:
                yield found

    def _added(self, load: Load, near: str, avoid: Sequence[str] = ()) -> Supply:
        """The output of a new node that loads the file."""
        type_, output, widget, found, _ = load
        taken = {*self.facts.workflow.nodes, *avoid} if avoid else None
        id_ = fresh_id(self.facts.workflow, type_.definition.type, taken)
        placed = PlacedNode(
            type=type_.definition.type,
            version=type_.definition.version,
            values={widget.name: found.name},
        )
        wire = Wire(node=id_, output=output.name)
        title = t("the {title} of {name}", title=output.title, name=found.name)
        return Supply(title, wire, (AddNode(id=id_, node=placed, near=near),))

    def parts_used(self, node: str) -> set[str]:
        """The parts of the node's file that other nodes use."""
        return self._parts_used.get(node, set())

    @cached_property
    def _parts_used(self) -> Mapping[str, set[str]]:
        used: dict[str, set[str]] = {}
        for sources in self.facts.active.every.values():
            for source in sources.values():
                output = self.facts.output(*source)
                if output is not None and output.part is not None:
                    used.setdefault(source.node, set()).add(output.part)
        return used

    def _loaders(
        self, kind: str, axis: Axis
    ) -> Iterator[tuple[NodeType, OutputDefinition, WidgetDefinition]]:
        """The node types that make such an output from a file and nothing else, simplest first."""
        found = []
        for name in self.facts.definitions:
            type_ = self.facts.type(name)
            if type_ is None or type_.definition.spaces or not type_.files or is_subgraph(name):
                continue
            required = [item for item in type_.definition.widgets if item.required]
            if required != type_.files[:1] or not all(
                item.optional for item in type_.definition.inputs
            ):
                continue
            for output in type_.definition.outputs:
                same = any(
                    argument.axis == axis and argument.variable is not None
                    for argument in output.term.arguments
                )
                if output.term.kind == kind and same:
                    found.append((type_, output, type_.files[0]))
        return iter(sorted(found, key=lambda item: (len(item[0].outputs), item[0].definition.type)))

    def _holds(self, node: str, output: OutputDefinition) -> bool:
        """Whether the file behind the output has the part that it needs."""
        if output.part is None:
            return True
        file = self._file(node)
        return file is not None and output.part in file.parts

    def _file(self, node: str) -> FileFacts | None:
        """The usable file that the node loads, or None for a node that loads none."""
        type_ = self.facts.type_of(node)
        if type_ is None or not type_.files:
            return None
        return self.facts.widget_file(node, type_.files[0])
