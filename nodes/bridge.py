"""Nodes between latent spaces: from one to another by way of the picture, and VAEs compared."""

from os import fspath
from pathlib import PurePath
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from diffusion.quality import psnr, ssim
from graph.node import node
from graph.types import LatentSpace, Variadic
from nodes.services import Interrupt, Models, Outputs, Spaces
from nodes.sockets import Image, Latent, S, Vae
from nodes.vae import suiting

R = TypeVar("R", bound=LatentSpace)

LOUDER = 8
"""So many times a difference is drawn, since a good VAE's is too faint to be seen."""

GAP = 8
"""White pixels between two pictures that lie side by side."""


class RoundTrip(NamedTuple, Generic[S]):
    """What came back, how it differs (grey: not at all), and the latent that it went through.

    `psnr` in decibels, 100 where nothing differs; `ssim` 1 where nothing differs.
    """

    image: Image
    difference: Image
    psnr: float
    ssim: float
    latent: Latent[S]


@node(title="Convert Latent", category="latent")
def convert_latent(
    latent: Latent[S],
    from_vae: Vae[S],
    to_vae: Vae[R],
    *,
    models: Models,
    spaces: Spaces,
    interrupt: Interrupt,
) -> Latent[R]:
    """Bring a latent into another model's space: decode it with one VAE, encode it with another."""
    decoder = suiting(latent, from_vae, models, spaces)
    pixels = decoder.decode(latent.samples, interrupt.check)
    samples = models.vae(to_vae).encode(pixels, interrupt.check)
    return Latent(samples, to_vae.latent_space, latent.mask)


@node(title="VAE Round Trip", category="latent", output=True, cache=False)
def vae_round_trip(
    image: Image, vae: Vae[S], *, models: Models, interrupt: Interrupt, outputs: Outputs
) -> RoundTrip[S]:
    """Encode a picture and decode it again: what this VAE loses. The difference is drawn x8."""
    loaded = models.vae(vae)
    samples = loaded.encode(image.pixels, interrupt.check)
    back = loaded.decode(samples, interrupt.check)
    before = _middle(image.pixels, back)
    difference = ((back - before) * LOUDER / 2 + 0.5).clamp(0, 1)
    loss, likeness = min(psnr(back, before), 100.0), ssim(back, before)
    outputs.preview(Image(side_by_side([before, back, difference])))
    outputs.tell(
        f"{_name(vae)}: PSNR {loss:.1f} dB, SSIM {likeness:.3f}. "
        f"Left: before, middle: after, right: the difference x{LOUDER}."
    )
    latent = Latent[S](samples, vae.latent_space)
    return RoundTrip(Image(back), Image(difference), loss, likeness, latent)


@node(title="Compare VAEs", category="latent", output=True, cache=False)
def compare_vaes(
    latent: Latent[S],
    vaes: Variadic[Vae[S]],
    *,
    models: Models,
    spaces: Spaces,
    interrupt: Interrupt,
    outputs: Outputs,
) -> Image:
    """Decode one latent with several VAEs of its space, side by side."""
    made = [
        suiting(latent, vae, models, spaces).decode(latent.samples, interrupt.check) for vae in vaes
    ]
    lines = [f"1. {_name(vaes[0])}"]
    for number, (vae, pixels) in enumerate(zip(vaes[1:], made[1:], strict=True), start=2):
        apart = min(psnr(pixels, made[0]), 100.0)
        lines.append(f"{number}. {_name(vae)}: PSNR {apart:.1f} dB against the first")
    picture = Image(side_by_side(made))
    outputs.preview(picture)
    outputs.tell("\n".join(lines))
    return picture


def side_by_side(pictures: list[Tensor]) -> Tensor:
    """Batches of pictures of one size as one batch, each row from left to right."""
    parts: list[Tensor] = []
    for picture in pictures:
        batch, height = picture.shape[:2]
        parts += [picture, torch.ones(batch, height, GAP, 3)]
    return torch.cat(parts[:-1], dim=2)


def _middle(pixels: Tensor, like: Tensor) -> Tensor:
    """The part of the picture that the VAE took: what is over whole cells is cut off evenly."""
    height, width = like.shape[1:3]
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return pixels[:, top : top + height, left : left + width]


def _name(vae: Vae[Any]) -> str:
    return PurePath(fspath(vae.path)).name
