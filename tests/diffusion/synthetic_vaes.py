"""Encoders that never were trained: a picture's colours, put into a space by its own factors."""

from typing import NamedTuple

import numpy

from diffusion.identity.trial import CELLS, FLATS, Trial, encoder_trial, picture
from diffusion.spaces import LatentSpace

_PIXELS = picture().reshape(CELLS, 8, CELLS, 8, 3).mean((1, 3)).reshape(-1, 3) * 2 - 1


class Made(NamedTuple):
    """What a synthetic encoder gave: `latent` (channels, CELLS, CELLS), `flats` (8, channels)."""

    latent: numpy.ndarray
    flats: numpy.ndarray

    def trial(self, *, scaled: bool = False) -> Trial:
        return encoder_trial(self.latent, self.flats, scaled=scaled)

    def arranged(self, order: numpy.ndarray, signs: numpy.ndarray) -> "Made":
        """The same with its channels in another order and with other signs."""
        return Made(self.latent[order] * signs[:, None, None], self.flats[:, order] * signs)


def encoder_of(space: LatentSpace, seed: int, noise: float = 0.3) -> Made:
    """An encoder of the space, as real ones are: colours bent a little, and much beside colours.

    `noise`: the deviation of what has nothing to do with the picture, beside 1 of the whole.
    """
    draw = numpy.random.default_rng(seed)
    factors = numpy.asarray(space.rgb_factors)
    away = numpy.linalg.pinv(factors)  # (3, channels)
    # What no colour shows: structure of the picture in the directions that the factors miss.
    hidden = draw.normal(size=(3, space.channels)) @ (numpy.eye(space.channels) - factors @ away)
    bend = numpy.diag(draw.uniform(0.7, 1.3, 3)) + draw.normal(0, 0.1, (3, 3))
    mixed = bend @ away
    size = float(numpy.sqrt((_PIXELS @ mixed).var(0).mean()))
    blend = mixed / size + hidden * draw.uniform(0, 0.5)

    def encoded(colours: numpy.ndarray) -> numpy.ndarray:
        made = numpy.tanh(colours @ blend / 4) * 4  # saturates a little, as networks do
        return made + draw.normal(0, noise, made.shape)

    seen, flats = encoded(_PIXELS), encoded(numpy.array(FLATS, dtype=float))
    unit = float(numpy.sqrt(seen.var(0).mean())) * float(numpy.exp(draw.normal(0, 0.15)))
    latent = (seen / unit).T.reshape(1, space.channels, CELLS, CELLS)
    raw = space.denormalise(latent)[0]
    return Made(raw, space.denormalise(flats / unit))


def rearranged(channels: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """An order and signs of the channels that are not the true ones."""
    draw = numpy.random.default_rng(seed)
    while True:
        order, signs = draw.permutation(channels), draw.choice([1.0, -1.0], channels)
        if (order != numpy.arange(channels)).any() or signs.min() < 0:
            return order, signs


def swapped(channels: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """An order in which two channels have changed places, and signs that are the true ones."""
    order = numpy.arange(channels)
    pair = numpy.random.default_rng(seed).choice(channels, 2, replace=False)
    order[pair] = order[pair[::-1]]
    return order, numpy.ones(channels)


def flipped(channels: int, seed: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The true order, and signs of which one is another."""
    signs = numpy.ones(channels)
    signs[numpy.random.default_rng(seed).integers(channels)] = -1
    return numpy.arange(channels), signs


def unrelated(channels: int, seed: int) -> Made:
    """An encoder of no known space: colours mixed at random."""
    draw = numpy.random.default_rng(seed)
    blend = draw.normal(size=(3, channels))
    deviation = float(numpy.exp(draw.uniform(-2, 2.5)))
    seen = (_PIXELS @ blend + draw.normal(0, 0.3, (len(_PIXELS), channels))) * deviation
    flats = numpy.array(FLATS, dtype=float) @ blend * deviation
    return Made(seen.T.reshape(channels, CELLS, CELLS), flats)
