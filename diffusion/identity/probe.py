"""Tell whose latents a VAE speaks from what it does: the numbers of a trial, held against spaces.

Every space has published factors that turn its latents into colours (`LatentSpace.rgb_factors`). A
VAE encodes one picture made here (or decodes latents made here); in its own space, and in no other,
the factors find the picture's colours again. No torch: `diffusion.probing` runs the network.
"""

import itertools
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy

from diffusion.identity.layers import Finding
from diffusion.identity.tensors import Array
from diffusion.spaces import LatentSpace

CELLS, PATCHES, SEED = 32, 12, 7
"""The picture: cells of a latent along its edge, coloured patches along its edge, and which."""

LATENTS, AMPLITUDE = 64, 0.5
"""Even latents that a decoder is given: how many, and their deviation at the model's scale.

Small ones, as colours saturate: with 0.5 TAEF2's decoder scores 0.90, with 1.2 0.87.
"""

FLATS: Sequence[tuple[int, ...]] = tuple(itertools.product((-1, 1), repeat=3))
"""The corners of the colour cube in -1…1, one even picture each."""


class Least(NamedTuple):
    """What an answer needs: a score, and a lead over every other space.

    Instead of that lead, spaces whose factors are alike (FLUX.1's and SD3's fit each other with up
    to 0.86) may leave `times` as much unexplained, with a lead of `CLOSE`.
    """

    score: float
    lead: float
    times: float


CERTAIN, LIKELY = Least(0.7, 0.3, 4.0), Least(0.6, 0.2, 2.5)
"""What an answer of that certainty needs.

Measured: TAEF2 0.87, the starter's two VAEs 0.96; the published colours of SDXL's VAE 0.83. A wrong
space of as many channels stays below 0.55 with all of these.
"""

CLOSE = 0.08

EVEN = 0.4
"""The least correlation over the even pictures for a certain answer; SDXL's published has 0.83."""

SPREAD = 0.25
"""What a latent's deviation costs that is e times larger or smaller than the model's unit."""

FEW_CHANNELS = 4
"""Up to as many channels every order and sign is tried; with more, every swap and every sign."""


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


class Score(NamedTuple):
    """How well a space's factors find the colours again.

    `colour` is the mean correlation over red, green and blue, `total` the same less what the wrong
    size of the latents costs; `even` is the correlation over the even pictures, None without any.
    """

    total: float
    colour: float
    even: float | None


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


def score(trial: Trial, space: LatentSpace) -> Score:
    """How well the trial goes with the space, which has factors and as many channels."""
    factors = numpy.asarray(space.rgb_factors)
    covariance, cross = _normalised(trial, space)
    colour = float(_fits(factors[None], covariance, cross, trial.colours)[0])
    deviation = math.sqrt(max(float(numpy.diag(covariance).mean()), 1e-12))
    cost = 0.0 if trial.scaled else SPREAD * abs(math.log(deviation))
    return Score(colour - cost, colour, _even_fit(trial, space, factors))


def margin(trial: Trial, space: LatentSpace, others: Iterable[LatentSpace] = ()) -> float:
    """How much better the space fits than with its channels in another order or with other signs.

    The same is tried with the channels of `others`. Below 0 such an arrangement fits better: then
    the trial is of a space that only looks like this one.
    """
    order, signs = _arrangements(trial.channels)
    own, best = math.nan, -math.inf
    for each in (space, *others):
        factors = numpy.asarray(each.rgb_factors)
        covariance, cross = _normalised(trial, each)
        changed = factors[order] * signs[..., None]  # (arrangements, channels, 3)
        fits = _fits(changed, covariance, cross, trial.colours)
        # The first arrangement is the true one: another space's own is a rival of another kind.
        own = float(fits[0]) if each is space else own
        best = max(best, float(fits[1:].max()))
    return own - best


def probe_finding(
    trial: Trial, spaces: Mapping[str, LatentSpace], candidates: Sequence[str]
) -> Finding:
    """What the trial says: one space, or none where nothing fits or several do.

    It is held against every known space of its shape, also those that are no candidate: a better
    fit there means that it is none of the candidates. Without candidates all are.
    """
    scores = {
        id_: score(trial, space)
        for id_, space in spaces.items()
        if space.rgb_factors is not None
        and (space.channels, space.downscale) == (trial.channels, trial.downscale)
    }
    if not scores:
        return Finding("probe", (), "unknown", "no colours are known of a space of its shape")
    best, *rest = sorted(scores, key=lambda id_: -scores[id_].total)
    said = f"{scores[best].colour:.2f} of 1 for {spaces[best].title}"
    if rest:
        said += f", {scores[rest[0]].colour:.2f} for {spaces[rest[0]].title}"
    certainty = None
    if not candidates or best in candidates:
        certainty = _certainty(trial, [spaces[id_] for id_ in (best, *rest)], scores)
    if certainty is None:
        return Finding("probe", (), "unknown", f"the colours of a test picture fit none ({said})")
    reason = f"the colours of a test picture come out right ({said})"
    return Finding("probe", (best,), certainty, reason)


def _certainty(
    trial: Trial, ranked: Sequence[LatentSpace], scores: Mapping[str, Score]
) -> Literal["certain", "likely"] | None:
    """How sure it is that the first of the ranked spaces is the one; None where it is not."""
    first, *rest = ranked
    found = scores[first.id]
    second = max((scores[space.id].total for space in rest), default=0.0)
    if not _ahead(found.total, second, LIKELY):
        return None
    # Of many channels some tell nothing of colours, and swapping two of them changes hardly a
    # thing: with TAEF2 the best swap fits 0.01 better than the truth.
    few = trial.channels <= FEW_CHANNELS
    own, slack = margin(trial, first, rest if few else ()), 0.0 if few else 0.03
    even = found.even is None or found.even >= EVEN
    if _ahead(found.total, second, CERTAIN) and even and own >= -slack:
        return "certain"
    return "likely" if own >= -0.05 else None


def _ahead(score: float, second: float, least: Least) -> bool:
    """Whether a score, and that of the next space, allow an answer."""
    lead = score - second
    close = lead >= CLOSE and 1 - second >= least.times * (1 - score)
    return score >= least.score and (lead >= least.lead or close)


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


def _normalised(trial: Trial, space: LatentSpace) -> tuple[Array, Array]:
    """Covariance and cross covariance of the latents at the scale of the space's models."""
    if trial.scaled:
        return trial.covariance, trial.cross
    scale = numpy.broadcast_to(numpy.asarray(space.scale, dtype=float), (trial.channels,))
    return trial.covariance * scale[:, None] * scale, trial.cross * scale[:, None]


def _fits(factors: Array, covariance: Array, cross: Array, colours: Array) -> Array:
    """The mean correlation over the colours for each of several factors (n, channels, 3): (n)."""
    common = (factors * cross).sum(1)
    variance = (factors * (covariance @ factors)).sum(1)
    size = numpy.sqrt(numpy.maximum(variance * colours, 1e-24))
    fit: Array = (common / size).mean(-1)
    return fit


def _even_fit(trial: Trial, space: LatentSpace, factors: Array) -> float | None:
    """The mean correlation of the colours of even pictures with what the factors make of them."""
    if trial.flats is None:
        return None
    latents = trial.flats if trial.scaled else space.normalise(trial.flats)
    seen, true = latents @ factors, numpy.array(FLATS, dtype=float)
    seen, true = seen - seen.mean(0), true - true.mean(0)
    size = numpy.sqrt((seen**2).sum(0) * (true**2).sum(0))
    return float(((seen * true).sum(0) / numpy.maximum(size, 1e-12)).mean())


@lru_cache(maxsize=16)
def _arrangements(channels: int) -> tuple[Array, Array]:
    """Orders and signs of the channels, the true one first: (n, channels) twice."""
    own = tuple(range(channels))
    if channels <= FEW_CHANNELS:
        both = itertools.product(
            itertools.permutations(own), itertools.product((1, -1), repeat=channels)
        )
        pairs = list(both)  # the first is the true one
    else:
        plain = (1,) * channels
        pairs = [(own, plain)]
        pairs += [(_swapped(own, i, j), plain) for i, j in itertools.combinations(own, 2)]
        pairs += [(own, (*plain[:i], -1, *plain[i + 1 :])) for i in own]
    return numpy.array([order for order, _ in pairs]), numpy.array([signs for _, signs in pairs])


def _swapped(order: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    changed = list(order)
    changed[i], changed[j] = order[j], order[i]
    return tuple(changed)


def _rounded(array: Array) -> Any:
    """The numbers with seven digits, as nested lists."""
    flat = [float(f"{value:.7g}") for value in array.ravel()]
    return numpy.array(flat).reshape(array.shape).tolist()
