"""Where in a file a module's tensors come from: whole tensors, shares of them, several joined.

No torch here, so that a file's shapes can be compared where no network is built.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from diffusion.shapes import Shapes, shape_of

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, ...]


class Taken(NamedTuple):
    """The tensor `name` of a file, whole or one of its parts.

    `part` counts from 0 among `parts` equal shares of its rows, as where query, key and value are
    stored as one matrix; `transposed`: rows become columns.
    """

    name: str
    part: int = 0
    parts: int = 1
    transposed: bool = False

    def shape(self, whole: Shape) -> Shape:
        """The shape of what is taken from a tensor of the shape `whole`."""
        if self.transposed:
            whole = whole[::-1]
        return (whole[0] // self.parts, *whole[1:]) if self.parts > 1 and whole else whole

    def of(self, tensor: "Tensor") -> "Tensor":
        """What is taken of the tensor: a view."""
        tensor = tensor.T if self.transposed else tensor
        return tensor.chunk(self.parts)[self.part] if self.parts > 1 else tensor


class Joined(NamedTuple):
    """Several that become one tensor, the rows of each under those of the one before."""

    pieces: tuple[Taken, ...]


Origin = Taken | Joined

Names = Mapping[str, str | Origin]
"""The tensors of a module, each with where it comes from in a file."""


def pieces_of(source: str | Origin) -> tuple[Taken, ...]:
    """What of the file makes the tensor, in order."""
    if isinstance(source, str):
        return (Taken(source),)
    return source.pieces if isinstance(source, Joined) else (source,)


def joined(pieces: Sequence[Taken]) -> Origin:
    """The shortest form of these pieces."""
    return pieces[0] if len(pieces) == 1 else Joined(tuple(pieces))


def swapped_halves(name: str) -> Joined:
    """A file's tensor with its lower half of rows above its upper half."""
    return Joined((Taken(name, 1, 2), Taken(name, 0, 2)))


def prefixed(names: Names, prefix: str) -> dict[str, Origin]:
    """The same names in a file that puts `prefix` before its own."""
    return {
        name: joined([piece._replace(name=prefix + piece.name) for piece in pieces_of(source)])
        for name, source in names.items()
    }


def shape_at(source: str | Origin, shapes: Shapes) -> Shape:
    """The shape of what the file's tensors of these shapes make. Raises `MissingTensor`."""
    return joined_shape([piece.shape(shape_of(shapes, piece.name)) for piece in pieces_of(source)])


def shapes_at(names: Names, shapes: Shapes) -> dict[str, Shape]:
    """The shapes of all tensors that are named. Raises `MissingTensor`."""
    return {name: shape_at(source, shapes) for name, source in names.items()}


def joined_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape of pieces under each other; that of the first counts beside the rows."""
    first = shapes[0]
    if len(shapes) == 1 or not first:
        return first
    return (sum(shape[0] for shape in shapes if shape), *first[1:])
