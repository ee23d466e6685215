"""How many bytes the parts of a model file take once they are loaded, told by its header alone."""

from functools import lru_cache
from pathlib import Path

import torch

from diffusion.architecture import BadArchitecture
from diffusion.checkpoint import CheckpointTrouble
from diffusion.devices import Precision
from diffusion.encoders import ENCODERS
from diffusion.header import FileTrouble
from diffusion.opened import Opened

KEPT = 200
"""Answers that are kept, so that a forecast after each edit reads no header again."""


def weight(path: Path, part: str, precision: Precision) -> int:
    """Bytes of the `part` ("model", "clip", "vae", else all of it); 0 where the file has none.

    It may be a little more than what is loaded: tensors that no network uses count, too, and so do
    the later layers of a language model. A file that cannot be read weighs nothing.
    """
    try:
        stamp = path.stat()
    except OSError:
        return 0
    return _weight(path, stamp.st_size, stamp.st_mtime_ns, part, precision)


@lru_cache(KEPT)
def _weight(path: Path, size: int, changed: int, part: str, precision: Precision) -> int:
    try:
        file = Opened.at(path)
        if part == "clip":
            return sum(
                _under(file, prefix, _text_format(file, encoder, prefix, precision))
                for encoder, prefix in file.text_prefixes().items()
            )
        if part == "model":
            return _under(file, file.model_prefix(), precision.denoiser)
        return _under(file, file.vae_prefix() if part == "vae" else "", precision.vae)
    except (FileTrouble, CheckpointTrouble, BadArchitecture, OSError):
        return 0


def _text_format(file: Opened, encoder: str, prefix: str, precision: Precision) -> torch.dtype:
    """The format that the engine loads a text encoder in (`Engine.text_encoder`)."""
    if encoder in ENCODERS and ENCODERS[encoder].large:
        return precision.large_text
    narrow = file.half_precision(prefix) if precision.text == torch.float32 else None
    return narrow or precision.text


def _under(file: Opened, prefix: str, dtype: torch.dtype) -> int:
    elements = 0
    for shape in file.shapes(prefix).values():
        count = 1
        for length in shape:
            count *= length
        elements += count
    return elements * dtype.itemsize
