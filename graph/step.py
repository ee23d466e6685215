"""One thing to compute, and the definition it follows in the form that plans and runs want."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from graph.definition import Json, NodeDefinition, WidgetDefinition
from graph.files import EMBEDDINGS
from graph.modes import Source, variadic_number
from graph.prompts import prompts_of
from graph.values import unpack


class Origin(NamedTuple):
    """What a step reads: an output of the step with the key."""

    key: str
    output: str


@dataclass(slots=True, eq=False)
class Step:
    """A node's work, to be done at most once in a run. Nodes with equal work share one step.

    `nodes` are their ids, `title` is the first one's. `values` are the widgets' and `contents` what
    identifies the files among them; `named` are the embeddings that its prompts name, and what
    identifies these; `spaces` are the space ids that the checker found for
    parameters; `wires` the origins of inputs and of wired widgets (a list where the input is
    variadic). `sources` are the keys of the steps that it may read, once for each wire; `needs` are
    those that must be done before it starts: all but the lazy ones.
    """

    key: str
    nodes: list[str]
    title: str
    shape: "Shape"
    values: Mapping[str, Json]
    contents: Mapping[str, str]
    named: Mapping[str, str]
    spaces: Mapping[str, str]
    wires: Mapping[str, Origin | list[Origin]]
    sources: list[str]
    needs: list[str]

    def files(self) -> Iterator[tuple[str, str]]:
        """Every file that the step hangs on, as folder and name."""
        for widget, folder in self.shape.files.items():
            name = self.values.get(widget)
            if isinstance(name, str):
                yield folder, name
        for name in self.named:
            yield EMBEDDINGS, name


Gathered = list[tuple[str, Source | list[Source]]]
"""What feeds a node, by parameter: a list where the input is variadic."""


class Shape:
    """A node definition, read once, so that ten thousand nodes of a type cost one reading."""

    def __init__(self, definition: NodeDefinition) -> None:
        inputs, widgets = definition.inputs, definition.widgets
        self.definition = definition
        self.inputs = {item.name: item for item in inputs}
        self.required = tuple(item.name for item in inputs if not item.optional)
        self.variadic = frozenset(item.name for item in inputs if item.variadic)
        self.lazy = frozenset(item.name for item in inputs if item.lazy)
        self.outputs = {item.name: item for item in definition.outputs}
        self.files = {item.name: item.folder for item in widgets if item.folder is not None}
        self.prompts = prompts_of(definition)
        self.sockets = (*self.inputs, *(item.name for item in widgets if item.wire is not None))
        self.unique = definition.output or not definition.cache
        """Whether it runs anew in each run: for its effect, or because its results differ."""
        self._widgets = [(item.name, _exact(item), item.required) for item in widgets]
        self._defaults = {item.name: item.default for item in widgets}

    def gather(self, inputs: Mapping[str, Source]) -> Gathered:
        """What feeds each parameter, in the definition's order; unknown sockets are left out."""
        found: Gathered = []
        for name in self.sockets:
            if name in self.variadic:
                if several := _several(name, inputs):
                    found.append((name, several))
            elif name in inputs:
                found.append((name, inputs[name]))
        return found

    def hold(self, saved: Mapping[str, Json], wired: Mapping[str, object]) -> dict[str, Json]:
        """The values of the widgets that no wire replaces; what was not saved has its default.

        A required value that is not there is left out.
        """
        held: dict[str, Json] = {}
        for name, exact, required in self._widgets:
            if name in wired:
                continue
            if name in saved:
                held[name] = exact(saved[name])
            elif not required:
                held[name] = self._defaults[name]
        return held


def _several(name: str, inputs: Mapping[str, Source]) -> list[Source]:
    """What feeds a variadic input, "name.0", "name.1", ..., by their numbers."""
    numbered = [(variadic_number(socket, name), socket) for socket in inputs]
    return [
        inputs[socket]
        for _, socket in sorted(
            (number, socket) for number, socket in numbered if number is not None
        )
    ]


def _exact(widget: WidgetDefinition) -> Callable[[Json], Json]:
    """How a saved value becomes the held one: 7 and 7.0 in a number widget are one value."""
    schema = widget.schema_
    kinds = {part.get("type") for part in (schema, *schema.get("anyOf", ()))}
    number = "number" in kinds and "integer" not in kinds

    def exact(value: Json) -> Json:
        if type(value) is int:
            return float(value) if number else value
        return unpack(schema, value)

    return exact
