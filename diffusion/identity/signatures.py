"""Know a VAE by a few weights of its encoder, compared with those of checkpoints that are here.

A checkpoint's diffusion model says whose latents its own VAE speaks. Encoders are rarely retrained,
and a fine-tuned one stays close to its parent, while two that were trained apart have nothing in
common: their weights are uncorrelated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy

from diffusion.header import Header
from diffusion.identity.layers import Finding
from diffusion.identity.tensors import Array, part_names, read_arrays

TENSORS = (
    "encoder.conv_in.weight",
    "encoder.down.0.block.0.conv1.weight",
    "encoder.down.1.block.0.conv1.weight",
    "encoder.mid.block_1.conv1.weight",
    "encoder.conv_out.weight",
    "quant_conv.weight",
)
"""The tensors that are looked at, of those that the VAE has; the names are the original ones."""

VALUES = 128
"""Numbers that are kept of each tensor. Two unrelated tensors correlate within ±1/√128 = ±0.09."""

SAME, EACH = 0.9, 0.75
"""The mean correlation over all tensors, and that of each, from which two encoders are the same.

Noise of 10 % on every weight leaves 0.995, of 30 % 0.96; a merge of half of two related encoders
stays above as well.
"""

Signature = Mapping[str, Sequence[float]]
"""For each tensor's name and shape, `VALUES` of its numbers, evenly spaced, around their mean."""


@dataclass(frozen=True)
class Teacher:
    """A file whose VAE is known. `model` tells one diffusion model from another.

    `proven`: the VAE itself was known by its hash, so it needs no second witness. A checkpoint
    does, as somebody may have put a strange VAE into it.
    """

    space: str
    name: str
    signature: Signature
    model: str = ""
    proven: bool = False


def signature_of(header: Header, prefix: str) -> Signature:
    """The signature of the KL autoencoder below `prefix`; empty where it has no encoder.

    Raises `Unreadable`, and `OSError`.
    """
    names = part_names(header, prefix, "kl")
    there = [name for name in TENSORS if name in names]
    arrays = read_arrays(header, [names[name] for name in there])
    return {
        f"{name} {[length for length in array.shape if length != 1]}": _kept(array)
        for name, array in zip(there, arrays, strict=True)
    }


def model_print(header: Header, prefix: str) -> str:
    """A short text that tells diffusion models apart: a hash of numbers of its largest tensor.

    Raises `OSError`.
    """
    inside = {name: info for name, info in header.tensors.items() if name.startswith(prefix)}
    largest = max(inside, key=lambda name: (inside[name].bytes, name))
    with header.file_of(largest).open("rb") as file:
        file.seek(inside[largest].offset)
        return sha256(file.read(min(inside[largest].bytes, 4096))).hexdigest()[:16]


def likeness(one: Signature, other: Signature) -> float:
    """The mean correlation of two signatures, -1…1; 0 where they are of different networks."""
    return _likeness(one, other)[0]


def signature_finding(signature: Signature, teachers: Iterable[Teacher]) -> Finding | None:
    """What the known encoders say of this one; None where it is like none of them."""
    like = [teacher for teacher in teachers if _same(*_likeness(signature, teacher.signature))]
    spaces = tuple(sorted({teacher.space for teacher in like}))
    if not like:
        return None
    like.sort(key=lambda teacher: (not teacher.proven, teacher.name))
    if len(spaces) > 1:
        names = " and ".join(
            next(item.name for item in like if item.space == space) for space in spaces
        )
        reason = f"its encoder is that of {names}, which do not speak the same space"
        return Finding("signature", spaces, "unknown", reason)
    sure = like[0].proven or len({teacher.model for teacher in like}) > 1
    more = f" and of {len(like) - 1} more" if len(like) > 1 else ""
    reason = f"its encoder is that of {like[0].name}{more}"
    return Finding("signature", spaces, "certain" if sure else "likely", reason)


def _kept(array: Array) -> list[float]:
    flat = array.ravel()
    places = numpy.linspace(0, flat.size - 1, min(VALUES, flat.size)).round().astype(int)
    values = flat[places].astype(float)
    values -= values.mean()
    size = float(numpy.sqrt((values**2).sum()))
    return [round(float(value / size), 6) if size else 0.0 for value in values]


def _likeness(one: Signature, other: Signature) -> tuple[float, float]:
    """The mean and the least correlation over all tensors."""
    if not one or one.keys() != other.keys():
        return 0.0, 0.0
    each = [float(numpy.dot(one[name], other[name])) for name in one]
    return sum(each) / len(each), min(each)


def _same(mean: float, least: float) -> bool:
    return mean >= SAME and least >= EACH
