"""What FLUX.1 and FLUX.2 share: two streams of tokens, modulated, that attend to each other.

Text and picture begin as streams with weights of their own (double blocks, Esser et al. 2024,
section 4) and go on as one (single blocks, parallel as in Dehghani et al. 2023, section 2).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.layers import timestep_embedding
from diffusion.operators import Linear, attention

PATCH = 2
"""Elements of a latent along each edge of a token."""

EPSILON = 1e-6
"""Of every normalisation."""


class Rotation(NamedTuple):
    """Cosines and sines by which pairs of a head's numbers turn: (tokens, head / 2), float32."""

    cosine: Tensor
    sine: Tensor


class Change(NamedTuple):
    """How one residual branch is modulated; each (batch, 1, width)."""

    shift: Tensor
    scale: Tensor
    gate: Tensor

    def entering(self, x: Tensor) -> Tensor:
        """What the branch is given of tokens (batch, tokens, width)."""
        return modulated(x, self.shift, self.scale)


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Tokens (batch, tokens, width), normalised, scaled and shifted by (batch, 1, width)."""
    normal = functional.layer_norm(x, x.shape[-1:], eps=EPSILON)
    return torch.addcmul(shift, normal, 1 + scale)


def rotation(positions: Tensor, axes: tuple[int, ...], theta: float) -> Rotation:
    """Rotary positions (Su et al. 2021, eq. 34), a share of the head for each axis.

    `positions`: (tokens, axes). `axes`: numbers of the head that turn with each axis, all even.
    """
    # Float64 on the CPU, because not every device has it; a position of some hundreds times a
    # frequency needs more digits than float32 keeps.
    places = positions.to("cpu", torch.float64)
    angles = [
        places[:, axis, None]
        * theta ** -(torch.arange(0, width, 2, dtype=torch.float64, device="cpu") / width)
        for axis, width in enumerate(axes)
    ]
    angle = torch.cat(angles, dim=-1)  # (tokens, head / 2)
    cosine, sine = (part.to(positions.device, torch.float32) for part in (angle.cos(), angle.sin()))
    return Rotation(cosine, sine)


def grid(height: int, width: int, axes: int, first: int, device: torch.device) -> Tensor:
    """Positions (height * width, axes) of tokens: row and column on two axes from
    `first`, 0 on the others."""
    places = torch.zeros(height, width, axes, device=device)
    places[..., first] = torch.arange(height, device=device)[:, None]
    places[..., first + 1] = torch.arange(width, device=device)
    return places.flatten(0, 1)


def tokens_of(x: Tensor) -> Tensor:
    """A latent (batch, channels, height, width) as tokens (batch, tokens, 4 * channels).

    A token's numbers lie in the order channel, row, column.
    """
    return functional.pixel_unshuffle(x, PATCH).flatten(2).transpose(1, 2)


def latent_of(tokens: Tensor, height: int, width: int) -> Tensor:
    """The inverse of `tokens_of` for a latent of this size."""
    columns = tokens.transpose(1, 2)  # (batch, 4 * channels, tokens)
    folded = columns.reshape(*columns.shape[:2], height // PATCH, width // PATCH)
    return functional.pixel_shuffle(folded, PATCH)


def whole_tokens(x: Tensor) -> Tensor:
    """The latent, lengthened to whole tokens by its own opposite edge."""
    height, width = x.shape[-2:]
    extra = (0, -width % PATCH, 0, -height % PATCH)
    return functional.pad(x, extra, mode="circular") if any(extra) else x


class Embedder(nn.Module):
    """A vector of sinusoids or of pooled text, to the width of the model."""

    def __init__(self, entering: int, width: int, *, bias: bool = True) -> None:
        super().__init__()
        self.in_layer = Linear(entering, width, bias=bias)
        self.out_layer = Linear(width, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.out_layer(functional.silu(self.in_layer(x)))
        return out

    def of_number(self, numbers: Tensor) -> Tensor:
        """Embed a number of about 0…1, (batch,): a noise level, or a guidance."""
        sinusoids = timestep_embedding(numbers.float() * 1000, self.in_layer.in_features)
        embedded: Tensor = self(sinusoids.to(self.in_layer.weight.dtype))
        return embedded


class Modulation(nn.Module):
    """What time and text make of `count` residual branches (Peebles and Xie 2023, adaLN-Zero)."""

    def __init__(self, width: int, count: int, *, bias: bool = True) -> None:
        super().__init__()
        self.lin = Linear(width, 3 * count * width, bias=bias)
        self._count = count

    def forward(self, vector: Tensor) -> list[Change]:
        parts = self.lin(functional.silu(vector))[:, None].chunk(3 * self._count, dim=-1)
        return [Change(*parts[3 * index : 3 * index + 3]) for index in range(self._count)]


class Scale(nn.Module):
    """Root-mean-square normalisation with a learned scale (Zhang and Sennrich 2019), in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        normal = functional.rms_norm(x.float(), x.shape[-1:], eps=EPSILON)
        return normal.to(x.dtype) * self.scale


class QueryKeyNorm(nn.Module):
    """Queries and keys, normalised for each head (Henry et al. 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_norm = Scale(width)
        self.key_norm = Scale(width)


class Heads(NamedTuple):
    """Queries, keys and values, each (batch, heads, tokens, head)."""

    query: Tensor
    key: Tensor
    value: Tensor


def heads_of(qkv: Tensor, norm: QueryKeyNorm, heads: int) -> Heads:
    """The joint projection (batch, tokens, 3 * width) apart, queries and keys normalised."""
    query, key, value = qkv.reshape(*qkv.shape[:2], 3, heads, -1).permute(2, 0, 3, 1, 4)
    return Heads(norm.query_norm(query), norm.key_norm(key), value)


def attend(heads: Heads, turn: Rotation) -> Tensor:
    """Attention of all tokens to all, (batch, tokens, width)."""
    query, key = turned(heads.query, turn), turned(heads.key, turn)
    return attention(query, key, heads.value).transpose(1, 2).flatten(2)


def turned(x: Tensor, turn: Rotation) -> Tensor:
    """Neighbouring numbers of each head, turned as a pair (batch, heads, tokens, head)."""
    even, odd = x.float().reshape(*x.shape[:-1], -1, 2).unbind(-1)
    pairs = (even * turn.cosine - odd * turn.sine, even * turn.sine + odd * turn.cosine)
    return torch.stack(pairs, dim=-1).flatten(-2).to(x.dtype)


class GatedSilu(nn.Module):
    """SwiGLU (Shazeer 2020): one half of a linear map, gated by the SiLU of the other half."""

    def forward(self, x: Tensor) -> Tensor:
        gate, value = x.chunk(2, dim=-1)
        return functional.silu(gate) * value


class FinalLayer(nn.Module):
    """Tokens, modulated a last time, to what they say of their patch."""

    def __init__(self, width: int, out: int, *, bias: bool = True) -> None:
        super().__init__()
        self.linear = Linear(width, out, bias=bias)
        # index 0 is a SiLU; kept so that indices match the checkpoint
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), Linear(width, 2 * width, bias=bias))

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation(vector)[:, None].chunk(2, dim=-1)
        out: Tensor = self.linear(modulated(x, shift, scale))
        return out
