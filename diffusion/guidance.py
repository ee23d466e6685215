"""Steer a denoiser towards one conditioning and away from another (classifier-free guidance)."""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from diffusion.denoiser import Denoiser

LARGEST_REPEAT = 4
"""A conditioning is repeated at most this often to share a call with a longer one."""


class Conditioning(Protocol):
    """What a prompt became. `tokens`: float32 (1 or batch, tokens, width)."""

    @property
    def tokens(self) -> Tensor:
        """The token conditioning."""
        ...


Denoise = Callable[[Tensor, float], Tensor]
"""What a sampler steps with: a noisy latent and its σ to the denoised latent."""


def nothing() -> None:
    """The check of a run that nobody can cancel."""


def guided(
    denoiser: Denoiser,
    positive: Conditioning,
    negative: Conditioning,
    cfg: float,
    check_cancel: Callable[[], None] = nothing,
) -> Denoise:
    """Denoise with guidance: D = D₋ + cfg·(D₊ - D₋) (Ho and Salimans 2022, eq. 6; cfg = 1 + w).

    At cfg 1 the negative drops out and is not computed. `check_cancel` is called before every call
    of the network, and raises to stop the run.
    """

    def one(x: Tensor, sigma: float, tokens: Tensor) -> Tensor:
        check_cancel()
        return denoiser.denoise(x, sigma, _for_batch(tokens, len(x)))

    def towards(x: Tensor, sigma: float) -> Tensor:
        return one(x, sigma, positive.tokens)

    def both(x: Tensor, sigma: float) -> Tensor:
        pair = _same_length(negative.tokens, positive.tokens)
        if pair is None:
            away, to = one(x, sigma, negative.tokens), one(x, sigma, positive.tokens)
        else:
            check_cancel()
            context = torch.cat([_for_batch(tokens, len(x)) for tokens in pair])
            away, to = denoiser.denoise(torch.cat([x, x]), sigma, context).chunk(2)
        return away + (to - away) * cfg

    return towards if math.isclose(cfg, 1.0) else both


def _for_batch(tokens: Tensor, batch: int) -> Tensor:
    if len(tokens) not in (1, batch):
        raise ValueError(
            f"A conditioning for {len(tokens)} pictures cannot guide a batch of {batch}: "
            "encode one prompt, or one per picture."
        )
    return tokens.expand(batch, -1, -1)


def _same_length(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor] | None:
    """Both, repeated along the tokens to their least common length; None if that is too long.

    Attention does not change when all its keys and values are repeated equally often, since their
    weights are divided by the same sum.
    """
    length = math.lcm(left.shape[1], right.shape[1])
    times = [length // tokens.shape[1] for tokens in (left, right)]
    if max(times) > LARGEST_REPEAT:
        return None
    return left.repeat(1, times[0], 1), right.repeat(1, times[1], 1)
