"""Tell whose latents a VAE speaks from what it does: the numbers of a trial, held against spaces.

Every space has published factors that turn its latents into colours (`LatentSpace.rgb_factors`). A
VAE encodes one picture made here (or decodes latents made here); in its own space, and in no other,
the factors find the picture's colours again. No torch: `diffusion.probing` runs the network.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy

from diffusion.identity.layers import Finding
from diffusion.identity.tensors import Array
from diffusion.identity.trial import FLATS, Trial
from diffusion.spaces import LatentSpace


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

SWAPPED = 0.05
"""So much better may another arrangement of many channels fit, and the answer still be likely."""

APART = Least(0.9, 0.03, 0.0)
"""What a certain answer needs beside: how much better the space fits than with its channels in any
other arrangement, and a score together with twice that.

Of 20,000 synthetic encoders of SD 1.x and SDXL with two channels swapped or turned round, the three
that fitted best by chance lay below (0.81 and 0.01, 0.80 and 0.00, 0.73 and 0.06).
"""


class Score(NamedTuple):
    """How well a space's factors find the colours again.

    `colour` is the mean correlation over red, green and blue, `total` the same less what the wrong
    size of the latents costs; `even` is the correlation over the even pictures, None without any.
    """

    total: float
    colour: float
    even: float | None


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
    few = trial.channels <= FEW_CHANNELS
    own = margin(trial, first, rest if few else ())
    even = found.even is None or found.even >= EVEN
    # Of many channels some tell nothing of colours, and swapping two of them changes hardly a
    # thing (with TAEF2 the best swap fits 0.01 better than the truth): colours alone make nobody
    # certain there.
    apart = own >= APART.lead and found.total + 2 * own >= APART.score
    if few and _ahead(found.total, second, CERTAIN) and even and apart:
        return "certain"
    return "likely" if own >= (0 if few else -SWAPPED) else None


def _ahead(score: float, second: float, least: Least) -> bool:
    """Whether a score, and that of the next space, allow an answer."""
    lead = score - second
    close = lead >= CLOSE and 1 - second >= least.times * (1 - score)
    return score >= least.score and (lead >= least.lead or close)


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
