"""The trial of a VAE: pictures made here, what it makes of them, kept as sums.

No torch: `diffusion.probing` runs the network.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy

from diffusion.identity.tensors import Array

CELLS, PATCHES, SEED = 32, 12, 7
"""The picture: cells of a latent along its edge, coloured patches along its edge, and which."""

LATENTS, AMPLITUDE = 64, 0.5
"""Even latents that a decoder is given: how many, and their deviation at the model's scale.

Small ones, as colours saturate: with 0.5 TAEF2's decoder scores 0.90, with 1.2 0.87.
"""

FLATS: Sequence[tuple[int, ...]] = tuple(itertools.product((-1, 1), repeat=3))
"""The corners of the colour cube in -1…1, one even picture each."""


@dataclass(frozen=True)
class Trial:
    """What a VAE made of the pictures (or of the latents), as sums that any space can be held to.

    `scaled`: its latents are at the model's scale already, as a tiny VAE's are. `mean` (channels),
    `covariance` (channels, channels) of the latents over all places, `cross` (channels, 3) their
    covariance with the colours there, `colours` (3) the colours' variance, in units of -1…1.
    `flats` (8, channels): the latents of `FLATS`, or none.
    """

    scaled: bool
    downscale: int
    mean: Array
    covariance: Array
    cross: Array
    colours: Array
    flats: Array | None = None

    @property
    def channels(self) -> int:
        return len(self.mean)

    def to_json(self) -> dict[str, Any]:
        arrays = ("mean", "covariance", "cross", "colours")
        kept = {name: _rounded(getattr(self, name)) for name in arrays}
        flats = None if self.flats is None else _rounded(self.flats)
        return {"scaled": self.scaled, "downscale": self.downscale, **kept, "flats": flats}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Trial":
        """What `to_json` wrote. Raises `KeyError`, `TypeError`, `ValueError` for anything else."""
        mean, covariance, cross, colours = (
            numpy.asarray(data[name], dtype=float)
            for name in ("mean", "covariance", "cross", "colours")
        )
        channels = len(mean)
        if covariance.shape != (channels, channels) or cross.shape != (channels, 3):
            raise ValueError("the sums of a trial do not fit each other")
        flats = None if data["flats"] is None else numpy.asarray(data["flats"], dtype=float)
        if colours.shape != (3,) or (flats is not None and flats.shape != (len(FLATS), channels)):
            raise ValueError("the sums of a trial do not fit each other")
        scaled, downscale = bool(data["scaled"]), int(data["downscale"])
        return cls(scaled, downscale, mean, covariance, cross, colours, flats)


def picture(downscale: int = 8) -> Array:
    """The picture, float32 (edge, edge, 3) in 0…1: even patches of random colours."""
    draw = random.Random(SEED)  # not numpy's, whose numbers may change with its version
    colours = numpy.array([draw.random() for _ in range(PATCHES * PATCHES * 3)])
    edge = CELLS * downscale
    patch = numpy.arange(edge) * PATCHES // edge
    return colours.reshape(PATCHES, PATCHES, 3)[patch][:, patch].astype(numpy.float32)


def even_latents(channels: int) -> Array:
    """What a decoder is given, float32 (LATENTS, channels), at the model's scale."""
    draw = random.Random(SEED)
    values = [draw.gauss(0, AMPLITUDE) for _ in range(LATENTS * channels)]
    return numpy.array(values, dtype=numpy.float32).reshape(LATENTS, channels)


def encoder_trial(latent: Array, flats: Array, *, scaled: bool, downscale: int = 8) -> Trial:
    """The trial of an encoder: `latent` (channels, CELLS, CELLS) of `picture`, `flats` as there."""
    seen = numpy.asarray(latent, dtype=float).reshape(len(latent), -1).T
    return _trial(seen, _colours(downscale), scaled, downscale, flats)


def decoder_trial(colours: Array, channels: int, *, downscale: int = 8) -> Trial:
    """The trial of a decoder at the model's scale: `colours` (LATENTS, 3) of `even_latents`."""
    return _trial(even_latents(channels).astype(float), colours, True, downscale, None)


@lru_cache(maxsize=4)
def _colours(downscale: int) -> Array:
    """The picture's mean colour in every cell, (CELLS * CELLS, 3) in -1…1."""
    cells = picture(downscale).reshape(CELLS, downscale, CELLS, downscale, 3).mean((1, 3))
    colours: Array = cells.reshape(-1, 3) * 2 - 1
    return colours


def _trial(seen: Array, colours: Array, scaled: bool, downscale: int, flats: Array | None) -> Trial:
    """`seen` (places, channels) are latents, `colours` (places, 3) in -1…1 what is there."""
    mean, middle = seen.mean(0), colours.mean(0)
    apart, off = seen - mean, colours - middle
    places = len(seen)
    flats = None if flats is None else numpy.asarray(flats, dtype=float)
    covariance, cross = apart.T @ apart / places, apart.T @ off / places
    return Trial(scaled, downscale, mean, covariance, cross, (off**2).mean(0), flats)


def _rounded(array: Array) -> Any:
    """The numbers with seven digits, as nested lists."""
    flat = [float(f"{value:.7g}") for value in array.ravel()]
    return numpy.array(flat).reshape(array.shape).tolist()
