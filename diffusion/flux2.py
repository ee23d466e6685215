"""FLUX.2 (Black Forest Labs 2025): FLUX's transformer with one modulation for all its blocks."""

from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor, nn

from diffusion.flux_blocks import DoubleStream, SingleStream, Sizes, Streams, through
from diffusion.flux_layers import (
    PATCH,
    Change,
    Embedder,
    FinalLayer,
    Modulation,
    Rotation,
    grid,
    latent_of,
    rotation,
    tokens_of,
    whole_tokens,
)
from diffusion.layers import Shapes, count, shape_of
from diffusion.operators import Linear

THETA = 2000.0
AXES = 4
"""Of a position: picture (0 for the one that is made), row, column, word."""


@dataclass(frozen=True)
class Flux2Config:
    """Every size of a FLUX.2 transformer; there are no biases."""

    channels: int
    width: int
    heads: int
    feed_forward: int
    double_blocks: int
    single_blocks: int
    context_width: int
    time_width: int
    guided: bool

    @property
    def axes(self) -> tuple[int, ...]:
        """How many numbers of a head turn with each axis of the position: all alike."""
        return (self.width // self.heads // AXES,) * AXES

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> Self:
        """The sizes of the file whose tensors (without prefix) have these shapes."""
        width, entering = shape_of(shapes, "img_in.weight")
        (head,) = shape_of(shapes, "double_blocks.0.img_attn.norm.key_norm.scale")
        if head % (2 * AXES):
            raise ValueError(f"FLUX.2 has heads of a multiple of 8 numbers, and not of {head}.")
        return cls(
            channels=entering // PATCH**2,
            width=width,
            heads=width // head,
            feed_forward=shape_of(shapes, "double_blocks.0.img_mlp.2.weight")[1],
            double_blocks=count(shapes, "double_blocks.{}.img_attn.qkv.weight"),
            single_blocks=count(shapes, "single_blocks.{}.linear1.weight"),
            context_width=shape_of(shapes, "txt_in.weight")[1],
            time_width=shape_of(shapes, "time_in.in_layer.weight")[1],
            guided="guidance_in.in_layer.weight" in shapes,
        )


class Flux2(nn.Module):
    """The network: what it says of a noisy latent is the way from the clean one to the noise."""

    def __init__(self, config: Flux2Config) -> None:
        super().__init__()
        self.config = config
        width = config.width
        sizes = Sizes(width, config.heads, config.feed_forward, bias=False, gated=True)
        self.img_in = Linear(config.channels * PATCH**2, width, bias=False)
        self.txt_in = Linear(config.context_width, width, bias=False)
        self.time_in = Embedder(config.time_width, width, bias=False)
        if config.guided:
            self.guidance_in = Embedder(config.time_width, width, bias=False)
        self.double_stream_modulation_img = Modulation(width, 2, bias=False)
        self.double_stream_modulation_txt = Modulation(width, 2, bias=False)
        self.single_stream_modulation = Modulation(width, 1, bias=False)
        self.double_blocks = nn.ModuleList(DoubleBlock(sizes) for _ in range(config.double_blocks))
        self.single_blocks = nn.ModuleList(SingleBlock(sizes) for _ in range(config.single_blocks))
        self.final_layer = FinalLayer(width, config.channels * PATCH**2, bias=False)

    def forward(
        self, x: Tensor, timesteps: Tensor, context: Tensor, guidance: Tensor | None = None
    ) -> Tensor:
        """The flow at a noisy latent x (batch, 32, height, width), unpatchified and normalised.

        `timesteps`: σ in 0…1, (batch,). `context`: (batch, tokens, width). `guidance`: (batch,),
        for models that were distilled with it; left out, they run without.
        """
        height, width = x.shape[-2:]
        entry = whole_tokens(x)
        tall, wide = entry.shape[-2:]
        vector = self.time_in.of_number(timesteps)
        if self.config.guided and guidance is not None:
            vector = vector + self.guidance_in.of_number(guidance)
        picture = self.double_stream_modulation_img(vector)
        text = self.double_stream_modulation_txt(vector)
        (change,) = self.single_stream_modulation(vector)
        words = torch.zeros(context.shape[1], AXES, device=x.device)
        words[:, -1] = torch.arange(context.shape[1], device=x.device)
        places = torch.cat([words, grid(tall // PATCH, wide // PATCH, AXES, 1, x.device)])
        tokens = through(
            Streams(self.img_in(tokens_of(entry)), self.txt_in(context)),
            rotation(places, self.config.axes, THETA),
            [partial(block, picture=picture, text=text) for block in self.double_blocks],
            [partial(block, change=change) for block in self.single_blocks],
        )
        out = latent_of(self.final_layer(tokens, vector), tall, wide)
        return out[..., :height, :width]


class DoubleBlock(DoubleStream):
    """A double block that is told its modulation."""

    def forward(
        self, streams: Streams, turn: Rotation, picture: list[Change], text: list[Change]
    ) -> Streams:
        return self.mix(streams, picture, text, turn)


class SingleBlock(SingleStream):
    """A single block that is told its modulation."""

    def forward(self, x: Tensor, turn: Rotation, change: Change) -> Tensor:
        return self.mix(x, change, turn)
