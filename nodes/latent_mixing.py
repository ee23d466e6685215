"""Nodes that join latents of one space: mix, lay one onto another, make and part batches."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from diffusion.latents import blended, feathered, joined, paired, pasted, resized, turned_towards
from graph.node import node
from graph.types import Variadic
from nodes.latent_changes import Position, cell
from nodes.services import Side, Spaces
from nodes.sockets import Latent, Mask, S

Share = Annotated[float, Field(ge=0, le=1, description="How much of the first: 1 is all of it.")]


@node(title="Latent Blend", category="latent")
def latent_blend(
    first: Latent[S], second: Latent[S], share: Share = 0.5, *, spaces: Spaces
) -> Latent[S]:
    """Mix two latents, as two pictures one above the other."""
    _same(spaces, first, second)
    return replace(first, samples=blended(first.samples, second.samples, share))


@node(title="Latent Interpolate", category="latent")
def latent_interpolate(
    first: Latent[S], second: Latent[S], share: Share = 0.5, *, spaces: Spaces
) -> Latent[S]:
    """Mix two latents without the loss of contrast that Latent Blend has."""
    _same(spaces, first, second)
    return replace(first, samples=turned_towards(first.samples, second.samples, share))


@node(title="Latent Composite", category="latent")
def latent_composite(
    onto: Latent[S],
    piece: Latent[S],
    x: Position = 0,
    y: Position = 0,
    feather: Annotated[
        int, Field(ge=0, le=16384, multiple_of=8, description="Pixels over which edges fade.")
    ] = 0,
    *,
    spaces: Spaces,
) -> Latent[S]:
    """Lay one latent onto another at a place."""
    _same(spaces, onto, piece)
    edge = cell(onto, spaces)
    top, left = y // edge, x // edge
    mask = feathered(onto.samples, piece.samples, top, left, feather // edge)
    return replace(onto, samples=pasted(onto.samples, piece.samples, top, left, mask))


@node(title="Latent Composite Masked", category="latent")
def latent_composite_masked(
    onto: Latent[S],
    piece: Latent[S],
    mask: Mask | None = None,
    x: Position = 0,
    y: Position = 0,
    resize_piece: bool = False,
    *,
    spaces: Spaces,
) -> Latent[S]:
    """Lay one latent onto another where the mask is 1; the mask is that of the piece."""
    _same(spaces, onto, piece)
    edge, samples = cell(onto, spaces), piece.samples
    if resize_piece:
        height, width = onto.samples.shape[-2:]
        samples = resized(samples, height, width, "bilinear")
    cover: Tensor | None = None
    if mask is not None:
        height, width = samples.shape[-2:]
        cover = resized(mask.values[:, None], height, width, "bilinear")
        cover, samples = paired(cover, samples)
    return replace(onto, samples=pasted(onto.samples, samples, y // edge, x // edge, cover))


@node(title="Latent Batch", category="latent")
def latent_batch(latents: Variadic[Latent[S]], *, spaces: Spaces) -> Latent[S]:
    """One batch of several latents; each is brought to the size of the first."""
    first, *rest = latents
    for other in rest:
        _same(spaces, first, other)
    samples = joined([latent.samples for latent in latents])
    return replace(first, samples=samples, mask=_masks(latents))


@node(title="Repeat Latent Batch", category="latent")
def repeat_latent_batch(
    latent: Latent[S], amount: Annotated[int, Field(ge=1, le=64)] = 1
) -> Latent[S]:
    """The batch several times over, so that each picture is made that often."""
    mask = latent.mask
    if mask is not None and len(mask.values) > 1:
        mask = Mask(mask.values.repeat(amount, 1, 1))
    return replace(latent, samples=latent.samples.repeat(amount, 1, 1, 1), mask=mask)


@node(title="Latent From Batch", category="latent")
def latent_from_batch(
    latent: Latent[S],
    index: Annotated[int, Field(ge=0, le=4095, description="The first to take; 0 begins.")] = 0,
    length: Annotated[int, Field(ge=1, le=4096)] = 1,
) -> Latent[S]:
    """Some pictures of a batch; past its end the last ones are taken."""
    count = len(latent.samples)
    start = min(index, count - 1)
    chosen = slice(start, min(start + length, count))
    mask = latent.mask
    if mask is not None and len(mask.values) == count:
        mask = Mask(mask.values[chosen])
    return replace(latent, samples=latent.samples[chosen].clone(), mask=mask)


def _same(spaces: Spaces, one: Latent[S], other: Latent[S]) -> None:
    """Raise `WrongSpace` where two latents must not mix; wires of unknown files lead here."""
    spaces.agree(
        "latent",
        Side("first latent", one.space, "first"),
        Side("second latent", other.space, "second"),
    )


def _masks(parts: Sequence[Latent[S]]) -> Mask | None:
    """One mask for all of the batch: what has none is made anew all over."""
    if all(latent.mask is None for latent in parts):
        return None
    height, width = parts[0].samples.shape[-2:]
    made = []
    for latent in parts:
        mask = torch.ones(1, 8, 8) if latent.mask is None else latent.mask.values
        fine = resized(mask[:, None], height * 8, width * 8, "bilinear")[:, 0]
        made.append(fine.expand(len(latent.samples), -1, -1))
    return Mask(torch.cat(made))
