"""FLUX.1 (Black Forest Labs 2024): a transformer that turns noise into a latent by rectified flow.

Its tensors are named as in the published files. dev, schnell, Fill, Canny and Depth differ only in
what goes in: guidance or none, and what lies beside the latent.
"""

from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor, nn

from diffusion.flux_blocks import DoubleStream, SingleStream, Sizes, Streams, through
from diffusion.flux_layers import (
    PATCH,
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

THETA = 10_000.0
AXES = 3
"""Of a position: one that is always 0, row, column."""


@dataclass(frozen=True)
class FluxConfig:
    """Every size of a FLUX.1 transformer. `beside`: channels that are joined to the latent's.

    `axes`: how many numbers of a head turn with each axis of the position.
    """

    channels: int
    beside: int
    width: int
    heads: int
    feed_forward: int
    double_blocks: int
    single_blocks: int
    context_width: int
    pooled_width: int
    time_width: int
    guided: bool
    axes: tuple[int, ...]

    @classmethod
    def from_shapes(cls, shapes: Shapes) -> Self:
        """The sizes of the file whose tensors (without prefix) have these shapes."""
        width, entering = shape_of(shapes, "img_in.weight")
        (head,) = shape_of(shapes, "double_blocks.0.img_attn.norm.key_norm.scale")
        channels = shape_of(shapes, "final_layer.linear.weight")[0] // PATCH**2
        return cls(
            channels=channels,
            beside=entering // PATCH**2 - channels,
            width=width,
            heads=width // head,
            feed_forward=shape_of(shapes, "double_blocks.0.img_mlp.0.weight")[0],
            double_blocks=count(shapes, "double_blocks.{}.img_attn.qkv.weight"),
            single_blocks=count(shapes, "single_blocks.{}.linear1.weight"),
            context_width=shape_of(shapes, "txt_in.weight")[1],
            pooled_width=shape_of(shapes, "vector_in.in_layer.weight")[1],
            time_width=shape_of(shapes, "time_in.in_layer.weight")[1],
            guided="guidance_in.in_layer.weight" in shapes,
            axes=_axes(head),
        )


def _axes(head: int) -> tuple[int, ...]:
    """A head's 128 numbers turn 16 with nothing, 56 with the row, 56 with the column."""
    if head % 32:
        raise ValueError(f"FLUX.1 has heads of a multiple of 32 numbers, and not of {head}.")
    return (head // 8, head * 7 // 16, head * 7 // 16)


class Flux(nn.Module):
    """The network: what it says of a noisy latent is the way from the clean one to the noise."""

    def __init__(self, config: FluxConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        sizes = Sizes(width, config.heads, config.feed_forward, bias=True, gated=False)
        self.img_in = Linear((config.channels + config.beside) * PATCH**2, width)
        self.txt_in = Linear(config.context_width, width)
        self.time_in = Embedder(config.time_width, width)
        self.vector_in = Embedder(config.pooled_width, width)
        if config.guided:
            self.guidance_in = Embedder(config.time_width, width)
        self.double_blocks = nn.ModuleList(DoubleBlock(sizes) for _ in range(config.double_blocks))
        self.single_blocks = nn.ModuleList(SingleBlock(sizes) for _ in range(config.single_blocks))
        self.final_layer = FinalLayer(width, config.channels * PATCH**2)

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        vector: Tensor | None = None,
        guidance: Tensor | None = None,
        concat: Tensor | None = None,
    ) -> Tensor:
        """The flow at a noisy latent x (batch, channels, height, width) in the model's own scale.

        `timesteps`: σ in 0…1, (batch,). `context`: T5's tokens (batch, tokens, width). `vector`:
        CLIP's pooled one (batch, width), zeros where there is no CLIP. `guidance`: (batch,), for
        models that were distilled with it; left out, they run without. `concat`: what Fill, Canny
        and Depth see beside the latent, (batch, channels, height, width).
        """
        height, width = x.shape[-2:]
        entry = whole_tokens(self._joined(x, concat))
        tall, wide = entry.shape[-2:]
        control = self._control(timesteps, vector, guidance, entry)
        rows, columns = tall // PATCH, wide // PATCH
        words = torch.zeros(context.shape[1], AXES, device=x.device)
        places = torch.cat([words, grid(rows, columns, AXES, 1, x.device)])
        tokens = through(
            Streams(self.img_in(tokens_of(entry)), self.txt_in(context)),
            rotation(places, self.config.axes, THETA),
            [partial(block, vector=control) for block in self.double_blocks],
            [partial(block, vector=control) for block in self.single_blocks],
        )
        out = latent_of(self.final_layer(tokens, control), tall, wide)
        return out[..., :height, :width]

    def _joined(self, x: Tensor, concat: Tensor | None) -> Tensor:
        given = 0 if concat is None else concat.shape[1]
        if given != self.config.beside:
            raise ValueError(
                f"This FLUX.1 model sees {self.config.beside} channels beside the latent, and was "
                f"given {given}: use the node that prepares them for it."
            )
        return x if concat is None else torch.cat([x, concat.to(x)], dim=1)

    def _control(
        self, timesteps: Tensor, pooled: Tensor | None, guidance: Tensor | None, like: Tensor
    ) -> Tensor:
        """What modulates every block, (batch, width)."""
        control = self.time_in.of_number(timesteps)
        if self.config.guided and guidance is not None:
            control = control + self.guidance_in.of_number(guidance)
        if pooled is None:
            pooled = like.new_zeros(len(like), self.config.pooled_width)
        out: Tensor = control + self.vector_in(pooled.to(like))
        return out


class DoubleBlock(DoubleStream):
    """A double block with a modulation of its own for each stream."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.img_mod = Modulation(sizes.width, 2)
        self.txt_mod = Modulation(sizes.width, 2)

    def forward(self, streams: Streams, turn: Rotation, vector: Tensor) -> Streams:
        return self.mix(streams, self.img_mod(vector), self.txt_mod(vector), turn)


class SingleBlock(SingleStream):
    """A single block with a modulation of its own."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.modulation = Modulation(sizes.width, 1)

    def forward(self, x: Tensor, turn: Rotation, vector: Tensor) -> Tensor:
        (change,) = self.modulation(vector)
        return self.mix(x, change, turn)
