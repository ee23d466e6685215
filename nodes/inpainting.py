"""Nodes that show a picture to the models made for it: inpainting, editing and depth."""

from dataclasses import replace
from typing import Annotated, Generic, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from diffusion import conditioning as extra
from graph.node import Part, node
from nodes.services import Interrupt, Models
from nodes.sockets import Conditioning, Image, Latent, Mask, S, T, Vae


class Shown(NamedTuple, Generic[T, S]):
    """Both prompts with the picture beside them, and the latent to start from."""

    positive: Conditioning[T]
    negative: Conditioning[T]
    latent: Latent[S]


@node(title="Inpaint Conditioning", category="conditioning")
def inpaint_conditioning(
    positive: Conditioning[T],
    negative: Conditioning[T],
    image: Image,
    mask: Mask,
    vae: Annotated[Vae[S], Part("encoder")],
    *,
    models: Models,
    interrupt: Interrupt,
) -> Shown[T, S]:
    """Show a picture with a hole in it to an inpainting model, which fills where the mask is 1."""
    loaded = models.vae(vae)
    pixels, hole = _whole_cells(image.pixels, mask.values, loaded.config.cell)
    keep = 1 - hole.round()[..., None]  # (1 or batch, height, width, 1)
    covered = (pixels - 0.5) * keep + 0.5  # grey where something new shall be
    extras = {
        extra.CONCAT_LATENT: loaded.encode(covered, interrupt.check),
        extra.CONCAT_MASK: hole,
    }
    space = vae.latent_space
    start = Latent[S](loaded.encode(pixels, interrupt.check), space, Mask(hole))
    return Shown(_with(positive, extras, space), _with(negative, extras, space), start)


@node(title="Edit Conditioning", category="conditioning")
def edit_conditioning(
    positive: Conditioning[T],
    negative: Conditioning[T],
    image: Image,
    vae: Annotated[Vae[S], Part("encoder")],
    *,
    models: Models,
    interrupt: Interrupt,
) -> Shown[T, S]:
    """Show a picture to a model that works after one, and begin with noise alone.

    InstructPix2Pix changes it as the prompt says; FLUX.1 Canny and Depth follow its lines or depth.
    """
    latent = models.vae(vae).encode(image.pixels, interrupt.check)
    extras = {extra.CONCAT_LATENT: latent}
    space = vae.latent_space
    start = Latent[S](torch.zeros_like(latent), space)
    return Shown(_with(positive, extras, space), _with(negative, extras, space), start)


class Told(NamedTuple, Generic[T]):
    """Both prompts with what goes along."""

    positive: Conditioning[T]
    negative: Conditioning[T]


@node(title="Depth Conditioning", category="conditioning")
def depth_conditioning(
    positive: Conditioning[T], negative: Conditioning[T], depth: Image
) -> Told[T]:
    """Tell SD 2's depth model how near everything in the picture shall be, bright where nearest."""
    extras = {extra.DEPTH: depth.pixels.mean(dim=-1)}
    return Told(_with(positive, extras), _with(negative, extras))


def _with(conditioning: Conditioning[T], extras: extra.Extras, beside: str = "") -> Conditioning[T]:
    """The prompt with the extras on top; `beside`: the latent space of a picture among them."""
    return conditioning.each(
        lambda one: replace(one, extras={**one.extras, **extras}, beside=beside or one.beside)
    )


def _whole_cells(pixels: Tensor, mask: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """Both without what is over a whole number of cells, the mask at the picture's size."""
    size = (pixels.shape[1], pixels.shape[2])
    if mask.shape[1:] != size:
        mask = interpolate(mask[:, None], size=size, mode="bilinear")[:, 0]
    height, width = (edge // cell * cell for edge in size)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    rows, columns = slice(top, top + height), slice(left, left + width)
    return pixels[:, rows, columns], mask[:, rows, columns]
