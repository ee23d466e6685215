"""The names of a ControlNet's tensors in files, and what a whole one holds beside its UNet."""

import itertools
from collections.abc import Iterable

from diffusion.families.signature import Shape, Shapes
from diffusion.unet_names import unet_names

HINT_WIDTHS = (16, 16, 32, 32, 96, 96, 256)
"""Channels of the convolutions that read the picture; every second one halves it."""

DIFFUSERS = "controlnet_cond_embedding.conv_in.weight"
"""A tensor that diffusers' files alone have."""

STEERED = ("time_embed.", "label_emb.", "input_blocks.", "middle_block.")
"""What the names of the tensors begin with that it has in common with the UNet that it steers."""


def controlnet_names(names: Iterable[str]) -> dict[str, str]:
    """Our name of every tensor of a ControlNet's file, to its name there, in either layout."""
    every = list(names)
    if DIFFUSERS not in every:
        return {name: name for name in every}
    return {_ours(ours): name for ours, name in unet_names(every).items()}


def _ours(name: str) -> str:
    """The name of a tensor that a UNet has none of; others stay as they are."""
    first, _, rest = name.partition(".")
    if first == "controlnet_down_blocks":
        block, _, leaf = rest.partition(".")
        return f"zero_convs.{block}.0.{leaf}"
    if first == "controlnet_mid_block":
        return f"middle_block_out.0.{rest}"
    if first != "controlnet_cond_embedding":
        return name
    place, _, leaf = rest.rpartition(".")
    ends = {"conv_in": 0, "conv_out": 2 * len(HINT_WIDTHS)}
    block = place.removeprefix("blocks.")
    if place not in ends and not block.isdecimal():
        return name
    number = ends[place] if place in ends else 2 * (int(block) + 1)
    return f"input_hint_block.{number}.{leaf}"


def controlnet_beside(unet: Shapes) -> dict[str, Shape]:
    """Every tensor of the ControlNet of a UNet: its way down, and the convolutions around that.

    `unet`: by original names.
    """
    found = {name: shape for name, shape in unet.items() if name.startswith(STEERED)}
    stem = found["input_blocks.0.0.weight"][0]
    blocks = 1 + max(int(n.split(".")[1]) for n in found if n.startswith("input_blocks."))
    width = 0
    for block in range(blocks):
        start = f"input_blocks.{block}.0."
        ends = (start + "weight", start + "out_layers.3.weight", start + "op.weight")
        width = next(found[end][0] for end in ends if end in found)
        found |= _convolution(f"zero_convs.{block}.0", width, width, 1)
    found |= _convolution("middle_block_out.0", width, width, 1)
    widths = (3, *HINT_WIDTHS, stem)
    for number, (entering, out) in enumerate(itertools.pairwise(widths)):
        found |= _convolution(f"input_hint_block.{2 * number}", out, entering, 3)
    return found


def _convolution(name: str, out: int, entering: int, edge: int) -> dict[str, Shape]:
    return {f"{name}.weight": (out, entering, edge, edge), f"{name}.bias": (out,)}
