"""Nodes that turn latents into pictures, and back."""

import torch
from torch import Tensor

from graph.node import node
from nodes.services import Interrupt, Models, Side, Spaces
from nodes.sockets import Image, Latent, S, Vae


class NotFinite(ArithmeticError):
    """A VAE answered with NaN or infinity."""


class WrongShape(ValueError):
    """A latent or picture that the VAE cannot take."""


@node(title="VAE Decode", category="latent")
def vae_decode(
    latent: Latent[S], vae: Vae[S], *, models: Models, spaces: Spaces, interrupt: Interrupt
) -> Image:
    """Turn latents into pictures with the VAE of their own space."""
    spaces.agree("latent", Side("latent", latent.space), Side("VAE", vae.latent_space))
    decoder = models.vae(vae)
    channels = latent.samples.shape[1]
    if channels != decoder.config.latent_channels:
        raise WrongShape(
            f"The latent has {channels} channels and this VAE takes "
            f"{decoder.config.latent_channels}: use the VAE of the model that made it."
        )
    weight = next(decoder.parameters())
    pictures = []
    for one in latent.samples[:, None]:
        interrupt.check()
        with torch.no_grad():
            pictures.append(decoder.decode(one.to(weight)).float().cpu())
    pixels = torch.cat(pictures)  # (batch, 3, height, width) in -1…1
    _require_finite(pixels, "picture", weight.dtype)
    return Image(((pixels + 1) / 2).clamp(0, 1).movedim(1, -1).contiguous())


@node(title="VAE Encode", category="latent")
def vae_encode(image: Image, vae: Vae[S], *, models: Models, interrupt: Interrupt) -> Latent[S]:
    """Turn pictures into latents. What is over a whole number of cells is cut off at the edges."""
    encoder = models.vae(vae)
    pixels = _whole_cells(image.pixels, encoder.config.downscale).movedim(-1, 1) * 2 - 1
    weight = next(encoder.parameters())
    latents = []
    for one in pixels[:, None]:
        interrupt.check()
        with torch.no_grad():
            latents.append(encoder.encode(one.to(weight)).float().cpu())
    samples = torch.cat(latents)
    _require_finite(samples, "latent", weight.dtype)
    return Latent(samples, vae.latent_space)


def _whole_cells(pixels: Tensor, cell: int) -> Tensor:
    """The middle of the pictures (batch, height, width, 3), its edges multiples of `cell`."""
    height, width = (edge // cell * cell for edge in pixels.shape[1:3])
    if not height or not width:
        raise WrongShape(
            f"A picture of {pixels.shape[2]} x {pixels.shape[1]} pixels is too small for this VAE: "
            f"{cell} x {cell} is the least."
        )
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return pixels[:, top : top + height, left : left + width]


def _require_finite(tensor: Tensor, what: str, dtype: torch.dtype) -> None:
    if not torch.isfinite(tensor).all():
        raise NotFinite(
            f"The {what} holds numbers that are not finite (NaN). The VAE computes in "
            f"{str(dtype).removeprefix('torch.')}: try --precision float32; if that gives the "
            "same, the latent or the model file is damaged."
        )
