"""What a check knows of a workflow beside its text: its node types, and files asked once."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import Any

from graph.definition import Axis, NodeDefinition, OutputDefinition, WidgetDefinition
from graph.files import FileFacts, Files
from graph.modes import ActiveGraph, Source, active_graph
from graph.node_type import NodeType, node_type
from graph.rings import Ring, rings
from graph.solve import Link, Variable
from graph.types import accepts
from graph.widgets import is_file_name
from graph.workflow import PlacedNode, Workflow

Joins = tuple[tuple[Axis, str, str], ...]
"""For each equation of a wire: the axis, and the names of the variables at its two ends."""


class Facts:
    """A workflow with the definitions of its node types and what is known of its files."""

    def __init__(
        self,
        workflow: Workflow,
        definitions: Mapping[str, NodeDefinition],
        files: Files,
        names: Callable[[str], str | None] = lambda node: None,
    ) -> None:
        """`names`: what sentences call a node, where that is another name than its own."""
        self.workflow = workflow
        self.definitions = definitions
        self.files = files
        self.names = names
        self._types: dict[str, NodeType | None] = {}
        self._files: dict[tuple[str, str], FileFacts | None] = {}
        self._joins: dict[tuple[NodeType, str, NodeType, str], Joins] = {}
        self._links: dict[tuple[NodeType, NodeType, str, str, Source], list[Link]] = {}
        self._needed: dict[tuple[str, ...], Collection[str]] = {}
        self._roles: dict[str, tuple[Any, ...]] = {}
        self._before: tuple[Workflow, ActiveGraph] | None = None

    def changed(self, workflow: Workflow) -> "Facts":
        """The facts of another workflow; what was asked of types and files is not asked again."""
        other = Facts(workflow, self.definitions, self.files, self.names)
        other._files = self._files
        other.learn(self)
        return other

    def learn(self, other: "Facts") -> None:
        """Take over what another workflow's facts know of the same node types and of equal wires"""
        self._types, self._joins = other._types, other._joins
        self._before = other.workflow, other.active
        # A workflow that is edited for hours has had many wires that are gone.
        if len(other._links) < 1000 + 4 * len(self.workflow.nodes):
            self._links = other._links

    def wired_like(self, other: "Facts") -> None:
        """Take over what follows from the wires, which are those of another workflow's facts."""
        self.active, self.rings, self._needed = other.active, other.rings, other._needed

    @cached_property
    def active(self) -> ActiveGraph:
        return active_graph(self.workflow, self.definitions, self._before)

    def role(self, node: str) -> tuple[Any, ...]:
        """What the spaces hang on of a node beside its files: type, version, mode and wires."""
        found = self._roles.get(node)
        if found is None:
            placed = self.workflow.nodes[node]
            wires = [(name, w.node, w.output, w.allow) for name, w in placed.inputs.items()]
            found = self._roles[node] = (placed.type, placed.version, placed.mode, wires)
        return found

    @cached_property
    def rings(self) -> list[Ring]:
        """The nodes that wait for each other."""
        return rings(self.active.every)

    def needed(self, wanted: Collection[str]) -> Collection[str]:
        """The wanted nodes and everything they are computed from."""
        key = tuple(wanted)
        if key not in self._needed:
            self._needed[key] = self.active.ancestors(wanted)
        return self._needed[key]

    @cached_property
    def node(self) -> Callable[[str], PlacedNode]:
        """The placed node of an id. (These two are asked most of all: no function of ours.)"""
        return self.workflow.nodes.__getitem__

    def type(self, name: str) -> NodeType | None:
        """The node type of the name, or None where it is unknown."""
        if name not in self._types:
            definition = self.definitions.get(name)
            self._types[name] = node_type(definition) if definition is not None else None
        return self._types[name]

    @cached_property
    def type_of(self) -> Callable[[str], NodeType | None]:
        """A node's type, or None where the type is unknown or there is no such node."""
        nodes = self.workflow.nodes.items()
        return {node: self.type(placed.type) for node, placed in nodes}.get

    def given(self, source: Source) -> list[Variable]:
        """The variables of an output, in the order of its kind's arguments."""
        kind = self.type_of(source.node)
        slot = kind.given.get(source.output) if kind is not None else None
        return slot.at(source.node) if slot is not None else []

    def wanted(self, node: str, name: str) -> list[Variable]:
        """The variables of an input, in the order of its kind's arguments."""
        kind = self.type_of(node)
        slot = kind.slot(name) if kind is not None else None
        return slot.at(node) if slot is not None else []

    def joins(self, giver: NodeType, output: str, kind: NodeType, name: str) -> Joins:
        """The variables that a wire between such nodes makes equal; none where kinds disagree."""
        key = giver, output, kind, name
        found = self._joins.get(key)
        if found is None:
            start, end = giver.given.get(output), kind.slot(name)
            fits = start and end and accepts(end.term.kind, start.term.kind)
            pairs = zip(start.names, end.names, strict=False) if start and end and fits else ()
            found = tuple((one[0], one[1], two[1]) for one, two in pairs if one[0] == two[0])
            self._joins[key] = found
        return found

    def links(self, node: str, name: str, source: Source) -> list[Link]:
        """The equations of a wire: one for each argument of its kind, none where kinds disagree."""
        kind, giver = self.type_of(node), self.type_of(source.node)
        if kind is None or giver is None:
            return []
        key = kind, giver, node, name, source
        found = self._links.get(key)
        if found is None:
            found = self._links[key] = [
                Link(
                    Variable(axis, source.node, start),
                    Variable(axis, node, end),
                    node,
                    name,
                    True,
                    source,
                )
                for axis, start, end in self.joins(giver, source.output, kind, name)
            ]
        return found

    def output(self, node: str, name: str) -> OutputDefinition | None:
        kind = self.type_of(node)
        return kind.outputs.get(name) if kind is not None else None

    def file(self, folder: str, name: object) -> FileFacts | None:
        """What the file is; None for a missing one and for what is no name of a file."""
        if not isinstance(name, str):
            return None
        if (folder, name) not in self._files:
            known = self.files.facts(folder, name) if is_file_name(name) else None
            self._files[folder, name] = known
        return self._files[folder, name]

    def lacking(self, source: Source, half: str | None) -> tuple[FileFacts, str] | None:
        """The file behind an output and the part that it does not hold; None where it has all.

        `half` is what the input takes of it, where that is less than the whole.
        """
        kind = self.type_of(source.node)
        output = kind.outputs.get(source.output) if kind else None
        for number, widget in enumerate(kind.files if kind and output else ()):
            found = self.widget_file(source.node, widget)
            if found is None or output is None:
                continue
            if output.part is not None and number == 0 and output.part not in found.parts:
                return found, output.part
            # A widget that says its half is told of at the widget.
            if half in found.lacks and half is not None and widget.part is None:
                return found, half
        return None

    def half(self, node: str, name: str) -> str | None:
        """The half of a VAE that the input uses: "encoder", "decoder", or None for all or none."""
        kind = self.type_of(node)
        taken = kind.inputs.get(name) if kind else None
        return taken.part if taken else None

    def widget_file(self, node: str, widget: WidgetDefinition) -> FileFacts | None:
        """The usable file that the node's widget names, or None."""
        if widget.folder is None:
            return None
        value = self.node(node).values.get(widget.name, widget.default)
        found = self.file(widget.folder, value)
        return found if found is not None and found.trouble is None else None
