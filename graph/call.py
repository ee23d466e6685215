"""Call a node's function: arguments from wires, values, files and services; outputs by name."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from graph.cache import Outputs
from graph.cancel import Cancel
from graph.definition import Axis, OutputDefinition
from graph.events import Event
from graph.frontier import Frontier
from graph.node import convert_values, interface_of
from graph.step import Origin, Step
from graph.types import Lazy
from graph.widgets import Path


class CallError(Exception):
    """A node was given, or gave, something that does not fit; the sentence says what."""


class Asked(NamedTuple):
    """What the handle of a lazy input stands for: the parameter, and what feeds it."""

    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Call:
    """Which call a service is for."""

    node: str
    title: str
    key: str
    emit: Callable[[Event], None]
    cancel: Cancel


Services = Callable[[str, Call], object]
"""The service that goes by a class's name ("Progress"), made for a call."""

ResolveFile = Callable[[str, str], Path]
"""Where the file of a folder ("checkpoints") lies. Raises `OSError` where there is none."""

ResolveSpace = Callable[[Axis, str], object]
"""What a function gets for the id of a space."""

Examine = Callable[[OutputDefinition, Any], str | None]
"""What is wrong with an output ("has values that are not numbers"), or None."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Everything that calls need and a plan does not hold."""

    functions: Mapping[str, Callable[..., Any]]
    services: Services
    resolve_file: ResolveFile
    resolve_space: ResolveSpace
    examine: Examine
    emit: Callable[[Event], None]
    cancel: Cancel

    def call(self, step: Step, frontier: Frontier) -> Any:
        """What the function returns: its outputs, a coroutine that will, or an expansion."""
        function = self.functions[step.shape.definition.type]
        return function(**self._arguments(function, step, frontier))

    def outputs(self, step: Step, returned: Any) -> Outputs:
        """The outputs by name. Raises `CallError` where they are not what the definition says."""
        definitions = step.shape.outputs
        if not definitions:
            return {}
        outputs: Outputs
        if isinstance(returned, tuple) and hasattr(returned, "_fields"):
            outputs = dict(zip(returned._fields, returned, strict=True))
        elif len(definitions) == 1:
            outputs = dict.fromkeys(definitions, returned)
        else:
            outputs = {}
        if outputs.keys() != definitions.keys():
            names = ", ".join(definitions)
            raise CallError(f"it must return a NamedTuple of {names}, not {_kind(returned)}.")
        return self.judged(step, outputs)

    def judged(self, step: Step, outputs: Outputs) -> Outputs:
        """The outputs, each of which is a value that its definition allows, or `CallError`."""
        for name, definition in step.shape.outputs.items():
            self._judge(definition, outputs[name])
        return outputs

    def _judge(self, definition: OutputDefinition, value: Any) -> None:
        if value is None and definition.part is not None:
            return  # a file without this part
        wrong = _wrong(definition, value) or self.examine(definition, value)
        if wrong is not None:
            raise CallError(f"its output {definition.title} {wrong}.")

    def _arguments(
        self, function: Callable[..., Any], step: Step, frontier: Frontier
    ) -> dict[str, Any]:
        shape, definition = step.shape, step.shape.definition
        for name in shape.required:
            if name not in step.wires:
                raise CallError(f"nothing is wired to {shape.inputs[name].title}.")
        values = dict(step.values)
        wired: dict[str, Any] = {}
        for name, origin in step.wires.items():
            if name in shape.inputs:
                wired[name] = self._read(step, name, origin, frontier)
            elif isinstance(origin, Origin):
                values[name] = read(step, name, origin, frontier)
        arguments = convert_values(function, values)
        arguments.update(wired)
        for name, folder in shape.files.items():
            if (chosen := arguments[name]) is not None:
                path = self.resolve_file(folder, chosen)
                kind = interface_of(function).files[name]
                arguments[name] = kind(chosen, path, step.contents[name])
        for space in definition.spaces:
            arguments[space.name] = self.resolve_space(space.axis, step.spaces[space.name])
        if definition.services:
            call = Call(step.nodes[0], step.title, step.key, self.emit, self.cancel)
            for name, service in definition.services.items():
                arguments[name] = self.services(service, call)
        return arguments

    def _read(
        self, step: Step, name: str, origin: Origin | list[Origin], frontier: Frontier
    ) -> Any:
        """What the parameter gets for its wire or wires: values, or handles where it is lazy."""
        if name in step.shape.lazy:
            if isinstance(origin, list):
                return [Lazy(Asked(name, one)) for one in origin]
            return Lazy(Asked(name, origin))
        if isinstance(origin, list):
            return [read(step, name, one, frontier) for one in origin]
        return read(step, name, origin, frontier)


def read(step: Step, name: str, origin: Origin, frontier: Frontier) -> Any:
    """The value of a step that is done. Raises `CallError` where it did not give what is needed."""
    value = frontier.value(origin)
    if value is None:
        item = step.shape.inputs.get(name)
        if item is None or item.variadic or not item.optional:
            giver = frontier.steps[origin.key]
            raise CallError(f"{giver.title} gives no {origin.output}: wire something else to it.")
    return value


_PLAIN: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "Integer": ("a whole number", (int,)),
    "Number": ("a number", (float, int)),
    "Text": ("a text", (str,)),
    "Boolean": ("true or false", (bool,)),
}


def _wrong(definition: OutputDefinition, value: Any) -> str | None:
    """What is wrong with the shape of an output, as the end of a sentence."""
    if definition.list:
        if not isinstance(value, list):
            return f"must be a list, not {_kind(value)}"
        return next((wrong for item in value if (wrong := _wrong_one(definition, item))), None)
    return _wrong_one(definition, value)


def _wrong_one(definition: OutputDefinition, value: Any) -> str | None:
    if value is None:
        return "is missing"
    if type(value) is Lazy:
        return "is a lazy input that was not awaited"
    if definition.term.kind in _PLAIN:
        wanted, kinds = _PLAIN[definition.term.kind]
        if type(value) not in kinds:
            return f"must be {wanted}, not {_kind(value)}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"must be a number, not {value}"
    return None


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__
