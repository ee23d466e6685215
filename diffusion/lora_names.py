"""Which tensor of a network each change in a LoRA file belongs to, in every naming people use.

A LoRA names layers as the original checkpoint does ("input_blocks.4.1.proj_in") or as diffusers
does ("down_blocks.1.attentions.0.proj_in"), with dots or, after kohya, with underscores, behind one
of many prefixes. All of them are brought to one form: no prefix, underscores alone.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from diffusion.denoiser_names import (
    FLUX1_FROM_DIFFUSERS,
    FLUX2_FROM_DIFFUSERS,
    LAYOUTS,
    MMDIT_FROM_DIFFUSERS,
    Table,
)
from diffusion.origins import Taken, pieces_of
from diffusion.unet_names import OUTSIDE, RESIDUAL

WEIGHT = ".weight"

DENOISER_PREFIXES = (
    "lora_unet_", "lora_transformer_", "lycoris_unet_", "lycoris_", "base_model.model.", "unet.",
    "transformer.", "model.diffusion_model.", "diffusion_model.",
)  # fmt: skip
"""What stands before the names of a denoiser's layers, in one file or another."""

ENCODER_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "clip_l": ("lora_te1_", "lora_te_", "text_encoder."),
    "clip_h": ("lora_te1_", "lora_te_", "text_encoder."),
    "clip_g": ("lora_te2_", "text_encoder_2."),
    # SD3's third encoder, and FLUX.1's second.
    "t5xxl": ("lora_te3_", "lora_te2_", "text_encoder_3.", "text_encoder_2."),
}
"""The same for each text encoder, by its id."""


class Place(NamedTuple):
    """Where a change goes: the module's tensor, and of its rows the share `part` of `parts`.

    `swapped`: the halves of the change's rows stand in the other order there.
    """

    tensor: str
    part: int = 0
    parts: int = 1
    swapped: bool = False


def places(kind: str, tensors: Collection[str]) -> dict[str, Place]:
    """Where each layer of a network goes that a LoRA may name, by the plain form of its name.

    `kind`: that of a denoiser (see `diffusion.families.family.Network`), or "text". `tensors` are
    the names of the module's tensors.
    """
    paths = [name.removesuffix(WEIGHT) for name in tensors if name.endswith(WEIGHT)]
    found = {plain(path): Place(path + WEIGHT) for path in paths}
    if kind not in LAYOUTS:
        return found
    theirs = [path + WEIGHT for path in _diffusers(kind, paths)]
    for ours, origin in LAYOUTS[kind].renamed(theirs).items():
        pieces = pieces_of(origin)
        swapped = len(pieces) == 2 and pieces[0].name == pieces[1].name
        for part, piece in enumerate(pieces[:1] if swapped else pieces):
            place = Place(ours, part, 1 if swapped else len(pieces), swapped)
            for form in _forms(piece):
                found.setdefault(form, place)
    return found


def plain(path: str) -> str:
    """The form that layers are compared in."""
    # diffusers once kept a LoRA in the attention's processor.
    return path.replace(".processor.", ".").replace(".", "_")


def within(name: str, prefixes: Collection[str]) -> str | None:
    """The layer's plain name behind the longest of the prefixes that it has; None for none."""
    fitting = [prefix for prefix in prefixes if name.startswith(prefix)]
    return plain(name[len(max(fitting, key=len)) :]) if fitting else None


def _forms(piece: Taken) -> Iterator[str]:
    path = piece.name.removesuffix(WEIGHT)
    yield plain(path)
    if path.endswith("to_out.0"):  # named without its place in the list of old processors
        yield plain(path.removesuffix(".0"))


def _diffusers(kind: str, paths: Collection[str]) -> list[str]:
    """diffusers' names of the layers with these original names."""
    if kind == "unet":
        return _unet(paths)
    table = _TABLES[kind]
    rows = [(theirs, target.partition(" ")[0]) for theirs, target in table.items()]
    by_original: dict[str, list[str]] = {}
    for theirs, ours in rows:
        by_original.setdefault(ours, []).append(theirs)
    found = []
    for path in paths:
        number = _NUMBER.search(path)
        starred = path.replace(f".{number[1]}.", ".*.", 1) if number else path
        for theirs in by_original.get(starred, by_original.get(path, ())):
            found.append(theirs.replace("*", number[1] if number else ""))
    return found


_NUMBER = re.compile(r"\.(\d+)\.")

_TABLES: Mapping[str, Table] = {
    "mmdit": MMDIT_FROM_DIFFUSERS,
    "flux": FLUX1_FROM_DIFFUSERS,
    "flux2": FLUX2_FROM_DIFFUSERS,
}

_SIDE = re.compile(r"(input|output)_blocks\.(\d+)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"middle_block\.([012])\.(.+)")
_INSIDE = {ours: theirs for theirs, ours in RESIDUAL.items()}
_BACK = {ours: theirs for theirs, ours in OUTSIDE.items()}


def _unet(paths: Collection[str]) -> list[str]:
    """diffusers' names of a UNet's layers: blocks by level, where the original counts them all."""
    inputs = {int(found[2]) for path in paths if (found := _SIDE.match(path))
              and found[1] == "input"}  # fmt: skip
    downs = [int(found[2]) for path in paths if (found := _SIDE.match(path)) and found[4] == "op"]
    per_level = (min(downs) if downs else max(inputs, default=1) + 1) - 1
    found_names = [_unet_name(path, per_level) for path in paths]
    # How many blocks a level has is told by a tensor that no LoRA changes.
    norms = [f"down_blocks.0.resnets.{k}.norm1" for k in range(per_level)]
    return list(dict.fromkeys([*(name for name in found_names if name), *norms]))


def _unet_name(path: str, per_level: int) -> str | None:
    if found := _MIDDLE.fullmatch(path):
        place, rest = int(found[1]), found[2]
        if place == 1:
            return f"mid_block.attentions.0.{rest}"
        return f"mid_block.resnets.{place // 2}.{_INSIDE.get(rest, rest)}"
    found = _SIDE.fullmatch(path)
    if found is None or path.startswith("input_blocks.0."):
        return _BACK.get(path)
    number, place, rest = int(found[2]), int(found[3]), found[4]
    if found[1] == "input":
        level, index = divmod(number - 1, per_level + 1)
        if index == per_level:
            return f"down_blocks.{level}.downsamplers.0.conv"
        side = "down"
    else:
        level, index = divmod(number, per_level + 1)
        if rest == "conv":
            return f"up_blocks.{level}.upsamplers.0.conv"
        side = "up"
    if place == 0:
        return f"{side}_blocks.{level}.resnets.{index}.{_INSIDE.get(rest, rest)}"
    return f"{side}_blocks.{level}.attentions.{index}.{rest}"
