"""The sizes of a UNet, as a file's tensor shapes tell them."""

import re
from dataclasses import dataclass
from typing import Self

from diffusion.shapes import Shapes, count, shape_of

SD1_HEADS = 8


@dataclass(frozen=True)
class UNetConfig:
    """Every size of a UNet; `channels` and `depths` list the levels from full resolution down.

    `head_width`, where given, sets the heads of attention at every width; else there are `heads`.
    `up_depths`, where given, lists the depth of every output block, for the distilled models that
    are not built evenly. `middle_blocks` counts the residual blocks in the middle, 2 but in those.
    """

    in_channels: int
    out_channels: int
    stem_channels: int
    time_width: int
    context_width: int
    channels: tuple[int, ...]
    depths: tuple[int, ...]  # transformer blocks after each residual block of a level; 0: none
    middle_depth: int
    residual_blocks: int  # per level on the way down; one more on the way up
    linear_projections: bool  # whether proj_in and proj_out are linear maps or 1x1 convs
    heads: int = SD1_HEADS
    norm_groups: int = 32
    head_width: int | None = None
    vector_width: int | None = None  # of what is added to the time: pooled text and sizes
    up_depths: tuple[int, ...] | None = None
    middle_blocks: int = 2

    @classmethod
    def from_shapes(
        cls,
        shapes: Shapes,
        *,
        heads: int | None = None,
        norm_groups: int = 32,
        head_width: int | None = None,
    ) -> Self:
        """The sizes of the file whose tensors (without prefix) have these shapes.

        Head counts leave no trace in shapes: without `heads` or `head_width`, Stable Diffusion 1's
        8.
        """
        blocks = _input_blocks(shapes)
        middle = "middle_block.1.transformer_blocks.{}.norm1.weight"
        transformer = _any_transformer(shapes)
        projection = shape_of(shapes, f"{transformer}.proj_in.weight")
        key = shape_of(shapes, f"{transformer}.transformer_blocks.0.attn2.to_k.weight")
        vector = shapes.get("label_emb.0.0.weight")
        depths = tuple(depth for _, depth in (level[0] for level in blocks))
        up = _up_depths(shapes)
        even = [depth for depth in reversed(depths) for _ in range(len(blocks[0]) + 1)]
        stem = shape_of(shapes, "input_blocks.0.0.weight")
        return cls(
            in_channels=stem[1],
            out_channels=shape_of(shapes, "out.2.weight")[0],
            stem_channels=stem[0],
            time_width=shape_of(shapes, "time_embed.0.weight")[0],
            context_width=key[1],
            channels=tuple(channels for channels, _ in (level[0] for level in blocks)),
            depths=depths,
            middle_depth=count(shapes, middle),
            residual_blocks=len(blocks[0]),
            linear_projections=len(projection) == 2,
            heads=SD1_HEADS if heads is None else heads,
            norm_groups=norm_groups,
            head_width=head_width,
            vector_width=vector[1] if vector else None,
            up_depths=None if up == tuple(even) else up,
            middle_blocks=sum(f"middle_block.{i}.in_layers.2.weight" in shapes for i in (0, 2)),
        )

    def heads_of(self, width: int) -> int:
        """How many heads attend at this width."""
        return self.heads if self.head_width is None else max(1, width // self.head_width)


def _any_transformer(shapes: Shapes) -> str:
    """The name of one of the transformers; they all read the same text."""
    found = re.compile(r"(\w+_blocks?(?:\.\d+)?\.1)\.proj_in\.weight")
    names = (match[1] for name in shapes if (match := found.fullmatch(name)))
    return next(names, "middle_block.1")


def _up_depths(shapes: Shapes) -> tuple[int, ...]:
    """The transformer depth of every output block."""
    blocks = count(shapes, "output_blocks.{}.0.in_layers.2.weight")
    return tuple(
        count(shapes, f"output_blocks.{block}.1.transformer_blocks.{{}}.norm1.weight")
        for block in range(blocks)
    )


def _input_blocks(shapes: Shapes) -> list[list[tuple[int, int]]]:
    """For each level, the (channels, transformer depth) of its residual blocks."""
    levels: list[list[tuple[int, int]]] = [[]]
    index = 1  # 0 is the stem
    while True:
        block = f"input_blocks.{index}"
        if f"{block}.0.op.weight" in shapes:
            levels.append([])
        elif f"{block}.0.in_layers.2.weight" in shapes:
            channels = shape_of(shapes, f"{block}.0.in_layers.2.weight")[0]
            depth = count(shapes, block + ".1.transformer_blocks.{}.norm1.weight")
            levels[-1].append((channels, depth))
        else:
            break
        index += 1
    if not levels[0]:
        shape_of(shapes, "input_blocks.1.0.in_layers.2.weight")  # says what is missing
    return levels
