"""Change a network's weights by what a LoRA file holds: small matrices whose product is added.

W becomes W + strength · (α/r) · up · down (Hu et al. 2021, section 4.1), r being the rank. LyCORIS'
Hadamard and Kronecker products and plain differences are read too (Yeh et al. 2023, section 3), and
magnitudes beside them (Liu et al. 2024).
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import torch
from torch import Tensor, nn

from diffusion.checkpoint import CheckpointTrouble, nothing, read_tensor
from diffusion.header import Header, read_header
from diffusion.lora_names import Place, places, within

NAMED = 3
"""Layers that a message names before it only counts."""

_SUFFIXES = {
    ".lora_up.weight": "up", ".lora_down.weight": "down", ".lora_mid.weight": "mid",
    ".lora_B.weight": "up", ".lora_A.weight": "down",
    ".lora_B.default.weight": "up", ".lora_A.default.weight": "down",
    ".lora.up.weight": "up", ".lora.down.weight": "down",
    "_lora.up.weight": "up", "_lora.down.weight": "down",
    ".lora_linear_layer.up.weight": "up", ".lora_linear_layer.down.weight": "down",
    ".alpha": "alpha", ".dora_scale": "magnitude",
    ".lora_magnitude_vector": "magnitude", ".lora_magnitude_vector.weight": "magnitude",
    ".lora_magnitude_vector.default.weight": "magnitude",
    ".hada_w1_a": "w1_a", ".hada_w1_b": "w1_b", ".hada_w2_a": "w2_a", ".hada_w2_b": "w2_b",
    ".hada_t1": "tucker", ".hada_t2": "tucker",
    ".lokr_w1": "k1", ".lokr_w1_a": "k1_a", ".lokr_w1_b": "k1_b",
    ".lokr_w2": "k2", ".lokr_w2_a": "k2_a", ".lokr_w2_b": "k2_b", ".lokr_t2": "tucker",
    ".diff": "diff",
}  # fmt: skip
"""What a tensor's name ends in, in one program's files or another's, and what it is."""

_ENDS = re.compile("|".join(re.escape(end) for end in sorted(_SUFFIXES, key=len, reverse=True)))


class LoraTrouble(CheckpointTrouble):
    """A LoRA that cannot be put into this network; the message says why."""


@dataclass(frozen=True)
class Lora:
    """A LoRA file and how strongly it is applied; below 0 it works the other way."""

    path: PathLike[str]
    content: str
    strength: float


@dataclass(frozen=True)
class Target:
    """A network to be changed. `kind`: see `lora_names.places`; `prefixes` begin its layers'
    names in files."""

    module: nn.Module
    kind: str
    prefixes: Collection[str]


def key_of(loras: Sequence[Lora]) -> str:
    """What tells the same network with other LoRAs apart."""
    return "".join(f"+{lora.content or lora.path}*{lora.strength!r}" for lora in loras)


def apply_loras(
    target: Target,
    loras: Sequence[Lora],
    tell: Callable[[str], None] = lambda text: None,
    check_cancel: Callable[[], None] = nothing,
) -> None:
    """Add each LoRA to the module's weights, in place.

    `tell` hears of layers that the network does not have. Raises `LoraTrouble` where none of the
    LoRA's layers is there or one has other sizes, and `FileTrouble`.
    """
    known = places(target.kind, list(target.module.state_dict()))
    for lora in loras:
        header = read_header(Path(lora.path))
        changes = changes_for(header, target.prefixes)
        if not changes:  # it is for the other part of the model alone
            continue
        strange = [name for name in changes if name not in known]
        if len(strange) == len(changes):
            raise LoraTrouble(
                f"{header.path.name} changes none of this model's layers ({_some(strange)}): it "
                "was made for a model of another kind."
            )
        if strange:
            tell(
                f"{len(strange)} of the {len(changes)} changes in {header.path.name} fit no layer "
                f"of this model and are left out ({_some(strange)})."
            )
        for name, parts in changes.items():
            check_cancel()
            if name in known:
                _add(target.module, known[name], header, parts, lora.strength)


def changes_for(header: Header, prefixes: Collection[str]) -> dict[str, dict[str, str]]:
    """The changes under these prefixes: a layer's plain name to its tensors' names, by role.

    Raises `LoraTrouble` for a form that cannot be read.
    """
    found: dict[str, dict[str, str]] = {}
    for name in header.tensors:
        ends = [match for match in _ENDS.finditer(name) if match.end() == len(name)]
        if not ends:
            continue
        role = _SUFFIXES[ends[0].group()]
        layer = within(name[: ends[0].start()], prefixes)
        if layer is None:
            continue
        if role == "tucker":
            raise LoraTrouble(
                f"{header.path.name} is of a form that this version cannot apply yet "
                f"({name.rpartition('.')[2]}): get the plain LoRA, if there is one."
            )
        found.setdefault(layer, {})[role] = name
    return {layer: parts for layer, parts in found.items() if parts.keys() - {"alpha"}}


def _add(
    module: nn.Module, place: Place, header: Header, parts: Mapping[str, str], strength: float
) -> None:
    """Add one change to its tensor, or to its share of the tensor's rows."""
    weight = module.get_parameter(place.tensor)
    read = {role: read_tensor(header, name) for role, name in parts.items()}
    magnitude = read.pop("magnitude", None)
    change = _change(read)
    if change is None:
        raise LoraTrouble(
            f"{header.path.name} lacks a part of its change to {place.tensor}: it is damaged. "
            "Download it again."
        )
    if place.swapped:
        change = _swapped(change)
        if magnitude is not None and len(magnitude) > 1:
            magnitude = _swapped(magnitude)
    rows = weight.shape[0]
    start, count = 0, rows
    if place.parts > 1:
        count = change.shape[0]
        last = place.part == place.parts - 1
        # All shares but the last are of one height.
        start = rows - count if last else place.part * count
    share = weight[start : start + count] if count <= rows else weight
    if change.numel() != share.numel() or change.shape[0] != share.shape[0]:
        raise LoraTrouble(
            f"{header.path.name} was made for a model of other sizes: its change to "
            f"{place.tensor} is {_sizes(change)}, and the layer {_sizes(share)}."
        )
    with torch.no_grad():
        before = share.float()
        change = change.reshape(share.shape).to(share.device)
        if magnitude is not None:
            change = _of_length(before + change, magnitude.to(share.device), header) - before
        share.copy_((before + strength * change).to(share.dtype))


def _swapped(tensor: Tensor) -> Tensor:
    """Its halves in the other order."""
    return torch.cat(tensor.chunk(2)[::-1])


def _of_length(weight: Tensor, magnitude: Tensor, header: Header) -> Tensor:
    """The weight with vectors of the given lengths: m · W / ‖W‖ (Liu et al. 2024, eq. 5).

    `magnitude`: (out,) or (out, 1, …) of what enters each output, or (1, in, …) of what leaves each
    input. Raises `LoraTrouble`.
    """
    by_output = magnitude.ndim < 2 or magnitude.shape[0] > 1
    along = 0 if by_output else 1
    if magnitude.numel() != weight.shape[along]:
        raise LoraTrouble(
            f"{header.path.name} was made for a model of other sizes: it has {magnitude.numel()} "
            f"magnitudes for a layer of {_sizes(weight)}."
        )
    lengths = weight.transpose(0, along).flatten(1).norm(dim=1)
    shape = [1] * weight.ndim
    shape[along] = -1
    scale = magnitude.float().flatten() / lengths.clamp(min=torch.finfo(torch.float32).tiny)
    made: Tensor = weight * scale.reshape(shape)
    return made


def _change(parts: Mapping[str, Tensor]) -> Tensor | None:
    """What is added at full strength, float32; None where a part is missing."""
    if "diff" in parts:
        return parts["diff"]
    if {"up", "down"} <= parts.keys():
        up, down = parts["up"], parts["down"]
        return _scaled(_product(up, down, parts.get("mid")), parts, down.shape[0])
    if {"w1_a", "w1_b", "w2_a", "w2_b"} <= parts.keys():
        made = (parts["w1_a"] @ parts["w1_b"]) * (parts["w2_a"] @ parts["w2_b"])
        return _scaled(made, parts, parts["w1_b"].shape[0])
    one, other = (_whole(parts, name) for name in ("k1", "k2"))
    if one is None or other is None:
        return None
    ranks = [parts[name].shape[0] for name in ("k1_b", "k2_b") if name in parts]
    made = torch.kron(one.reshape(*one.shape, *[1] * (other.ndim - 2)), other)
    return _scaled(made, parts, ranks[0]) if ranks else made


def _whole(parts: Mapping[str, Tensor], name: str) -> Tensor | None:
    """One factor of a Kronecker product, whole or itself a product."""
    if name in parts:
        return parts[name]
    if {f"{name}_a", f"{name}_b"} <= parts.keys():
        one, other = parts[f"{name}_a"], parts[f"{name}_b"]
        return (one @ other.flatten(1)).reshape(one.shape[0], *other.shape[1:])
    return None


def _product(up: Tensor, down: Tensor, mid: Tensor | None) -> Tensor:
    """up · down: (out, in), or (out, in, height, width) of convolutions."""
    if mid is not None:  # Tucker: a small convolution between two maps of single pixels
        return torch.einsum("or,rshw,si->oihw", up.flatten(1), mid, down.flatten(1))
    return (up.flatten(1) @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:])


def _scaled(change: Tensor, parts: Mapping[str, Tensor], rank: int) -> Tensor:
    """Times α/r; a file without α means α = r."""
    return change * (float(parts["alpha"]) / rank) if "alpha" in parts else change


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _sizes(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))
