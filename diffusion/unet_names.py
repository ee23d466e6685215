"""Names that diffusers saves a UNet under, where the original numbers all blocks in a row."""

import re
from collections.abc import Iterable

OUTSIDE = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "class_embedding.linear_1": "label_emb.0.0",
    "class_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
"""Layers outside the blocks."""

RESIDUAL = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
"""Layers of a residual block."""

_SIDE = re.compile(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(\w+)\.(\d+)\.(.+)")
_DOWN = re.compile(r"down_blocks\.0\.resnets\.(\d+)\.norm1\.weight")


def unet_names(names: Iterable[str]) -> dict[str, str]:
    """The original name of every tensor of a UNet that diffusers saved, to its name there."""
    every = list(names)
    places = _Places(every)
    return {places.ours(name): name for name in every}


class _Places:
    """Where the blocks of one file stand in the original's numbering."""

    def __init__(self, names: list[str]) -> None:
        self.per_level = sum(_DOWN.fullmatch(name) is not None for name in names)
        attends = (re.match(r"up_blocks\.(\d+)\.attentions\.", name) for name in names)
        self.up_attention = {int(found[1]) for found in attends if found}

    def ours(self, name: str) -> str:
        """The original's name; one that no block has stays as it is."""
        if found := _SIDE.fullmatch(name):
            side, level, part, index, rest = found.groups()
            place = self._side(side, int(level), part, int(index))
            return f"{place}.{_layer(part, rest)}" if place else name
        if found := _MIDDLE.fullmatch(name):
            part, index, rest = found.groups()
            # residual block, transformer, residual block
            place = f"middle_block.{2 * int(index) + (part == 'attentions')}"
            return f"{place}.{_layer(part, rest)}"
        path, _, leaf = name.rpartition(".")
        return f"{OUTSIDE[path]}.{leaf}" if path in OUTSIDE else name

    def _side(self, side: str, level: int, part: str, index: int) -> str:
        """The place of a part of one level, on the way down or up."""
        if side == "down":
            first = 1 + level * (self.per_level + 1)  # after the stem
            stages = {
                "resnets": f"input_blocks.{first + index}.0",
                "attentions": f"input_blocks.{first + index}.1",
                "downsamplers": f"input_blocks.{first + self.per_level}.0",
            }
        else:
            first = level * (self.per_level + 1)
            after = 2 if level in self.up_attention else 1
            stages = {
                "resnets": f"output_blocks.{first + index}.0",
                "attentions": f"output_blocks.{first + index}.1",
                "upsamplers": f"output_blocks.{first + self.per_level}.{after}",
            }
        return stages.get(part, "")


def _layer(part: str, rest: str) -> str:
    """The original's name of a layer, with the tensor behind it."""
    if part == "downsamplers":
        return rest.replace("conv.", "op.", 1)
    path, _, leaf = rest.rpartition(".")
    return f"{RESIDUAL.get(path, path)}.{leaf}" if part == "resnets" else rest
