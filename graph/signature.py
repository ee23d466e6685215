"""Read a function's signature into a node's interface."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from graph.definition import InputDefinition, OutputDefinition, SpaceDefinition, WidgetDefinition
from graph.describe import NodeError, adapter_of, control_of, schema_of, title_of
from graph.types import PLAIN_KINDS, Lazy, SocketError, VariadicMark, axis_of, is_socket, term_of
from graph.values import fault
from graph.widgets import File, OneOf


class Service:
    """The base of what the executor hands to keyword-only parameters: progress, models, ..."""


@dataclass(frozen=True)
class Part:
    """Says which part of a file an output needs: `vae: Annotated[Vae[S], Part("vae")]`.

    On an input or a file it is the half of a VAE that the node uses: "encoder" or "decoder".
    """

    name: str


@dataclass
class Interface:
    """Everything that a signature says: the sockets as data, and what a call needs beside it.

    `adapters` validate the values of widgets, `files` are the classes of the widgets that hold a
    file's name, `single` tells that the function returns its only output itself, not a tuple.
    """

    inputs: list[InputDefinition] = field(default_factory=list)
    widgets: list[WidgetDefinition] = field(default_factory=list)
    spaces: list[SpaceDefinition] = field(default_factory=list)
    outputs: list[OutputDefinition] = field(default_factory=list)
    services: dict[str, type[Service]] = field(default_factory=dict)
    adapters: dict[str, TypeAdapter[Any]] = field(default_factory=dict)
    files: dict[str, type[File]] = field(default_factory=dict)
    single: bool = False


def read_signature(function: Callable[..., Any]) -> Interface:
    """The interface that the function's annotations and defaults describe.

    Raises `NodeError`, which names the function and the parameter.
    """
    name = function.__qualname__
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise NodeError(f"{name}: an annotation names something unknown: {error}.") from error
    interface = Interface()
    for parameter in inspect.signature(function).parameters.values():
        try:
            _read_parameter(
                interface, parameter, hints.get(parameter.name, inspect.Parameter.empty)
            )
        except (SocketError, NodeError) as error:
            raise NodeError(f"{name}, parameter {parameter.name!r}: {error}") from error
    try:
        _read_outputs(interface, hints.get("return", inspect.Parameter.empty))
    except (SocketError, NodeError) as error:
        raise NodeError(f"{name}, return value: {error}") from error
    return interface


@dataclass
class _Annotation:
    """An annotation without its wrappers: `base` is the kind, the rest what was said about it."""

    base: Any
    notes: list[Any] = field(default_factory=list)
    optional: bool = False
    lazy: bool = False
    variadic: bool = False
    list: bool = False

    def note(self, kind: type[Any]) -> Any:
        """The outermost note of the kind, or None."""
        return next((note for note in self.notes if isinstance(note, kind)), None)

    @property
    def part(self) -> str | None:
        """The name that a `Part` gives, or None."""
        note = self.note(Part)
        return note.name if note else None

    def said(self, attribute: str) -> str:
        """The title or description that a `Field` gives, or ""."""
        fields = (note for note in self.notes if isinstance(note, FieldInfo))
        return next((text for item in fields if (text := getattr(item, attribute))), "")


def _unwrap(annotation: Any) -> _Annotation:
    found = _Annotation(annotation)
    while True:
        origin, arguments = get_origin(found.base), get_args(found.base)
        if origin is Annotated:
            # Outer notes first: they override what an alias such as Seed says.
            found.notes += reversed(found.base.__metadata__)
            found.base = found.base.__origin__
        elif origin in (Union, UnionType) and len(arguments) == 2 and NoneType in arguments:
            found.optional = True
            found.base = next(item for item in arguments if item is not NoneType)
        elif origin is Lazy:
            found.lazy, found.base = True, arguments[0]
        elif origin is Sequence and found.note(VariadicMark) and not found.variadic:
            found.variadic, found.base = True, arguments[0]
        elif origin is list and is_socket(_unwrap(arguments[0]).base) and not found.list:
            found.list, found.base = True, arguments[0]
        else:
            return found


def _read_parameter(interface: Interface, parameter: inspect.Parameter, annotation: Any) -> None:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise NodeError("write Variadic[...] (from graph.types) instead of * or **.")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise NodeError("a node is called by name: move it behind the '/'.")
    if annotation is parameter.empty:
        raise NodeError("it has no annotation: say which socket, value or service it is.")
    found = _unwrap(annotation)
    if isinstance(found.base, type) and issubclass(found.base, Service):
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise NodeError("a service is handed in by keyword: put it behind '*'.")
        interface.services[parameter.name] = found.base
    elif get_origin(found.base) is type:
        interface.spaces.append(_read_space(parameter.name, found.base))
    elif is_socket(found.base):
        interface.inputs.append(_read_input(parameter, found))
    elif _is_file(found.base):
        interface.widgets.append(_read_file(parameter, found))
        interface.files[parameter.name] = get_origin(found.base) or found.base
    else:
        widget, adapter = _read_widget(parameter, annotation, found)
        interface.widgets.append(widget)
        interface.adapters[parameter.name] = adapter


def _read_space(name: str, annotation: Any) -> SpaceDefinition:
    (variable,) = get_args(annotation)
    return SpaceDefinition(name=name, axis=axis_of(variable), variable=variable.__name__)


def _read_input(parameter: inspect.Parameter, found: _Annotation) -> InputDefinition:
    if parameter.default not in (parameter.empty, None, ()):
        raise NodeError("a socket's default is None, or () for Variadic.")
    if found.optional and parameter.default is parameter.empty:
        raise NodeError("an optional socket needs its default: write '= None'.")
    return InputDefinition(
        name=parameter.name,
        title=found.said("title") or title_of(parameter.name),
        description=found.said("description"),
        term=term_of(found.base),
        optional=parameter.default is not parameter.empty,
        lazy=found.lazy,
        variadic=found.variadic,
        list=found.list,
        part=found.part,
    )


def _is_file(base: Any) -> bool:
    kind = get_origin(base) or base
    return isinstance(kind, type) and issubclass(kind, File)


def _read_file(parameter: inspect.Parameter, found: _Annotation) -> WidgetDefinition:
    kind = get_origin(found.base) or found.base
    if not kind.folder or not kind.control:
        raise NodeError(f"{kind.__name__} says no folder: subclass ModelFile with folder = '...'.")
    if parameter.default not in (parameter.empty, None):
        raise NodeError("a file has no default but None: which files there are is known later.")
    schema = {"type": "string", "minLength": 1}
    return WidgetDefinition(
        name=parameter.name,
        title=found.said("title") or title_of(parameter.name),
        description=found.said("description"),
        schema_={"anyOf": [schema, {"type": "null"}]} if found.optional else schema,
        required=parameter.default is parameter.empty,
        control=kind.control,
        folder=kind.folder,
        term=term_of(found.base),
        part=found.part,
    )


def _read_widget(
    parameter: inspect.Parameter, annotation: Any, found: _Annotation
) -> tuple[WidgetDefinition, TypeAdapter[Any]]:
    adapter = adapter_of(annotation)
    schema = schema_of(adapter, found.notes)
    required = parameter.default is parameter.empty
    if not required and (wrong := fault(schema, parameter.default)):
        raise NodeError(f"its default {wrong.reason}.")
    widget = WidgetDefinition(
        name=parameter.name,
        title=found.said("title") or title_of(parameter.name),
        description=found.said("description"),
        schema_=schema,
        required=required,
        default=None if required else parameter.default,
        control=control_of(found.base, found.notes),
        wire=PLAIN_KINDS.get(found.base) or ("Text" if found.note(OneOf) else None),
    )
    return widget, adapter


def _read_outputs(interface: Interface, annotation: Any) -> None:
    if annotation is inspect.Parameter.empty:
        raise NodeError("it has no annotation: say what the node gives, or None.")
    if annotation is NoneType or annotation is None:
        return
    record = get_origin(annotation) or annotation
    if isinstance(record, type) and issubclass(record, tuple) and hasattr(record, "_fields"):
        for name, item in _fields(record, annotation):
            interface.outputs.append(_read_output(name, _unwrap(item)))
        return
    found = _unwrap(annotation)
    interface.single = True
    interface.outputs.append(_read_output("", found))


def _fields(record: Any, annotation: Any) -> Iterator[tuple[str, Any]]:
    """A named tuple's fields, its own variables replaced by the arguments of `Loaded[T, S]`."""
    parameters = getattr(record, "__parameters__", ())
    given: Mapping[Any, Any] = dict(zip(parameters, get_args(annotation), strict=False))
    hints = get_type_hints(record, include_extras=True)
    for name in record._fields:
        item = hints[name]
        variables: tuple[TypeVar, ...] = getattr(item, "__parameters__", ())
        if given and variables:
            item = item[tuple(given.get(variable, variable) for variable in variables)]
        yield name, item


def _read_output(name: str, found: _Annotation) -> OutputDefinition:
    if not is_socket(found.base) and found.base not in PLAIN_KINDS:
        raise NodeError(
            f"{found.base!r} cannot leave a node: use a Socket, int, float, str, bool, "
            "or a NamedTuple of them."
        )
    if found.lazy or found.variadic:
        raise NodeError("an output is neither Lazy nor Variadic.")
    term = term_of(found.base)
    return OutputDefinition(
        name=name or term.kind.lower(),
        title=found.said("title") or title_of(name or term.kind),
        description=found.said("description"),
        term=term,
        list=found.list,
        part=found.part,
    )
