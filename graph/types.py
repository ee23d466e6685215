"""What flows along wires: Python annotations on the one side, plain terms on the other.

A kind of socket is a class, generic in the spaces that it lives in:

    T = TypeVar("T", bound=TextSpace)
    S = TypeVar("S", bound=LatentSpace)

    class Image(Socket): ...
    class Latent(Socket, Generic[S]): ...
    class Model(Socket, Generic[T, S]): ...

A signature says `Latent[S]` where the space is a variable, and `Latent[Sdxl]` or
`Latent[Sd1 | Sdxl]` where it is fixed; a fixed space is a class with the space's id:

    class Sdxl(LatentSpace, id="sdxl"): ...
"""

from collections.abc import Generator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from graph.definition import Argument, Axis, Term

AXES: tuple[Axis, ...] = ("text", "latent")

PLAIN_KINDS: Mapping[type, str] = {bool: "Boolean", int: "Integer", float: "Number", str: "Text"}
"""The kind of socket that an output of this Python type is."""


class Space:
    """The base of the two axes; use `TextSpace` or `LatentSpace`."""

    axis: ClassVar[Axis]
    id: ClassVar[str | None] = None

    def __init_subclass__(cls, id: str | None = None) -> None:
        super().__init_subclass__()
        cls.id = id


class TextSpace(Space):
    """What prompts are encoded in; with `id=` a fixed one."""

    axis: ClassVar[Axis] = "text"


class LatentSpace(Space):
    """What a model denoises; with `id=` a fixed one."""

    axis: ClassVar[Axis] = "latent"


class Socket:
    """The base of everything that is wired; the kind is the subclass's name."""

    __slots__ = ()


class AnySocket(Socket):
    """The annotation of a socket that takes or gives every kind."""


X = TypeVar("X")


class Lazy(Generic[X]):
    """The annotation of an input that is computed only when the function awaits it.

        async def pick(first: bool, a: Lazy[Image], b: Lazy[Image]) -> Image:
            return await (a if first else b)

    Awaiting hands `self` to the executor, which computes what `source` names and sends the value
    back: the function waits where it is, so nothing of it runs twice and nothing recurses.
    """

    __slots__ = ("source",)

    def __init__(self, source: object) -> None:
        self.source = source

    def __await__(self) -> Generator["Lazy[X]", X, X]:
        return (yield self)


class VariadicMark:
    """Marks an input that any number of wires enter."""


Variadic = Annotated[Sequence[X], VariadicMark()]
"""`images: Variadic[Image]`: any number of wires; the function gets a list.

At least one wire is needed unless the parameter has a default (`= ()`).
"""


class SocketError(Exception):
    """An annotation that is no socket's type; the sentence says which, and what to write."""


def kind_of(socket: type[Socket]) -> str:
    """The name that a kind of socket goes by: "Latent"."""
    return "Any" if socket is AnySocket else socket.__name__


def accepts(input_kind: str, output_kind: str) -> bool:
    """Whether an output of one kind may be wired into an input of the other, spaces aside."""
    return (
        input_kind == output_kind
        or "Any" in (input_kind, output_kind)
        or (input_kind, output_kind) == ("Number", "Integer")
    )


def is_socket(annotation: Any) -> bool:
    """Whether the annotation is a kind of socket, with or without its spaces."""
    base = get_origin(annotation) or annotation
    return isinstance(base, type) and issubclass(base, Socket)


def term_of(annotation: Any) -> Term:
    """The term that the annotation of a socket, of a plain value or of a file stands for."""
    base = get_origin(annotation) or annotation
    if base in PLAIN_KINDS:
        return Term(kind=PLAIN_KINDS[base])
    if not isinstance(base, type):
        raise SocketError(f"{annotation!r} is no kind of socket: write a subclass of Socket.")
    kind = kind_of(base) if issubclass(base, Socket) else base.__name__
    parameters = getattr(base, "__parameters__", ())
    arguments = get_args(annotation)
    if len(parameters) != len(arguments):
        wanted = ", ".join(parameter.__name__ for parameter in parameters)
        raise SocketError(f"{kind} needs its spaces: write {kind}[{wanted}].")
    axes = [axis_of(parameter) for parameter in parameters]
    return Term(kind=kind, arguments=tuple(map(_argument, axes, arguments)))


def axis_of(variable: Any) -> Axis:
    """The axis that a type variable ranges over, which its bound says."""
    bound = getattr(variable, "__bound__", None)
    if isinstance(bound, type) and issubclass(bound, Space) and hasattr(bound, "axis"):
        return bound.axis
    raise SocketError(
        f"The type variable {variable} has no axis: "
        "give it bound=TextSpace or bound=LatentSpace (from graph.types)."
    )


def _argument(axis: Axis, annotation: Any) -> Argument:
    """One argument of a socket: a variable, a fixed space, or a union of fixed spaces."""
    if isinstance(annotation, TypeVar):
        if axis_of(annotation) != axis:
            raise SocketError(f"The variable {annotation} stands where a {axis} space belongs.")
        return Argument(axis=axis, variable=annotation.__name__)
    union = get_origin(annotation) in (Union, UnionType)
    spaces = get_args(annotation) if union else (annotation,)
    ids = []
    for space in spaces:
        fixed = isinstance(space, type) and issubclass(space, Space) and space.id
        if not fixed or space.axis != axis:
            raise SocketError(
                f"{space!r} is no {axis} space: use a type variable, "
                f"or a class with an id such as class Sdxl(LatentSpace, id='sdxl')."
            )
        ids.append(fixed)
    return Argument(axis=axis, one_of=tuple(sorted(ids)))
