"""`@node` marks a function as a node; `nodes_of` collects the marked functions of modules.

    @node(title="Invert", category="images")
    def invert(image: Image) -> Image:
        \"\"\"Turn light into dark.\"\"\"

A node stays a function that a test can call. Its id is its name ("pack.name" in a custom pack).
"""

import hashlib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import ValidationError

from graph.definition import Json, NodeDefinition
from graph.describe import NodeError, title_of
from graph.signature import Interface, Part, Service, read_signature
from graph.values import fault, unpack
from graph.widgets import is_file_name

__all__ = [
    "CORE",
    "NodeError",
    "Part",
    "Registry",
    "Service",
    "ValuesError",
    "convert_values",
    "definition_of",
    "interface_of",
    "node",
    "nodes_of",
]

CORE = "core"
"""The pack of the nodes that the program brings; their ids have no prefix."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mark:
    """What `@node` says about a function, beside its signature."""

    title: str
    category: str
    version: int
    output: bool
    cache: bool
    time_limit: float | None


def node(
    *,
    title: str = "",
    category: str,
    version: int = 1,
    output: bool = False,
    cache: bool = True,
    time_limit: float | None = None,
) -> Callable[[Function], Function]:
    """Mark a function as a node and return it unchanged.

    `category` is its place in the library ("images/transform"). `output`: it is run for its effect.
    `cache=False`: equal inputs need not give equal results. `version` grows when saved nodes need a
    migration. `time_limit`: seconds after which it is stopped, in place of what --node-limit says.
    """

    def marked(function: Function) -> Function:
        name = title or title_of(function.__name__)
        mark = Mark(name, category, version, output, cache, time_limit)
        function.__node__ = mark  # type: ignore[attr-defined]
        return function

    return marked


def definition_of(function: Callable[..., Any], pack: str = CORE) -> NodeDefinition:
    """The function's interface as plain data. Raises `NodeError` where it cannot be a node."""
    return _definition(function, pack, _source_of(inspect.getmodule(function)))


_INTERFACES: WeakKeyDictionary[Callable[..., Any], Interface] = WeakKeyDictionary()


def interface_of(function: Callable[..., Any]) -> Interface:
    """What the function's signature says, with what a call of it needs; read once."""
    if function not in _INTERFACES:
        _INTERFACES[function] = read_signature(function)
    return _INTERFACES[function]


@dataclass(frozen=True)
class Registry:
    """Node types by id: what they are, and the functions behind them."""

    definitions: Mapping[str, NodeDefinition] = field(default_factory=dict)
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)

    def __or__(self, other: "Registry") -> "Registry":
        """Both registries as one. Raises `NodeError` where an id is in both."""
        for type_ in sorted(self.definitions.keys() & other.definitions.keys()):
            if self.functions[type_] is not other.functions[type_]:
                raise _clash(type_, self.functions[type_], other.functions[type_])
        return Registry(
            {**self.definitions, **other.definitions}, {**self.functions, **other.functions}
        )


def nodes_of(modules: Iterable[ModuleType], pack: str = CORE) -> Registry:
    """The nodes that the modules define (not those they import), in the order of their text."""
    definitions: dict[str, NodeDefinition] = {}
    functions: dict[str, Callable[..., Any]] = {}
    for module in modules:
        source = _source_of(module)
        for function in vars(module).values():
            if not hasattr(function, "__node__") or function.__module__ != module.__name__:
                continue
            definition = _definition(function, pack, source)
            if functions.setdefault(definition.type, function) is not function:
                raise _clash(definition.type, functions[definition.type], function)
            definitions[definition.type] = definition
    return Registry(definitions, functions)


class ValuesError(Exception):
    """Values that do not fit a node's widgets; `reasons` maps each widget's name to a sentence."""

    def __init__(self, title: str, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        super().__init__(f"{title}: {' '.join(reasons.values())}")


def convert_values(
    function: Callable[..., Any], values: Mapping[str, Json], wired: Collection[str] = ()
) -> dict[str, Any]:
    """The arguments that a node's widgets stand for: defaults filled in, every value validated.

    `wired` names the widgets whose value comes along a wire; they are left out unless `values` has
    them (a value that came along a wire is checked in the same way). A file stays its name, a text:
    the caller makes it an instance of `interface_of(function).files[name]`. Raises `ValuesError`.
    """
    interface = interface_of(function)
    arguments: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for widget in interface.widgets:
        name = widget.name
        if name not in values:
            if name in wired:
                continue
            if widget.required:
                reasons[name] = f"{widget.title} has no value."
            else:
                arguments[name] = widget.default
            continue
        value = unpack(widget.schema_, values[name])
        try:
            arguments[name] = _validated(interface, name, value)
        except ValueError as error:
            wrong = fault(widget.schema_, value)
            reasons[name] = f"{widget.title} {wrong.reason if wrong else error}."
    for name in values.keys() - {widget.name for widget in interface.widgets}:
        reasons[name] = f"There is no value {name!r}."
    if reasons:
        raise ValuesError(getattr(function, "__node__").title, reasons)  # noqa: B009
    return arguments


def _validated(interface: Interface, name: str, value: Json) -> Any:
    """The value as Python holds it. Raises `ValueError`, whose text goes on after the title."""
    if name in interface.adapters:
        try:
            return interface.adapters[name].validate_python(value)
        except ValidationError as error:
            raise ValueError(f"is not valid ({error.errors()[0]['msg']})") from error
    optional = not next(item for item in interface.widgets if item.name == name).required
    if value is None and optional:
        return None
    if not isinstance(value, str) or not is_file_name(value):
        raise ValueError("must name a file inside its folder")
    return value


def _definition(function: Callable[..., Any], pack: str, source: str) -> NodeDefinition:
    mark = getattr(function, "__node__", None)
    if not isinstance(mark, Mark):
        raise NodeError(f"{function.__qualname__} is not marked: write @node(...) above it.")
    interface = interface_of(function)
    name = function.__name__
    return NodeDefinition(
        type=name if pack == CORE else f"{pack}.{name}",
        version=mark.version,
        title=mark.title,
        category=mark.category,
        description=inspect.cleandoc(function.__doc__ or ""),
        pack=pack,
        source=source,
        inputs=tuple(interface.inputs),
        widgets=tuple(interface.widgets),
        spaces=tuple(interface.spaces),
        outputs=tuple(interface.outputs),
        services={key: kind.__name__ for key, kind in interface.services.items()},
        output=mark.output,
        cache=mark.cache,
        time_limit=mark.time_limit,
    )


def _source_of(module: ModuleType | None) -> str:
    """The SHA-256 of the module's source, or "" where there is none to read."""
    try:
        text = inspect.getsource(module) if module else ""
    except (OSError, TypeError):  # no file, or a module made in memory
        return ""
    return hashlib.sha256(text.encode()).hexdigest()


def _clash(type_: str, first: Callable[..., Any], second: Callable[..., Any]) -> NodeError:
    return NodeError(
        f"Two nodes are called {type_!r}: {first.__module__}.{first.__qualname__} "
        f"and {second.__module__}.{second.__qualname__}. Rename one."
    )
