"""Nodes that put prompts together, and say where, when and how strongly each holds."""

from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import pad

from diffusion.regions import Area
from graph.node import node
from nodes.services import Side, Spaces
from nodes.sockets import BadValue, Conditioning, Mask, T

Strength = Annotated[
    float, Field(ge=0, le=10, description="Its weight beside other prompts at the same place.")
]
Pixels = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]
Edge = Annotated[int, Field(ge=64, le=16384, multiple_of=8)]
Fraction = Annotated[float, Field(ge=0, le=1)]


@node(title="Conditioning Combine", category="conditioning")
def conditioning_combine(
    first: Conditioning[T], second: Conditioning[T], *, spaces: Spaces
) -> Conditioning[T]:
    """Follow both prompts: where both hold, the model is asked twice and its answers are mixed."""
    _same(spaces, first, second)
    return replace(first, others=(*first.others, *second.every()))


@node(title="Conditioning Concat", category="conditioning")
def conditioning_concat(
    first: Conditioning[T], second: Conditioning[T], *, spaces: Spaces
) -> Conditioning[T]:
    """Read the second prompt after the first, as words of their own, in one question."""
    _same(spaces, first, second)
    tokens = second.tokens

    def longer(one: Conditioning[T]) -> Conditioning[T]:
        return replace(one, tokens=torch.cat(_rows(one.tokens, tokens), dim=1))

    return first.each(longer)


@node(title="Conditioning Average", category="conditioning")
def conditioning_average(
    first: Conditioning[T],
    second: Conditioning[T],
    share: Annotated[float, Field(ge=0, le=1, description="How much of the first.")] = 0.5,
    *,
    spaces: Spaces,
) -> Conditioning[T]:
    """Mix two prompts number by number; the shorter one is filled up with zeros."""
    _same(spaces, first, second)
    other = second.tokens

    def mixed(one: Conditioning[T]) -> Conditioning[T]:
        length = max(one.tokens.shape[1], other.shape[1])
        left, right = (pad(t, (0, 0, 0, length - t.shape[1])) for t in (one.tokens, other))
        pooled = one.pooled
        if pooled is not None and second.pooled is not None:
            pooled = _mixed(pooled, second.pooled, share)
        return replace(one, tokens=_mixed(left, right, share), pooled=pooled)

    return first.each(mixed)


@node(title="Conditioning Zero Out", category="conditioning")
def conditioning_zero_out(conditioning: Conditioning[T]) -> Conditioning[T]:
    """Say nothing at all: zeros in place of the prompt, which is less than an empty prompt says."""

    def silent(one: Conditioning[T]) -> Conditioning[T]:
        pooled = None if one.pooled is None else torch.zeros_like(one.pooled)
        return replace(one, tokens=torch.zeros_like(one.tokens), pooled=pooled)

    return conditioning.each(silent)


@node(title="Conditioning Set Area", category="conditioning")
def conditioning_set_area(
    conditioning: Conditioning[T],
    width: Edge = 64,
    height: Edge = 64,
    x: Pixels = 0,
    y: Pixels = 0,
    strength: Strength = 1.0,
) -> Conditioning[T]:
    """Have a prompt hold in a rectangle of the picture, in pixels. The model sees only that."""
    return _placed(conditioning, area=Area(x, y, width, height), strength=strength)


@node(title="Conditioning Set Area (Percentage)", category="conditioning")
def conditioning_set_area_percentage(
    conditioning: Conditioning[T],
    width: Fraction = 1.0,
    height: Fraction = 1.0,
    x: Fraction = 0.0,
    y: Fraction = 0.0,
    strength: Strength = 1.0,
) -> Conditioning[T]:
    """Have a prompt hold in a rectangle, in fractions of the picture: 0.5 is half of it."""
    return _placed(conditioning, area=Area(x, y, width, height, relative=True), strength=strength)


@node(title="Conditioning Set Mask", category="conditioning")
def conditioning_set_mask(
    conditioning: Conditioning[T], mask: Mask, strength: Strength = 1.0
) -> Conditioning[T]:
    """Have a prompt hold where a mask is 1. The model sees the whole picture."""
    return _placed(conditioning, mask=mask.values, strength=strength)


@node(title="Conditioning Set Timestep Range", category="conditioning")
def conditioning_set_timestep_range(
    conditioning: Conditioning[T],
    start: Annotated[float, Field(ge=0, le=1, description="0 is the beginning, pure noise.")] = 0.0,
    end: Annotated[float, Field(ge=0, le=1, description="1 is the finished picture.")] = 1.0,
) -> Conditioning[T]:
    """Have a prompt hold for a part of the way from noise to picture."""
    if start >= end:
        raise BadValue(
            f"The prompt would never hold: its start, {start:g}, is not before its end, {end:g}."
        )
    return _placed(conditioning, begin=start, end=end)


def _placed(conditioning: Conditioning[T], **changes: Any) -> Conditioning[T]:
    return conditioning.each(lambda one: replace(one, where=replace(one.where, **changes)))


def _same(spaces: Spaces, first: Conditioning[Any], second: Conditioning[Any]) -> None:
    spaces.agree(
        "text",
        Side("first prompt", first.space, "first"),
        Side("second prompt", second.space, "second"),
    )


def _mixed(left: Tensor, right: Tensor, share: float) -> Tensor:
    return left * share + right * (1 - share)


def _rows(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Both for equally many pictures. Raises `BadValue`."""
    rows = max(len(left), len(right))
    if {len(left), len(right)} - {1, rows}:
        raise BadValue(
            f"A prompt for {len(left)} pictures and one for {len(right)} cannot be put together."
        )
    return left.expand(rows, -1, -1), right.expand(rows, -1, -1)
