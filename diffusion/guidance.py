"""Steer a denoiser towards one conditioning and away from another (classifier-free guidance)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor

from diffusion.conditioning import Conditioning, Inputs
from diffusion.denoiser import Denoiser
from diffusion.regions import Part, Said, said

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


Prompt = Conditioning | Sequence[Part]
"""One prompt, or the parts that it is made of."""


class Between(NamedTuple):
    """A second prompt to go towards, on the way from the negative to the positive one.

    `cfg`: how far to go from the negative towards it.
    """

    prompt: Prompt
    cfg: float


def guided(
    denoiser: Denoiser,
    positive: Prompt,
    negative: Prompt,
    cfg: float,
    check_cancel: Callable[[], None] = nothing,
    *,
    between: Between | None = None,
) -> Guided:
    """Denoise with guidance: D = D₋ + cfg·(D₊ - D₋) (Ho and Salimans 2022, eq. 6; cfg = 1 + w).

    At cfg 1 the negative drops out and is not computed, unless a sampler asks for it. With
    `between`, D = D₋ + between.cfg·(D_b - D₋) + cfg·(D₊ - D_b) (Brooks et al. 2023, eq. 3).
    Where no part of one prompt holds, the other speaks for it, so that nothing is guided there.
    What is guided is rescaled by the denoiser's `rescale` (see `rescaled`). `check_cancel` is
    called before every call of the network, and raises to stop the run.
    """
    calls = _Calls(denoiser, check_cancel)
    away, to = _parts(negative), _parts(positive)
    middle = _parts(between.prompt) if between else None

    def towards(x: Tensor, sigma: float) -> Tensor:
        if _is_plain(to):
            return calls.one(x, sigma, to[0].conditioning, "towards")
        told = calls.said(to, x, sigma, "towards")
        silent = x if bool((told.weights > 0).all()) else pair(x, sigma)[1]
        return told.mean(silent)

    def pair(x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
        """What the negative and the positive prompt say."""
        if _is_plain(to) and _is_plain(away):
            return calls.both(x, sigma, away[0].conditioning, to[0].conditioning)
        less, more = calls.said(away, x, sigma, "away"), calls.said(to, x, sigma, "towards")
        silent = x
        if not bool(((less.weights > 0) | (more.weights > 0)).all()):
            silent = calls.one(x, sigma, to[0].conditioning, "towards")
        return less.mean(more.mean(silent)), more.mean(less.mean(silent))

    def both(x: Tensor, sigma: float) -> Estimates:
        low, high = pair(x, sigma)
        if between is None or middle is None:
            mixed = low + (high - low) * cfg
        else:
            inner = calls.said(middle, x, sigma, "towards").mean(low)
            mixed = low + (inner - low) * between.cfg + (high - inner) * cfg
        if denoiser.rescale:
            mixed = rescaled(x, sigma, mixed, high, denoiser.rescale, denoiser.prediction.flow)
        return Estimates(mixed, low)

    def mixed(x: Tensor, sigma: float) -> Tensor:
        return both(x, sigma).denoised

    alone = math.isclose(cfg, 1.0) and between is None
    return Guided(towards if alone else mixed, both)


def rescaled(
    x: Tensor, sigma: float, guided: Tensor, towards: Tensor, share: float, flow: bool
) -> Tensor:
    """The guided estimate with the spread that the positive prompt's own velocity has.

    Lin et al. 2024, eq. 15 and 16, on velocities whatever the network predicts: strong guidance
    makes pictures too contrasty. `share`: φ, how much of the rescaled estimate is taken, 0…1.
    """
    # Both mixtures are x = scale·D + rest, and the velocity is linear in D by these two numbers.
    whole, slope = (1.0, sigma) if flow else (1 / (sigma**2 + 1), sigma / math.sqrt(sigma**2 + 1))
    if slope == 0:
        return guided
    strong, own = ((x * whole - estimate) / slope for estimate in (guided, towards))
    dims = tuple(range(1, x.ndim))
    spread = own.std(dims, keepdim=True) / strong.std(dims, keepdim=True).clamp(min=1e-6)
    velocity = strong * (share * spread + (1 - share))
    return x * whole - velocity * slope


def _parts(prompt: Prompt) -> Sequence[Part]:
    # a conditioning may be a named tuple, and so a sequence too
    if hasattr(prompt, "tokens"):
        return (Part(cast(Conditioning, prompt)),)
    return tuple(prompt)


def _is_plain(parts: Sequence[Part]) -> bool:
    return len(parts) == 1 and parts[0].plain


class _Calls:
    """Calls of the network for prompts, each prepared once for latents of a shape."""

    def __init__(self, denoiser: Denoiser, check_cancel: Callable[[], None]) -> None:
        self._denoiser = denoiser
        self._check = check_cancel
        self._repeat = 1 if denoiser.joint else LARGEST_REPEAT
        self._told: dict[tuple[int, torch.Size, Side], Inputs] = {}

    def one(self, x: Tensor, sigma: float, conditioning: Conditioning, side: Side) -> Tensor:
        """What the network says to one prompt."""
        self._check()
        return self._denoiser.denoise(x, sigma, *self._inputs(conditioning, x.shape, side))

    def both(
        self, x: Tensor, sigma: float, negative: Conditioning, positive: Conditioning
    ) -> tuple[Tensor, Tensor]:
        """What it says to two, in one call where they can share it."""
        left = self._inputs(negative, x.shape, "away")
        right = self._inputs(positive, x.shape, "towards")
        pair = _joined(left, right, self._repeat)
        if pair is None:
            return self.one(x, sigma, negative, "away"), self.one(x, sigma, positive, "towards")
        self._check()
        away, to = self._denoiser.denoise(torch.cat([x, x]), sigma, *pair).chunk(2)
        return away, to

    def said(self, parts: Sequence[Part], x: Tensor, sigma: float, side: Side) -> Said:
        """What all parts of a prompt say that hold at this level."""

        def answer(piece: Tensor, conditioning: Conditioning) -> Tensor:
            return self.one(piece, sigma, conditioning, side)

        # what steers has the size of the whole picture
        pieces = not self._denoiser.controls
        levels, downscale = self._denoiser.levels, self._denoiser.space.downscale
        return said(parts, x, sigma, levels, downscale, answer, in_pieces=pieces)

    def _inputs(self, conditioning: Conditioning, shape: torch.Size, side: Side) -> Inputs:
        key = (id(conditioning), shape, side)  # the run holds the prompts as long as this lives
        if key not in self._told:
            inputs = self._denoiser.inputs(conditioning, shape, negative=side == "away")
            self._told[key] = Inputs(
                _for_batch(inputs.tokens, shape[0]),
                {name: _for_batch(tensor, shape[0]) for name, tensor in inputs.extras.items()},
            )
        return self._told[key]


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
