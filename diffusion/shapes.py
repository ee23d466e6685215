"""Read the sizes of a network from its tensors' shapes, without torch."""

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]


class MissingTensor(ValueError):
    """A model file lacks a tensor that its architecture needs."""


def shape_of(shapes: Shapes, name: str) -> tuple[int, ...]:
    """The shape of the tensor `name`; MissingTensor says which one a file lacks."""
    if name not in shapes:
        raise MissingTensor(
            f"The tensor {name} is missing: the file is incomplete or of another architecture. "
            "Compare its header with `python main.py inspect FILE`, or fetch the file again."
        )
    return tuple(shapes[name])


def count(shapes: Shapes, pattern: str) -> int:
    """How many of `pattern.format(0)`, `pattern.format(1)`, … exist without a gap."""
    found = 0
    while pattern.format(found) in shapes:
        found += 1
    return found
