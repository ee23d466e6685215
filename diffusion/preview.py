"""Show a latent before it is done: a linear guess at its colours, or what a VAE makes of it."""

import io
from typing import Protocol

import numpy
import torch
from torch import Tensor


class ColouredSpace(Protocol):
    """What a preview needs of a latent space. The factors map model-space latents to about -1…1."""

    @property
    def rgb_factors(self) -> tuple[tuple[float, float, float], ...] | None:
        """A row (red, green, blue) for each channel; None where they are not known."""
        ...

    @property
    def rgb_bias(self) -> tuple[float, float, float]:
        """What is added to the three sums."""
        ...


def preview(latent: Tensor, space: ColouredSpace) -> numpy.ndarray:
    """The first picture of a model-space batch: uint8 (height, width, 3), a pixel an element.

    Where the space's colours are not known, its channels' mean is shown in grey.
    """
    elements = latent[0].detach().float().cpu().movedim(0, -1)  # (height, width, channels)
    if space.rgb_factors is None:
        # A model-space latent has about unit variance: two deviations either side fill the range.
        colours = elements.mean(dim=-1, keepdim=True).expand(-1, -1, 3) / 2
    else:
        colours = elements @ torch.tensor(space.rgb_factors) + torch.tensor(space.rgb_bias)
    pixels = (colours + 1) / 2 * 255
    return pixels.nan_to_num().clamp(0, 255).round().to(torch.uint8).numpy()


class Space(Protocol):
    """What a decoded preview needs of a latent space."""

    def denormalise(self, z: Tensor) -> Tensor:
        """From the model's own scale to raw VAE output."""
        ...


class Decoder(Protocol):
    """What makes pictures, float32 (batch, height, width, 3) in 0…1, of raw latents."""

    def decode(self, raw: Tensor) -> Tensor:
        """The pictures."""
        ...


def decoded(latent: Tensor, space: Space, decoder: Decoder) -> numpy.ndarray:
    """The first picture of a model-space batch as a VAE shows it: uint8 (height, width, 3)."""
    picture = decoder.decode(space.denormalise(latent[:1].detach().float()).cpu())[0]
    return (picture * 255).round().to(torch.uint8).numpy()


def jpeg(pixels: numpy.ndarray, longest_side: int = 256) -> bytes:
    """A JPEG file of uint8 (height, width, 3), enlarged or reduced to the side in pixels."""
    from PIL import Image

    picture = Image.fromarray(pixels)
    scale = longest_side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    file = io.BytesIO()
    picture.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=80)
    return file.getvalue()
