"""The transformer blocks of FLUX.1 and FLUX.2, and the way of a latent through them."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from diffusion.flux_layers import (
    Change,
    GatedSilu,
    Heads,
    QueryKeyNorm,
    Rotation,
    attend,
    heads_of,
)
from diffusion.operators import Linear


class Sizes(NamedTuple):
    """What every block of one transformer has in common.

    `gated`: the feed-forward parts are SwiGLU (FLUX.2), else GELU (FLUX.1).
    """

    width: int
    heads: int
    feed_forward: int
    bias: bool
    gated: bool


class Streams(NamedTuple):
    """Tokens of the picture and of the text, each (batch, tokens, width)."""

    picture: Tensor
    text: Tensor


class StreamAttention(nn.Module):
    """One stream's own part of the attention."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.qkv = Linear(sizes.width, 3 * sizes.width, bias=sizes.bias)
        self.norm = QueryKeyNorm(sizes.width // sizes.heads)
        self.proj = Linear(sizes.width, sizes.width, bias=sizes.bias)


class DoubleStream(nn.Module):
    """Picture and text attend to each other, each with its own weights."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self._heads = sizes.heads
        self.img_attn = StreamAttention(sizes)
        self.img_mlp = _feed_forward(sizes)
        self.txt_attn = StreamAttention(sizes)
        self.txt_mlp = _feed_forward(sizes)

    def mix(
        self, streams: Streams, picture: list[Change], text: list[Change], turn: Rotation
    ) -> Streams:
        """The next tokens. `picture`, `text`: for attention and feed-forward of each stream."""
        parts = [
            heads_of(attention.qkv(change.entering(x)), attention.norm, self._heads)
            for x, change, attention in (
                (streams.text, text[0], self.txt_attn),
                (streams.picture, picture[0], self.img_attn),
            )
        ]
        joined = Heads(*(torch.cat(pair, dim=2) for pair in zip(*parts, strict=True)))
        mixed = attend(joined, turn)
        words = streams.text.shape[1]
        ways = (
            (streams.picture, picture, self.img_attn, self.img_mlp, mixed[:, words:]),
            (streams.text, text, self.txt_attn, self.txt_mlp, mixed[:, :words]),
        )
        return Streams(*(_onwards(*way) for way in ways))


def _onwards(
    x: Tensor,
    changes: list[Change],
    attention: StreamAttention,
    feed_forward: nn.Module,
    mixed: Tensor,
) -> Tensor:
    """One stream after its share of the attention and its feed-forward part."""
    first, second = changes
    x = x + first.gate * attention.proj(mixed)
    out: Tensor = x + second.gate * feed_forward(second.entering(x))
    return out


class SingleStream(nn.Module):
    """Attention and feed-forward side by side over all tokens, projected out together."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, inner = sizes.width, sizes.feed_forward
        self._heads, self._split = sizes.heads, (3 * width, (1 + sizes.gated) * inner)
        self.linear1 = Linear(width, sum(self._split), bias=sizes.bias)
        self.linear2 = Linear(width + inner, width, bias=sizes.bias)
        self.norm = QueryKeyNorm(width // sizes.heads)
        self.mlp_act = _activation(sizes)

    def mix(self, x: Tensor, change: Change, turn: Rotation) -> Tensor:
        """The next tokens of (batch, tokens, width)."""
        qkv, inner = self.linear1(change.entering(x)).split(self._split, dim=-1)
        mixed = attend(heads_of(qkv, self.norm, self._heads), turn)
        out: Tensor = x + change.gate * self.linear2(torch.cat([mixed, self.mlp_act(inner)], -1))
        return out


class Double(Protocol):
    """A double block with its modulation already chosen."""

    def __call__(self, streams: Streams, turn: Rotation) -> Streams: ...


class Single(Protocol):
    """A single block with its modulation already chosen."""

    def __call__(self, x: Tensor, turn: Rotation) -> Tensor: ...


def through(
    streams: Streams, turn: Rotation, doubles: Iterable[Double], singles: Iterable[Single]
) -> Tensor:
    """The picture's tokens after all blocks."""
    for double in doubles:
        streams = double(streams, turn)
    x = torch.cat([streams.text, streams.picture], dim=1)
    for single in singles:
        x = single(x, turn)
    return x[:, streams.text.shape[1] :]


def _feed_forward(sizes: Sizes) -> nn.Sequential:
    entering = Linear(sizes.width, (1 + sizes.gated) * sizes.feed_forward, bias=sizes.bias)
    leaving = Linear(sizes.feed_forward, sizes.width, bias=sizes.bias)
    return nn.Sequential(entering, _activation(sizes), leaving)


def _activation(sizes: Sizes) -> nn.Module:
    return GatedSilu() if sizes.gated else nn.GELU(approximate="tanh")
