"""Steer a denoiser towards one conditioning and away from another (classifier-free guidance)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from diffusion.conditioning import Conditioning, Inputs
from diffusion.denoiser import Denoiser

LARGEST_REPEAT = 4
"""A conditioning is repeated at most this often to share a call with a longer one."""


Side = Literal["away", "towards"]

Denoise = Callable[[Tensor, float], Tensor]
"""What a sampler steps with: a noisy latent and its σ to the denoised latent."""


class Estimates(NamedTuple):
    """The guided estimate of the clean latent, and the one that it is guided away from."""

    denoised: Tensor
    away: Tensor


@dataclass(frozen=True)
class Guided:
    """A `Denoise` that can give both of its estimates, for samplers that ask (see `estimates`)."""

    denoise: Denoise
    both: Callable[[Tensor, float], Estimates]

    def __call__(self, x: Tensor, sigma: float) -> Tensor:
        return self.denoise(x, sigma)


def estimates(denoise: Denoise, x: Tensor, sigma: float) -> Estimates:
    """Both estimates at a level; one that is not guided is its own counterpart."""
    if isinstance(denoise, Guided):
        return denoise.both(x, sigma)
    denoised = denoise(x, sigma)
    return Estimates(denoised, denoised)


def nothing() -> None:
    """The check of a run that nobody can cancel."""


def guided(
    denoiser: Denoiser,
    positive: Conditioning,
    negative: Conditioning,
    cfg: float,
    check_cancel: Callable[[], None] = nothing,
) -> Guided:
    """Denoise with guidance: D = D₋ + cfg·(D₊ - D₋) (Ho and Salimans 2022, eq. 6; cfg = 1 + w).

    At cfg 1 the negative drops out and is not computed, unless a sampler asks for it.
    `check_cancel` is called before every call of the network, and raises to stop the run.
    """

    repeat = 1 if denoiser.joint else LARGEST_REPEAT

    @cache
    def told(shape: torch.Size, side: Side) -> Inputs:
        conditioning = negative if side == "away" else positive
        inputs = denoiser.inputs(conditioning, shape, negative=side == "away")
        return Inputs(
            _for_batch(inputs.tokens, shape[0]),
            {name: _for_batch(tensor, shape[0]) for name, tensor in inputs.extras.items()},
        )

    def one(x: Tensor, sigma: float, side: Side) -> Tensor:
        check_cancel()
        return denoiser.denoise(x, sigma, *told(x.shape, side))

    def towards(x: Tensor, sigma: float) -> Tensor:
        return one(x, sigma, "towards")

    def both(x: Tensor, sigma: float) -> Estimates:
        pair = _joined(told(x.shape, "away"), told(x.shape, "towards"), repeat)
        if pair is None:
            away, to = one(x, sigma, "away"), one(x, sigma, "towards")
        else:
            check_cancel()
            away, to = denoiser.denoise(torch.cat([x, x]), sigma, *pair).chunk(2)
        return Estimates(away + (to - away) * cfg, away)

    def mixed(x: Tensor, sigma: float) -> Tensor:
        return both(x, sigma).denoised

    return Guided(towards if math.isclose(cfg, 1.0) else mixed, both)


def _for_batch(tensor: Tensor, batch: int) -> Tensor:
    if len(tensor) not in (1, batch):
        raise ValueError(
            f"A conditioning for {len(tensor)} pictures cannot guide a batch of {batch}: "
            "encode one prompt, or one per picture."
        )
    return tensor.expand(batch, *tensor.shape[1:])


def _joined(left: Inputs, right: Inputs, repeat: int) -> Inputs | None:
    """Both in one batch, the left one first; None where they cannot share a call.

    `repeat`: so often may tokens be repeated.
    """
    tokens = _same_length(left.tokens, right.tokens, repeat)
    if tokens is None or left.extras.keys() != right.extras.keys():
        return None
    pairs = {name: (tensor, right.extras[name]) for name, tensor in left.extras.items()}
    if any(one.shape != other.shape for one, other in pairs.values()):
        return None
    return Inputs(torch.cat(tokens), {name: torch.cat(pair) for name, pair in pairs.items()})


def _same_length(left: Tensor, right: Tensor, repeat: int) -> tuple[Tensor, Tensor] | None:
    """Both, repeated along the tokens to their least common length; None if that is too long.

    Attention does not change when all its keys and values are repeated equally often, since their
    weights are divided by the same sum. It does where the picture's are among them and are not.
    """
    length = math.lcm(left.shape[1], right.shape[1])
    times = [length // tokens.shape[1] for tokens in (left, right)]
    if max(times) > repeat:
        return None
    return left.repeat(1, times[0], 1), right.repeat(1, times[1], 1)
