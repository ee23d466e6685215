"""Tiny autoencoders (TAESD, by Ole Boer Bohan): fast stand-ins for a VAE, and previews of a run.

They speak the model's own scale where a VAE speaks raw latents, and exist for SD 1.x, SDXL, SD3,
FLUX.1 (one architecture, 4 or 16 channels) and FLUX.2 (32 channels, with pooled blocks).
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.layers import MissingTensor, Shapes, shape_of
from diffusion.spaces import LatentSpace

PIXEL_CHANNELS = 3
DOWNSCALE = 8
GROUPS = 4
"""Of the normalisation in a pooled block."""

ENCODER_END, DECODER_END = 14, 19
"""The number of the last convolution in each half."""


class HalfVae(ValueError):
    """A file with only an encoder or only a decoder was asked for the other half."""

    def __init__(self, lacking: str) -> None:
        super().__init__(
            f"This tiny VAE's file holds no {lacking}: encoder and decoder of a tiny VAE are often "
            "two files. Load one that holds both."
        )


class UnknownScale(ValueError):
    """Nobody knows which space a tiny VAE speaks, and so not how its latents are scaled."""

    def __init__(self) -> None:
        super().__init__(
            "This tiny VAE could be one of several kinds that look alike (SD 1.x or SDXL, FLUX.1 "
            "or SD3), and its latents cannot be scaled without knowing which: connect it to a "
            "latent of a known space, or say in the list of models which it is."
        )


@dataclass(frozen=True)
class TinyConfig:
    """What differs between tiny autoencoders. `pooled`: blocks at the lowest resolution normalise.

    `scaled`: scale and shift of the latent space lie in the file.
    """

    latent_channels: int
    width: int = 64
    pooled: bool = False
    encodes: bool = True
    decodes: bool = True
    scaled: bool = False

    @property
    def downscale(self) -> int:
        """Pixels per latent pixel, along each side."""
        return DOWNSCALE

    @property
    def cell(self) -> int:
        """Pixels along each side that a picture must be a multiple of."""
        return DOWNSCALE

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> Self:
        """The sizes of one whose tensors, named by `vae_names.tiny_names`, have these shapes."""
        encodes, decodes = "encoder.0.weight" in shapes, "decoder.1.weight" in shapes
        if not encodes and not decodes:
            raise MissingTensor(
                "Neither encoder.0.weight nor decoder.1.weight is there: this is no tiny VAE."
            )
        first = "encoder.0.weight" if encodes else "decoder.1.weight"
        if decodes:
            channels = shape_of(shapes, "decoder.1.weight")[1]
        else:
            channels = shape_of(shapes, f"encoder.{ENCODER_END}.weight")[0]
        return cls(
            latent_channels=channels,
            width=shape_of(shapes, first)[0],
            pooled=any(".pool." in name for name in shapes),
            encodes=encodes,
            decodes=decodes,
            scaled="vae_scale" in shapes,
        )


class TinyAutoencoder(nn.Module):
    """Encoder and decoder between pixels in -1…1 and latents in the model's own scale."""

    vae_scale: Tensor
    vae_shift: Tensor
    kept_exact = ("vae_scale", "vae_shift")
    """Tensors that a narrower number format would spoil."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        if config.encodes:
            self.encoder = _encoder(config)
        if config.decodes:
            self.decoder = _decoder(config)
        if config.scaled:
            self.register_buffer("vae_scale", torch.ones(()))
            self.register_buffer("vae_shift", torch.zeros(()))

    def encode(self, pixels: Tensor) -> Tensor:
        """The latent (batch, channels, height/8, width/8) of pixels in -1…1. Raises `HalfVae`."""
        if not self.config.encodes:
            raise HalfVae("encoder")
        latent: Tensor = self.encoder((pixels + 1) / 2)
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Pixels, nominally in -1…1, of a latent in the model's own scale. Raises `HalfVae`."""
        if not self.config.decodes:
            raise HalfVae("decoder")
        pixels: Tensor = self.decoder(latent) * 2 - 1
        return pixels

    def to_wire(self, latent: Tensor, space: LatentSpace | None = None) -> Tensor:
        """The raw latent, as a VAE of the space would give it. Raises `UnknownScale`."""
        if self.config.scaled:
            return latent / self.vae_scale.to(latent) + self.vae_shift.to(latent)
        if space is None:
            raise UnknownScale
        return space.denormalise(latent)

    def from_wire(self, raw: Tensor, space: LatentSpace | None = None) -> Tensor:
        """The inverse of `to_wire`."""
        if self.config.scaled:
            return (raw - self.vae_shift.to(raw)) * self.vae_scale.to(raw)
        if space is None:
            raise UnknownScale
        return space.normalise(raw)


class Block(nn.Module):
    """Three convolutions beside a shortcut; a pooled one looks over the whole picture first."""

    def __init__(self, width: int, *, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            _conv(width, width), nn.ReLU(), _conv(width, width), nn.ReLU(), _conv(width, width)
        )
        self._pooled = pooled
        if pooled:
            self.pool = nn.Sequential(
                nn.Conv2d(width, 4 * width, 1, bias=False),
                nn.GroupNorm(GROUPS, 4 * width),
                nn.ReLU(),
                nn.Conv2d(4 * width, width, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        if self._pooled:
            x = x + self.pool(x)
        return functional.relu(self.conv(x) + x)


class SoftClamp(nn.Module):
    """Keep latents within ±3 without a corner."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def _encoder(config: TinyConfig) -> nn.Sequential:
    """The numbers of the parts are those of the published files."""
    width = config.width
    parts = [_conv(PIXEL_CHANNELS, width), Block(width)]
    for level in range(3):
        parts.append(_conv(width, width, stride=2, bias=False))
        parts += [Block(width, pooled=config.pooled and level == 2) for _ in range(3)]
    return nn.Sequential(*parts, _conv(width, config.latent_channels))


def _decoder(config: TinyConfig) -> nn.Sequential:
    width = config.width
    parts = [SoftClamp(), _conv(config.latent_channels, width), nn.ReLU()]
    for level in range(3):
        parts += [Block(width, pooled=config.pooled and level == 0) for _ in range(3)]
        parts += [nn.Upsample(scale_factor=2), _conv(width, width, bias=False)]
    return nn.Sequential(*parts, Block(width), _conv(width, PIXEL_CHANNELS))


def _conv(entering: int, leaving: int, *, stride: int = 1, bias: bool = True) -> nn.Module:
    return nn.Conv2d(entering, leaving, 3, padding=1, stride=stride, bias=bias)
