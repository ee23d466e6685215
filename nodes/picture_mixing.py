"""Nodes that join pictures: invert, mix, lay one onto another, put several into a batch."""

from typing import Annotated

import torch
from pydantic import Field
from torch.nn.functional import interpolate

from diffusion.latents import paired, pasted
from diffusion.pictures import scaled
from graph.node import node
from graph.types import Variadic
from nodes.sockets import Image, Mask

Place = Annotated[int, Field(ge=0, le=16384, description="Pixels.")]


@node(title="Invert Image", category="image")
def invert_image(image: Image) -> Image:
    """The negative: black is white, and every colour its opposite."""
    return Image(1 - image.pixels)


@node(title="Blend Images", category="image")
def blend_images(
    first: Image,
    second: Image,
    share: Annotated[
        float, Field(ge=0, le=1, description="How much of the first: 1 is all of it.")
    ] = 0.5,
) -> Image:
    """Mix two pictures. The second is made as large as the first, and cut to its proportions."""
    height, width = first.pixels.shape[1:3]
    left, right = paired(first.pixels, _fitted(second, height, width).pixels)
    return Image(left * share + right * (1 - share))


@node(title="Composite Images", category="image")
def composite_images(
    onto: Image, piece: Image, mask: Mask | None = None, x: Place = 0, y: Place = 0
) -> Image:
    """Lay one picture onto another, where the mask is 1; what lies beyond its edges is cut off."""
    stencil = None
    if mask is not None:
        stencil = interpolate(mask.values[:, None], size=piece.pixels.shape[1:3], mode="bilinear")
    under, over = onto.pixels.movedim(-1, 1), piece.pixels.movedim(-1, 1)
    return Image(pasted(under, over, y, x, stencil).movedim(1, -1).contiguous())


@node(title="Image Batch", category="image")
def image_batch(images: Variadic[Image]) -> Image:
    """Pictures one after the other as a batch; all are made as large as the first."""
    height, width = images[0].pixels.shape[1:3]
    return Image(torch.cat([_fitted(image, height, width).pixels for image in images]))


def _fitted(image: Image, height: int, width: int) -> Image:
    if image.pixels.shape[1:3] == (height, width):
        return image
    return Image(scaled(image.pixels, height, width, "lanczos", crop=True))
