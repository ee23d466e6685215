"""What a check knows of a workflow beside its text: node types read once, files asked once."""

from collections.abc import Mapping
from functools import cached_property

from graph.definition import (
    Axis,
    InputDefinition,
    NodeDefinition,
    OutputDefinition,
    Term,
    WidgetDefinition,
)
from graph.files import FileFacts, Files
from graph.modes import ActiveGraph, active_graph, variadic_number
from graph.solve import Variable
from graph.values import Checker
from graph.widgets import is_file_name
from graph.workflow import PlacedNode, Workflow


class NodeType:
    """A node definition with its parts by name."""

    def __init__(self, definition: NodeDefinition) -> None:
        self.definition = definition
        self.inputs: dict[str, InputDefinition] = {item.name: item for item in definition.inputs}
        self.widgets: dict[str, WidgetDefinition] = {item.name: item for item in definition.widgets}
        self.outputs: dict[str, OutputDefinition] = {item.name: item for item in definition.outputs}
        self.variadic = [item for item in definition.inputs if item.variadic]
        self.files = [item for item in definition.widgets if item.folder is not None]

    def variables(self, node: str) -> list[Variable]:
        """The type variables of the signature, as those of one node."""
        return [Variable(axis, node, name) for axis, name in self._variables]

    @cached_property
    def _variables(self) -> list[tuple[Axis, str]]:
        definition = self.definition
        terms = [item.term for item in definition.inputs]
        terms += [item.term for item in definition.outputs]
        terms += [item.term for item in definition.widgets if item.term is not None]
        found = {
            (argument.axis, argument.variable): None
            for term in terms
            for argument in term.arguments
            if argument.variable is not None
        }
        found.update({(space.axis, space.variable): None for space in definition.spaces})
        return list(found)

    @cached_property
    def checkers(self) -> Mapping[str, Checker]:
        """For each widget, the judge of its values."""
        return {name: Checker(widget.schema_) for name, widget in self.widgets.items()}

    @cached_property
    def loads(self) -> Mapping[str, WidgetDefinition]:
        """For each output that needs a part of a file, the widget that holds the file's name."""
        return {
            output.name: self.files[0]
            for output in self.outputs.values()
            if output.part and self.files
        }

    def taken(self, name: str) -> tuple[Term, bool] | None:
        """The term of an input or a wired widget, and whether it takes a list; None for no input.

        "images.2" is the third wire of the variadic input "images".
        """
        found = self.inputs.get(name)
        if found is not None:
            return None if found.variadic else (found.term, found.list)
        for item in self.variadic:
            if variadic_number(name, item.name) is not None:
                return item.term, item.list
        widget = self.widgets.get(name)
        if widget is not None and widget.wire is not None:
            return Term(kind=widget.wire), False
        return None


class Facts:
    """A workflow with the definitions of its node types and what is known of its files."""

    def __init__(
        self, workflow: Workflow, definitions: Mapping[str, NodeDefinition], files: Files
    ) -> None:
        self.workflow = workflow
        self.definitions = definitions
        self.files = files
        self._types: dict[str, NodeType | None] = {}
        self._files: dict[tuple[str, str], FileFacts | None] = {}

    def changed(self, workflow: Workflow) -> "Facts":
        """The facts of another workflow; what was asked of types and files is not asked again."""
        other = Facts(workflow, self.definitions, self.files)
        other._types, other._files = self._types, self._files
        return other

    @cached_property
    def active(self) -> ActiveGraph:
        return active_graph(self.workflow, self.definitions)

    def node(self, node: str) -> PlacedNode:
        return self.workflow.nodes[node]

    def type(self, name: str) -> NodeType | None:
        """The node type of the name, or None where it is unknown."""
        if name not in self._types:
            definition = self.definitions.get(name)
            self._types[name] = NodeType(definition) if definition is not None else None
        return self._types[name]

    def type_of(self, node: str) -> NodeType | None:
        """The node's type, or None where the type is unknown or there is no such node."""
        placed = self.workflow.nodes.get(node)
        return self.type(placed.type) if placed is not None else None

    def output(self, node: str, name: str) -> OutputDefinition | None:
        kind = self.type_of(node)
        return kind.outputs.get(name) if kind is not None else None

    def file(self, folder: str, name: object) -> FileFacts | None:
        """What the file is; None for a missing one and for what is no name of a file."""
        if not isinstance(name, str) or not is_file_name(name):
            return None
        if (folder, name) not in self._files:
            self._files[folder, name] = self.files.facts(folder, name)
        return self._files[folder, name]

    def widget_file(self, node: str, widget: WidgetDefinition) -> FileFacts | None:
        """The usable file that the node's widget names, or None."""
        if widget.folder is None:
            return None
        value = self.node(node).values.get(widget.name, widget.default)
        found = self.file(widget.folder, value)
        return found if found is not None and found.trouble is None else None
