"""A node definition in the form that the checker works with: its parts by name."""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from graph.definition import (
    Axis,
    InputDefinition,
    NodeDefinition,
    OutputDefinition,
    Term,
    WidgetDefinition,
)
from graph.modes import variadic_number
from graph.prompts import prompts_of
from graph.solve import Variable
from graph.values import Checker


class Fixed(NamedTuple):
    """A space that the signature fixes to some ids, at a socket."""

    axis: Axis
    name: str
    one_of: tuple[str, ...]
    socket: str


class Slot(NamedTuple):
    """A place for a value: an input, an output, a widget. `names` are its variables, with axes."""

    term: Term
    is_list: bool
    names: tuple[tuple[Axis, str], ...]

    def at(self, node: str) -> list[Variable]:
        """The variables as those of one node, in the order of the kind's arguments."""
        return [Variable(axis, node, name) for axis, name in self.names]


class NodeType:
    """A node definition with its parts by name.

    `given` are the slots of the outputs, `taken` those of inputs and of widgets that may be wired,
    `loaded` those of the widgets that hold a file's name, which are `files`. `kinds` are what the
    inputs take, `needed` the inputs that must be wired, `prompts` the widgets that encoders read.
    """

    def __init__(self, definition: NodeDefinition) -> None:
        self.definition = definition
        self.inputs: dict[str, InputDefinition] = {item.name: item for item in definition.inputs}
        self.widgets: dict[str, WidgetDefinition] = {item.name: item for item in definition.widgets}
        self.outputs: dict[str, OutputDefinition] = {item.name: item for item in definition.outputs}
        self.kinds = frozenset(item.term.kind for item in definition.inputs)
        self.needed = [item for item in definition.inputs if not item.optional]
        self.variadic = [item for item in definition.inputs if item.variadic]
        self.files = [item for item in definition.widgets if item.folder is not None]
        self.prompts = prompts_of(definition)
        self.fixed: list[Fixed] = []
        self.given = {
            item.name: self._slot("out", item.name, item.term, item.list)
            for item in definition.outputs
        }
        self.taken = {
            item.name: self._slot("in", item.name, item.term, item.list)
            for item in definition.inputs
        }
        self.loaded = {
            item.name: self._slot("in", item.name, item.term)
            for item in self.files
            if item.term is not None
        }
        for widget in definition.widgets:
            if widget.wire is not None:
                self.taken[widget.name] = Slot(Term(kind=widget.wire), False, ())

    def _slot(self, side: str, socket: str, term: Term, is_list: bool = False) -> Slot:
        """A slot whose fixed arguments have variables of their own, named after the place."""
        names = []
        for index, argument in enumerate(term.arguments):
            name = argument.variable
            if name is None:
                name = f"{side} {socket} {index}"
                spaces = tuple(sorted(argument.one_of or ()))
                self.fixed.append(Fixed(argument.axis, name, spaces, socket))
            names.append((argument.axis, name))
        return Slot(term, is_list, tuple(names))

    def slot(self, name: str) -> Slot | None:
        """The slot that a wire of this name enters, or None where there is no such input.

        "images.2" is the third wire of the variadic input "images", which no wire enters by itself.
        """
        found = self.taken.get(name)
        if found is None:
            return self.taken[base] if (base := self.base(name)) else None
        return None if name in self.inputs and self.inputs[name].variadic else found

    def base(self, name: str) -> str:
        """The variadic input "images" that the wire "images.2" enters, or ""."""
        for item in self.variadic:
            if variadic_number(name, item.name) is not None:
                return item.name
        return ""

    def variables(self, node: str) -> list[Variable]:
        """The type variables of the signature, as those of one node."""
        return [Variable(axis, node, name) for axis, name in self._variables]

    def everything(self, node: str) -> list[Variable]:
        """The variables of the signature and of what it fixes, as those of one node."""
        return [Variable(axis, node, name) for axis, name in self._all]

    @cached_property
    def _all(self) -> list[tuple[Axis, str]]:
        slots = (*self.taken.values(), *self.given.values())
        return list(dict.fromkeys(name for slot in slots for name in slot.names))

    @cached_property
    def fixed_inputs(self) -> bool:
        """Whether every wire enters an input of its own name: none is variadic or a widget."""
        return not self.variadic and self.taken.keys() == self.inputs.keys()

    @cached_property
    def _variables(self) -> list[tuple[Axis, str]]:
        slots = (*self.taken.values(), *self.given.values(), *self.loaded.values())
        fixed = {(item.axis, item.name) for item in self.fixed}
        names = {name: None for slot in slots for name in slot.names if name not in fixed}
        spaces = {(space.axis, space.variable): None for space in self.definition.spaces}
        return list({**names, **spaces})

    @cached_property
    def checkers(self) -> Mapping[str, Checker]:
        """For each widget, the judge of its values."""
        return {name: Checker(widget.schema_) for name, widget in self.widgets.items()}


_READ: dict[int, NodeType] = {}


def node_type(definition: NodeDefinition) -> NodeType:
    """The definition, read; remembered as long as it is the same object."""
    found = _READ.get(id(definition))
    if found is None or found.definition is not definition:
        if len(_READ) > 4096:  # definitions of packs that were loaded anew and again
            _READ.clear()
        found = _READ[id(definition)] = NodeType(definition)
    return found
