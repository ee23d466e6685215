"""What a whole upscaler or tiny VAE holds, where its sizes are told by the file's own tensors."""

import re
from collections.abc import Iterable, Iterator

from diffusion.families.signature import Shape, Shapes

NUMBERED = "model.0.weight"
"""A tensor that ESRGAN's first files alone have, whose modules are numbered in a row."""

ENCODER_WIDENS = {2: 3, 6: 7, 10: 11}
DECODER_WIDENS = {7: 3, 12: 8, 17: 13}
"""Of a tiny VAE's halves: its bare convolutions between levels, and the first of the three blocks
that stand beside each of them."""

Named = Iterator[tuple[str, Shape]]


def whole_esrgan(shapes: Shapes) -> dict[str, Shape]:
    """Every tensor of the ESRGAN that this file holds the most of, under the file's own names."""
    old = NUMBERED in shapes
    first = "model.0" if old else "conv_first"
    inner = "model.1.sub.{}.RDB{}.conv{}.0" if old else "body.{}.rdb{}.conv{}"
    width, entering = (_size(shapes, f"{first}.weight", place) for place in (0, 1))
    growth = _size(shapes, f"{inner.format(0, 1, 1)}.weight")
    blocks = 1 + _last(r"model\.1\.sub\.(\d+)\.RDB.*" if old else r"body\.(\d+)\.rdb.*", shapes)
    if old:
        # Each doubling is three modules: nearest pixels, a convolution, an activation.
        doublings = max(0, -(-(_last(r"model\.(\d+)\.(?:weight|bias)", shapes) - 4) // 3))
        outer = [f"model.1.sub.{blocks}", *(f"model.{3 * k + 3}" for k in range(doublings))]
        outer += [f"model.{2 + 3 * doublings}"]
        last = f"model.{4 + 3 * doublings}"
    else:
        doublings = max(0, _last(r"conv_up(\d+)\..*", shapes))
        outer = ["conv_body", *(f"conv_up{k + 1}" for k in range(doublings)), "conv_hr"]
        last = "conv_last"
    found = dict(_convolution(first, width, entering))
    for block in range(blocks):
        for dense in (1, 2, 3):
            for k in range(5):
                name = inner.format(block, dense, k + 1)
                out = growth if k < 4 else width
                found |= dict(_convolution(name, out, width + k * growth))
    for name in outer:
        found |= dict(_convolution(name, width, width))
    return found | dict(_convolution(last, 3, width))


def whole_compact(shapes: Shapes) -> dict[str, Shape]:
    """Every tensor of a compact upscaler: convolutions with a PReLU between two of them."""
    width = _size(shapes, "body.0.weight")
    end = _last(r"body\.(\d+)\..*", shapes)
    end += end % 2  # the last one is a convolution
    found = dict(_convolution("body.0", width, 3))
    for k in range(1, end):
        found |= (
            {f"body.{k}.weight": (width,)}
            if k % 2
            else dict(_convolution(f"body.{k}", width, width))
        )
    last = _size(shapes, f"body.{end}.weight")
    return found | dict(_convolution(f"body.{end}", last, width))


def whole_tiny_vae(shapes: Shapes) -> dict[str, Shape]:
    """Every tensor of a tiny VAE, or of the half of one, by the names of `tiny_names`.

    What it takes from the file: channels, width, and whether blocks look over the whole picture.
    """
    pooled = any(".pool." in name for name in shapes)
    found: dict[str, Shape] = {}
    if "encoder.0.weight" in shapes:
        width = _size(shapes, "encoder.0.weight")
        channels = _size(shapes, "encoder.14.weight")
        found |= dict(_convolution("encoder.0", width, 3))
        found |= dict(_block("encoder.1", width))
        for bare, first in ENCODER_WIDENS.items():
            found |= dict(_level("encoder", bare, first, width, pooled and bare == 10))
        found |= dict(_convolution("encoder.14", channels, width))
    if "decoder.1.weight" in shapes:
        width, channels = (_size(shapes, "decoder.1.weight", place) for place in (0, 1))
        found |= dict(_convolution("decoder.1", width, channels))
        for bare, first in DECODER_WIDENS.items():
            found |= dict(_level("decoder", bare, first, width, pooled and bare == 7))
        found |= dict(_block("decoder.18", width))
        found |= dict(_convolution("decoder.19", 3, width))
    if {"vae_scale", "vae_shift"} & shapes.keys():
        found |= {"vae_scale": (), "vae_shift": ()}
    return found


def _level(half: str, bare: int, first: int, width: int, pooled: bool) -> Named:
    yield f"{half}.{bare}.weight", (width, width, 3, 3)
    for number in range(first, first + 3):
        yield from _block(f"{half}.{number}", width, pooled)


def _block(name: str, width: int, pooled: bool = False) -> Named:
    for number in (0, 2, 4):
        yield from _convolution(f"{name}.conv.{number}", width, width)
    if pooled:
        yield f"{name}.pool.0.weight", (4 * width, width, 1, 1)
        yield f"{name}.pool.1.weight", (4 * width,)
        yield f"{name}.pool.1.bias", (4 * width,)
        yield f"{name}.pool.3.weight", (width, 4 * width, 1, 1)


def _convolution(name: str, out: int, entering: int) -> Named:
    yield f"{name}.weight", (out, entering, 3, 3)
    yield f"{name}.bias", (out,)


def _size(shapes: Shapes, name: str, place: int = 0) -> int:
    """The length of one dimension; 0 where there is none, which no whole file has."""
    shape = shapes.get(name, ())
    return shape[place] if len(shape) > place else 0


def _last(pattern: str, names: Iterable[str]) -> int:
    """The highest number that the pattern finds in a name; -1 where it fits none."""
    compiled = re.compile(pattern)
    found = (compiled.fullmatch(name) for name in names)
    return max((int(match[1]) for match in found if match), default=-1)
