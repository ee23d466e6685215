"""Small building blocks that the UNet and the VAE share: normalisation, attention, time."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.operators import Linear, attention, gated_gelu
from diffusion.shapes import MissingTensor, Shapes, count, shape_of

__all__ = ["MissingTensor", "Shapes", "count", "shape_of"]  # besides what is defined here


def timestep_embedding(timesteps: Tensor, width: int) -> Tensor:
    """Sinusoids of the time, float32 (batch, width): cosines first, then sines.

    The frequencies fall from 1 to 1/10000 (Vaswani et al. 2017, section 3.5; the halves joined
    instead of interleaved, as Ho et al. 2020 train it).
    """
    half = width // 2
    exponent = torch.arange(half, dtype=torch.float32, device=timesteps.device) / half
    angles = timesteps.float()[:, None] * torch.exp(-math.log(10_000) * exponent)[None]
    embedding = torch.cat([angles.cos(), angles.sin()], dim=-1)  # (batch, 2 * half)
    return functional.pad(embedding, (0, width - 2 * half))


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Multi-head attention without a mask: (batch, tokens, width) from the same forms."""
    query, key, value = (
        tensor.view(*tensor.shape[:2], heads, -1).transpose(1, 2)  # (batch, heads, tokens, head)
        for tensor in (query, key, value)
    )
    return attention(query, key, value).transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Attention of (batch, tokens, width) to a context (batch, n, context_width), or to itself."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Linear(width, width, bias=False)
        self.to_k = Linear(context_width, width, bias=False)
        self.to_v = Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(Linear(width, width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        mixed = attend(self.to_q(x), self.to_k(context), self.to_v(context), self.heads)
        out: Tensor = self.to_out(mixed)
        return out


class GatedLinear(nn.Module):
    """GEGLU (Shazeer 2020): one half of a linear map, gated by the GELU of the other half."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        return gated_gelu(x, self.proj)


class FeedForward(nn.Module):
    """The gated feed-forward part of a transformer block, (batch, tokens, width) to the same."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        # index 1 was training's dropout; kept empty so that indices match the checkpoint
        self.net = nn.Sequential(GatedLinear(width, inner), nn.Identity(), Linear(inner, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.net(x)
        return out
