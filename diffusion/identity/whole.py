"""Hold the tensors of a part against those that every whole file of its kind has.

`headers/` keeps the names and shapes of published files. A model may have fewer or more blocks in
a stack than the published one; what is told is a hole, another shape, or something that belongs
nowhere.
"""

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from diffusion.families.signature import Shape, Shapes

HEADERS = Path(__file__).parent / "headers"

OTHER_SIZES = 0.25
"""Where more of the shapes than this differ, the model is of another size and not damaged."""

NAMED = 3
"""Tensors that a sentence names before it only counts."""

_STACK = re.compile(
    r"((?:^|.*\.)(?:transformer_blocks|double_blocks|single_blocks|joint_blocks|layers|resblocks"
    r"|encoder\.block))\.(\d+)\."
)
"""A block of a stack of any height. UNets' and VAEs' levels are none: they are built evenly."""


@dataclass(frozen=True)
class Difference:
    """What sets a part apart from a whole one of `total` tensors."""

    total: int
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.wrong or self.extra)

    def sentences(self, title: str) -> str:
        """How many tensors are which, and what the file probably is."""
        faults = (
            (self.missing, "is", "are", f"missing of the {self.total:,} of {title}"),
            (self.wrong, "has", "have", f"another shape than in {title}"),
            (self.extra, "has", "have", f"no place in {title}"),
        )
        told = [
            f"{_count(items, one, more)} {what} ({_some(items)})"
            for items, one, more, what in faults
            if items
        ]
        return f"{'; '.join(told)}. {self._guess(title)}"

    def _guess(self, title: str) -> str:
        if self.missing:
            return f"It is probably a {title} that was pruned or not saved whole."
        if self.wrong:
            return f"It is probably a {title} that was mixed with another kind of model."
        return f"It is probably a {title} with something else saved into it, such as an adapter."


@lru_cache(maxsize=64)
def whole(name: str) -> Mapping[str, Shape]:
    """Every tensor name and shape of the published part of this name."""
    text = gzip.decompress((HEADERS / f"{name}.json.gz").read_bytes())
    return {key: tuple(shape) for key, shape in json.loads(text).items()}


def difference(
    shapes: Shapes,
    name: str,
    *,
    optional: re.Pattern[str] | None = None,
    free: re.Pattern[str] | None = None,
) -> Difference | None:
    """What sets the tensors apart from the whole part `name`; None for a model of another size.

    `optional` fits the names that may be there or not, and `free` those whose shape may differ, as
    of a first convolution that takes more channels.
    """
    wanted = _wanted(name, optional)
    found = difference_from(shapes, wanted, free=free)
    if not found:
        return found
    extra = tuple(
        key
        for key in found.extra
        if not _fits(optional, key) and _starred(key) not in _patterns(name)
    )
    return replace(found, extra=extra)


def difference_from(
    shapes: Shapes, wanted: Shapes, *, free: re.Pattern[str] | None = None
) -> Difference | None:
    """What sets the tensors apart from those that are wanted; None for a model of another size."""
    missing = [key for key in wanted if key not in shapes]
    if missing:
        heights = _heights(shapes)
        missing = [key for key in missing if not _above(key, heights)]
    wrong = [
        f"{key} is {_sizes(shapes[key])}, not {_sizes(shape)}"
        for key, shape in wanted.items()
        if key in shapes and trimmed(shapes[key]) != trimmed(shape) and not _fits(free, key)
    ]
    common = sum(key in shapes for key in wanted)
    if len(wrong) > OTHER_SIZES * common:
        return None
    extra = [key for key in shapes if key not in wanted]
    return Difference(len(wanted), tuple(missing), tuple(wrong), tuple(extra))


@lru_cache(maxsize=64)
def _wanted(name: str, optional: re.Pattern[str] | None) -> Mapping[str, Shape]:
    """What must be there."""
    return {key: shape for key, shape in whole(name).items() if not _fits(optional, key)}


def trimmed(shape: Shape) -> Shape:
    """The shape without trailing ones: a 1x1 convolution may be stored as a matrix."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _fits(pattern: re.Pattern[str] | None, name: str) -> bool:
    return pattern is not None and pattern.fullmatch(name) is not None


def _heights(names: Iterable[str]) -> dict[str, int]:
    """How many blocks each stack has, by the highest number that is there."""
    found: dict[str, int] = {}
    for name in names:
        match = _STACK.match(name)
        while match is not None:
            stack, number = match[1], int(match[2])
            found[stack] = max(found.get(stack, 0), number + 1)
            match = _STACK.match(name[: match.start(2)])
    return found


def _above(name: str, heights: Mapping[str, int]) -> bool:
    """Whether the tensor is of a block above the last one of a stack that is there."""
    match = _STACK.match(name)
    return match is not None and match[1] in heights and int(match[2]) >= heights[match[1]]


@lru_cache(maxsize=64)
def _patterns(name: str) -> frozenset[str]:
    return frozenset(_starred(key) for key in whole(name))


def _starred(name: str) -> str:
    """The name with the number of its block in a stack left open."""
    match = _STACK.match(name)
    return name if match is None else f"{match[1]}.*.{name[match.end() :]}"


def _count(items: tuple[str, ...], one: str, more: str) -> str:
    return f"1 tensor {one}" if len(items) == 1 else f"{len(items):,} tensors {more}"


def _some(items: tuple[str, ...]) -> str:
    return ", ".join(items[:NAMED]) + (", …" if len(items) > NAMED else "")


def _sizes(shape: Shape) -> str:
    return " x ".join(map(str, shape)) or "one number"
