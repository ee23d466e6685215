"""The conditions by which a file's tensor names and shapes are recognised.

Signatures are exclusive: no order of trying them decides anything, and a file fits at most one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Size = int | None | frozenset[int]
"""A wanted length of one dimension: this one, any, or one of these."""


@dataclass(frozen=True)
class Has:
    """A tensor of this name is there, with this shape if one is given.

    "*" in the name stands for one part of it, between dots.
    """

    key: str
    shape: tuple[Size, ...] | None = None

    def holds(self, shapes: Shapes) -> bool:
        return self.found(shapes) is not None

    def found(self, shapes: Shapes) -> str | None:
        """The name of a tensor that fits."""
        if "*" not in self.key:
            return self.key if self.key in shapes and self._fits(shapes[self.key]) else None
        pattern = _compiled(self.key)
        fitting = (name for name in shapes if pattern.fullmatch(name) and self._fits(shapes[name]))
        return next(fitting, None)

    def _fits(self, shape: Shape) -> bool:
        if self.shape is None:
            return True
        return len(shape) == len(self.shape) and all(
            want is None or (size in want if isinstance(want, frozenset) else size == want)
            for size, want in zip(shape, self.shape, strict=True)
        )

    def sentences(self, shapes: Shapes) -> Iterator[str]:
        name = self.found(shapes)
        if name is not None:
            yield f"{name} is {' x '.join(map(str, shapes[name])) or 'one number'}"


@dataclass(frozen=True)
class Lacks:
    """No tensor has this name."""

    key: str

    def holds(self, shapes: Shapes) -> bool:
        return Has(self.key).found(shapes) is None

    def sentences(self, shapes: Shapes) -> Iterator[str]:
        yield f"there is no {self.key}"


@dataclass(frozen=True)
class Either:
    """One of these tensors is there: the same thing under the names of two layouts."""

    options: tuple[Has, ...]

    def holds(self, shapes: Shapes) -> bool:
        return any(option.holds(shapes) for option in self.options)

    def sentences(self, shapes: Shapes) -> Iterator[str]:
        for option in self.options:
            yield from option.sentences(shapes)


@dataclass(frozen=True)
class NoneOf:
    """None of these signatures holds."""

    signatures: tuple["Signature", ...]

    def holds(self, shapes: Shapes) -> bool:
        return not any(holds(signature, shapes) for signature in self.signatures)

    def sentences(self, shapes: Shapes) -> Iterator[str]:
        yield "its sizes are those of no known one"


Condition = Has | Lacks | Either | NoneOf
Signature = tuple[Condition, ...]


def takes(channels: int) -> Has:
    """A UNet whose first convolution takes this many channels."""
    return Has("input_blocks.0.0.weight", (None, channels, 3, 3))


def holds(signature: Signature, shapes: Shapes) -> bool:
    """Whether every condition holds."""
    return all(condition.holds(shapes) for condition in signature)


def sentences(signature: Signature, shapes: Shapes) -> tuple[str, ...]:
    """What was seen, one sentence a condition: the evidence that a person can check."""
    return tuple(line for condition in signature for line in condition.sentences(shapes))


@lru_cache(maxsize=256)
def _compiled(key: str) -> re.Pattern[str]:
    return re.compile(re.escape(key).replace(r"\*", r"[^.]+"))
