"""What a sampler is: a generator that walks a list of noise levels, and a row that describes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from diffusion.guidance import Denoise
from diffusion.noise import StepNoise


@dataclass(frozen=True)
class Step:
    """Step `index` of 1…`steps`: `denoised` is the estimate at `sigma`, `x` the result."""

    index: int
    steps: int
    sigma: float
    denoised: Tensor
    x: Tensor


Walk = Callable[[Denoise, Tensor, Tensor, StepNoise], Iterator[Step]]
"""`walk(denoise, x, sigmas, noise)`: x is at level sigmas[0], the last result at sigmas[-1]."""

NoiseKind = Literal["none", "fresh", "brownian"]


@dataclass(frozen=True)
class Sampler:
    """A sampler and what its caller must know.

    `noise`: what `noise` must be, see `diffusion.noise`. `order`: by what power of the step's
    length a deterministic sampler's error falls in a whole run. `discard_penultimate`: see
    `schedules.sigmas_for`. `fresh_keep_noise`: ComfyUI noises kept areas from the next seed with
    it. `below_one`: a flow's run must begin below σ = 1, where λ is -∞. `own_levels`: it walks
    levels of its own between the list's first and last positive one.
    """

    name: str
    walk: Walk
    noise: NoiseKind = "none"
    order: int = 1
    discard_penultimate: bool = False
    fresh_keep_noise: bool = False
    below_one: bool = False
    own_levels: bool = False


SAMPLERS: dict[str, Sampler] = {}
"""The samplers by name. Complete once the package `diffusion.samplers` is imported."""


def sampler(
    *,
    noise: NoiseKind = "none",
    order: int = 1,
    discard_penultimate: bool = False,
    fresh_keep_noise: bool = False,
    below_one: bool = False,
    own_levels: bool = False,
) -> Callable[[Walk], Walk]:
    """Offer a generator as a sampler under its function's name."""

    def register(walk: Walk) -> Walk:
        name = walk.__name__
        SAMPLERS[name] = Sampler(
            name,
            walk,
            noise,
            order,
            discard_penultimate,
            fresh_keep_noise,
            below_one or noise == "brownian",
            own_levels,
        )
        return walk

    return register


def also_named(name: str, walk: Walk) -> None:
    """Offer a sampler under a second name, as its own row."""
    SAMPLERS[name] = replace(SAMPLERS[walk.__name__], name=name)
