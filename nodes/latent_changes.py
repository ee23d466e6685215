"""Nodes that change the size, the edges or the position of a latent; its space stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from diffusion import latents
from graph.node import node
from graph.widgets import OneOf
from nodes.services import Spaces
from nodes.sockets import Latent, Mask, S

Method = Annotated[str, OneOf(latents.METHODS)]
Edge = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]
Position = Annotated[int, Field(ge=0, le=16384, multiple_of=8, description="Pixels from the edge.")]

FINE = 8
"""A mask is cut and turned at so many pixels a cell, whatever its own size was."""


def cell(latent: Latent[S], spaces: Spaces) -> int:
    """Pixels along the edge of one of the latent's cells; 8, as most have, where nobody knows."""
    return spaces.latent(latent.space).downscale if latent.space else 8


def changed(latent: Latent[S], change: Callable[[Tensor, int], Tensor]) -> Latent[S]:
    """The latent and its mask, both changed alike; the change is told what one cell measures."""
    samples, mask = change(latent.samples, 1), latent.mask
    if mask is not None:
        height, width = latent.samples.shape[-2:]
        fine = latents.resized(mask.values[:, None], height * FINE, width * FINE, "bilinear")
        mask = Mask(change(fine, FINE)[:, 0].clamp(0, 1).contiguous())
    return replace(latent, samples=samples.contiguous(), mask=mask)


@node(title="Latent Upscale", category="latent")
def latent_upscale(
    latent: Latent[S],
    method: Method = "nearest-exact",
    width: Annotated[Edge, Field(description="Pixels; 0 keeps the proportions.")] = 512,
    height: Annotated[Edge, Field(description="Pixels; 0 keeps the proportions.")] = 512,
    crop: Annotated[str, OneOf(("disabled", "center"))] = "disabled",
    *,
    spaces: Spaces,
) -> Latent[S]:
    """Resize a latent, larger or smaller. Sample it again afterwards: alone it looks blurred."""
    if not width and not height:
        return latent
    edge, (rows, columns) = cell(latent, spaces), latent.samples.shape[-2:]
    high = height // edge if height else round(width / edge * rows / columns)
    wide = width // edge if width else round(height / edge * columns / rows)
    return _resized(latent, max(1, high), max(1, wide), method, crop == "center")


@node(title="Latent Upscale By", category="latent")
def latent_upscale_by(
    latent: Latent[S],
    method: Method = "nearest-exact",
    scale_by: Annotated[float, Field(ge=0.01, le=8)] = 1.5,
) -> Latent[S]:
    """Resize a latent by a factor. Sample it again afterwards: alone it looks blurred."""
    high, wide = (max(1, round(edge * scale_by)) for edge in latent.samples.shape[-2:])
    return _resized(latent, high, wide, method, crop=False)


@node(title="Latent Crop", category="latent")
def latent_crop(
    latent: Latent[S],
    width: Annotated[Edge, Field(ge=8)] = 512,
    height: Annotated[Edge, Field(ge=8)] = 512,
    x: Position = 0,
    y: Position = 0,
    *,
    spaces: Spaces,
) -> Latent[S]:
    """Cut a piece out of a latent; one that would reach over an edge is moved inside."""
    edge, (rows, columns) = cell(latent, spaces), latent.samples.shape[-2:]
    high, wide = max(1, min(height // edge, rows)), max(1, min(width // edge, columns))
    top, left = min(y // edge, rows - high), min(x // edge, columns - wide)

    def cut(part: Tensor, size: int) -> Tensor:
        down = slice(top * size, (top + high) * size)
        return part[..., down, left * size : (left + wide) * size]

    return changed(latent, cut)


@node(title="Latent Flip", category="latent")
def latent_flip(
    latent: Latent[S], direction: Annotated[str, OneOf(("vertical", "horizontal"))] = "vertical"
) -> Latent[S]:
    """Mirror a latent: vertical swaps top and bottom, horizontal left and right."""
    along = -2 if direction == "vertical" else -1
    return changed(latent, lambda part, _: part.flip(along))


@node(title="Latent Rotate", category="latent")
def latent_rotate(
    latent: Latent[S],
    rotation: Annotated[str, OneOf(("none", "90 degrees", "180 degrees", "270 degrees"))] = "none",
) -> Latent[S]:
    """Turn a latent clockwise."""
    quarters = 0 if rotation == "none" else int(rotation.split()[0]) // 90
    return changed(latent, lambda part, _: torch.rot90(part, -quarters, (-2, -1)))


@node(title="Set Latent Noise Mask", category="latent")
def set_latent_noise_mask(latent: Latent[S], mask: Mask) -> Latent[S]:
    """Have a sampler make anew only what is 1 in the mask, and keep the rest."""
    return replace(latent, mask=mask)


def _resized(latent: Latent[S], high: int, wide: int, method: str, crop: bool) -> Latent[S]:
    def resize(part: Tensor, size: int) -> Tensor:
        way = method if size == 1 else "bilinear"  # a mask is smooth, and no vector to turn
        return latents.resized(part, high * size, wide * size, way, crop=crop)

    return changed(latent, resize)
