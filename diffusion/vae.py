"""The KL autoencoder of latent diffusion: pixels to latents and back (Rombach et al. 2022).

SD 1.x to SDXL have 4 channels and quantising convolutions, SD3 and FLUX.1 16 and none, FLUX.2 32,
convolutions inside encoder and decoder, and statistics by which its latents are normalised.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.layers import attend
from diffusion.operators import doubled_conv
from diffusion.patch_statistics import PatchStatistics
from diffusion.spaces import LatentSpace
from diffusion.vae_config import VaeConfig

__all__ = ["AutoencoderKL", "Moments", "ResidualBlock", "VaeConfig", "sample_posterior"]


class Moments(NamedTuple):
    """The encoder's Gaussian over raw latents, each (batch, channels, height/8, width/8)."""

    mean: Tensor
    log_variance: Tensor


class AutoencoderKL(nn.Module):
    """Encoder and decoder between pixels in -1…1 and raw (unscaled) latents."""

    kept_exact = ("bn.running_mean", "bn.running_var")
    """Tensors that a narrower number format would spoil."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        if config.quantised_channels is not None:
            latent, quantised = config.latent_channels, config.quantised_channels
            self.quant_conv = nn.Conv2d(2 * latent, 2 * quantised, 1)
            self.post_quant_conv = nn.Conv2d(quantised, latent, 1)
        if config.normalised:
            self.bn = PatchStatistics(config.latent_channels)

    def moments(self, pixels: Tensor) -> Moments:
        """Mean and log variance of the latents of pixels (batch, 3, height, width) in -1…1."""
        encoded = self.encoder(pixels)
        if self.config.quantised_channels is not None:
            encoded = self.quant_conv(encoded)
        mean, log_variance = encoded.chunk(2, dim=1)
        # the clamp keeps exp() finite; Kingma & Welling 2014 leave the range open
        return Moments(mean, log_variance.clamp(-30.0, 20.0))

    def encode(self, pixels: Tensor) -> Tensor:
        """The raw latent mean (batch, channels, height/8, width/8) of pixels in -1…1."""
        return self.moments(pixels).mean

    def decode(self, raw: Tensor) -> Tensor:
        """Pixels (batch, 3, 8*height, 8*width), nominally in -1…1, of raw latents."""
        if self.config.quantised_channels is not None:
            raw = self.post_quant_conv(raw)
        pixels: Tensor = self.decoder(raw)
        return pixels

    def to_wire(self, raw: Tensor, space: LatentSpace | None = None) -> Tensor:
        """A raw latent in the form in which it travels: itself, but for FLUX.2."""
        return self.bn.normalise(raw) if self.config.normalised else raw

    def from_wire(self, latent: Tensor, space: LatentSpace | None = None) -> Tensor:
        """The inverse of `to_wire`."""
        return self.bn.denormalise(latent) if self.config.normalised else latent


class Encoder(nn.Module):
    """Pixels to the stacked mean and log variance of the latent."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        groups, channels = config.norm_groups, config.channels
        self.conv_in = nn.Conv2d(config.pixel_channels, config.stem_channels, 3, padding=1)
        self.down = nn.ModuleList()
        width = config.stem_channels
        for level, out in enumerate(channels):
            last = level == len(channels) - 1
            blocks = _blocks(width, out, config.encoder_blocks, groups)
            self.down.append(Level(blocks, downsample=None if last else Downsample(out)))
            width = out
        self.mid = Middle(width, groups)
        self.norm_out = _norm(width, groups)
        moments = 2 * config.latent_channels
        self.conv_out = nn.Conv2d(width, moments, 3, padding=1)
        self.quant_conv = nn.Conv2d(moments, moments, 1) if config.normalised else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = _through(self.down, self.conv_in(x))
        x = self.norm_out(self.mid(x))
        out: Tensor = self.quant_conv(self.conv_out(_silu(x)))
        return out


class Decoder(nn.Module):
    """Latents to pixels. `up` is numbered from full resolution, and so runs backwards."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        groups, channels = config.norm_groups, config.channels
        width = channels[-1]
        latent = config.latent_channels
        self.post_quant_conv = nn.Conv2d(latent, latent, 1) if config.normalised else nn.Identity()
        self.conv_in = nn.Conv2d(latent, width, 3, padding=1)
        self.mid = Middle(width, groups)
        levels: list[Level] = []
        for level, out in reversed(list(enumerate(channels))):
            blocks = _blocks(width, out, config.decoder_blocks, groups)
            levels.append(Level(blocks, upsample=Upsample(out) if level > 0 else None))
            width = out
        self.up = nn.ModuleList(reversed(levels))
        self.norm_out = _norm(width, groups)
        self.conv_out = nn.Conv2d(width, config.pixel_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = _through(reversed(self.up), self.mid(self.conv_in(self.post_quant_conv(x))))
        x = self.norm_out(x)
        out: Tensor = self.conv_out(_silu(x))
        return out


class Level(nn.Module):
    """The residual blocks of one resolution, and the way to the next one."""

    def __init__(
        self,
        blocks: nn.ModuleList,
        *,
        downsample: "Downsample | None" = None,
        upsample: "Upsample | None" = None,
    ) -> None:
        super().__init__()
        self.block = blocks
        if downsample is not None:
            self.downsample = downsample
        if upsample is not None:
            self.upsample = upsample

    def forward(self, handed: list[Tensor]) -> Tensor:
        """Takes its input out of the list, so that no caller holds it to the level's end."""
        x = handed.pop()
        # the children in order: block, then downsample or upsample
        for child in self.children():
            for step in child if isinstance(child, nn.ModuleList) else (child,):
                x = step(x)
        return x


class Middle(nn.Module):
    """Two residual blocks around one single-head attention, at the lowest resolution."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(width, width, groups)
        self.attn_1 = PixelAttention(width, groups)
        self.block_2 = ResidualBlock(width, width, groups)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block_2(self.attn_1(self.block_1(x)))
        return out


class ResidualBlock(nn.Module):
    """Norm, SiLU and 3x3 convolution, twice, beside a shortcut (He et al. 2016)."""

    def __init__(self, width: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = _norm(width, groups)
        self.conv1 = nn.Conv2d(width, out, 3, padding=1)
        self.norm2 = _norm(out, groups)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        if width != out:
            self.nin_shortcut = nn.Conv2d(width, out, 1)
        self._widens = width != out

    def forward(self, x: Tensor) -> Tensor:
        # each line lets go of what the line before made: a large picture's are hundreds of MB
        h = self.norm1(x)
        h = self.conv1(_silu(h))
        h = self.norm2(h)
        h = self.conv2(_silu(h))
        return _added(h, self.nin_shortcut(x) if self._widens else x)


class PixelAttention(nn.Module):
    """Self-attention of one head over all pixels; its linear maps are stored as 1x1 convs."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.norm = _norm(width, groups)
        self.q = nn.Conv2d(width, width, 1)
        self.k = nn.Conv2d(width, width, 1)
        self.v = nn.Conv2d(width, width, 1)
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        # (batch, pixels, channels)
        query, key, value = (
            part(h).flatten(2).transpose(1, 2).contiguous() for part in (self.q, self.k, self.v)
        )
        mixed = attend(query, key, value, heads=1).transpose(1, 2).reshape(x.shape)
        out: Tensor = x + self.proj_out(mixed)
        return out


class Downsample(nn.Module):
    """Half the resolution; pads right and bottom only, as the checkpoints were trained."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(functional.pad(x, (0, 1, 0, 1)))
        return out


class Upsample(nn.Module):
    """Twice the resolution by repetition, smoothed by a 3x3 convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return doubled_conv(x, self.conv)


def _blocks(width: int, out: int, number: int, groups: int) -> nn.ModuleList:
    return nn.ModuleList(
        ResidualBlock(width if index == 0 else out, out, groups) for index in range(number)
    )


def _through(levels: Iterable[nn.Module], x: Tensor) -> Tensor:
    handed = [x]
    del x
    for level in levels:
        handed.append(level(handed))
    return handed.pop()


def _silu(x: Tensor) -> Tensor:
    """SiLU, in place of `x` where no gradient has to be kept."""
    return functional.silu(x, inplace=not torch.is_grad_enabled())


def _added(x: Tensor, y: Tensor) -> Tensor:
    """x + y, in place of `x` where no gradient has to be kept."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


def _norm(width: int, groups: int) -> nn.GroupNorm:
    return nn.GroupNorm(groups, width, eps=1e-6)


def sample_posterior(moments: Moments, generator: torch.Generator | None = None) -> Tensor:
    """One draw from the encoder's Gaussian (training's way; the app encodes to the mean)."""
    noise = torch.randn(moments.mean.shape, generator=generator, dtype=moments.mean.dtype)
    deviation = torch.exp(0.5 * moments.log_variance)
    return moments.mean + deviation * noise.to(moments.mean.device)
