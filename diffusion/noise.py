"""Draw the random numbers of a run, so that equal seeds give equal pictures.

Two schemes. "loom": picture k of a batch has its own generator, seeded with seed + k, so that a
batch equals its single runs. "comfyui": the whole batch is drawn at once, as ComfyUI does, so that
its pictures can be repeated; there a picture depends on its place in the batch. Either way start
noise is drawn in float32 on the CPU, so that it does not depend on the device.
"""

import math
from collections.abc import Callable, Sequence
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

Scheme = Literal["loom", "comfyui"]
SCHEMES: tuple[str, ...] = get_args(Scheme)

SEEDS = 2**64
"""Seeds are 0…SEEDS - 1; seed + k wraps around."""


Span = tuple[float, float]
"""A lower and a higher level."""

EVERYWHERE: Span = (0.0, math.inf)


class StepNoise(Protocol):
    """What a sampler asks for noise: unit normal, of the latent's shape, on its device.

    `flow` says how the model mixes noise and picture (see `diffusion.prediction`), `middle` which
    levels are the middle of the way: those after 80 % and after 20 % of it.
    """

    flow: bool
    middle: Span

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        """The noise of the step from σ to the lower `sigma_next`."""
        ...


class Noise:
    """The random numbers of one run over `shape` = (batch, channels, height, width)."""

    def __init__(self, seed: int, shape: Sequence[int], scheme: Scheme = "loom") -> None:
        self.seed = seed % SEEDS
        self.shape = tuple(shape)
        self.scheme = scheme
        self._generators = [_generator(seed) for seed in self._seeds()]
        self._start = self._draw(self._generators)

    def start(self) -> Tensor:
        """The noise that a run starts from: float32 on the CPU, the same at every call."""
        return self._start

    def per_step(
        self, device: torch.device, *, flow: bool = False, middle: Span = EVERYWHERE
    ) -> StepNoise:
        """Fresh noise at every call. Ask once a run: the pictures' generators go on from there."""
        if self.scheme == "comfyui":
            # ComfyUI draws on the latent's device; on the CPU from the next seed, since the first
            # draw from the same one would be the start noise again.
            seed = (self.seed + 1) % SEEDS if device.type == "cpu" else self.seed
            generators = [_generator(seed, device)]
        else:
            generators = self._generators
        return _Fresh(lambda: self._draw(generators).to(device), flow, middle)

    def brownian(
        self,
        sigma_min: float,
        sigma_max: float,
        device: torch.device,
        *,
        flow: bool = False,
        middle: Span = EVERYWHERE,
    ) -> StepNoise:
        """The increments of one Brownian path per seed over the levels `sigma_min`…`sigma_max`."""
        return _Brownian(self._seeds(), self.shape, (sigma_min, sigma_max), device, flow, middle)

    def _seeds(self) -> list[int]:
        """One seed per picture, or one in all where the batch is drawn as a whole."""
        if self.scheme == "comfyui":
            return [self.seed]
        return [(self.seed + k) % SEEDS for k in range(self.shape[0])]

    def _draw(self, generators: list[torch.Generator]) -> Tensor:
        shape = (self.shape[0] // len(generators), *self.shape[1:])
        return torch.cat([torch.randn(shape, generator=g, device=g.device) for g in generators])


class _Fresh:
    def __init__(self, draw: Callable[[], Tensor], flow: bool, middle: Span) -> None:
        self._draw = draw
        self.flow = flow
        self.middle = middle

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        return self._draw()


class _Brownian:
    """Noise whose sum over small steps equals that of a large one, as SDE solvers need.

    Li et al. 2020, "Scalable Gradients for Stochastic Differential Equations", Algorithm 3 (virtual
    Brownian tree).
    """

    def __init__(
        self,
        seeds: list[int],
        shape: tuple[int, ...],
        span: Span,
        device: torch.device,
        flow: bool,
        middle: Span,
    ) -> None:
        import torchsde  # over a second to import: only for the samplers that need it

        self.flow = flow
        self.middle = middle
        self._device = device
        self._span = (round(span[0], 6), round(span[1], 6))  # as the trees round their ends
        part = torch.zeros(shape[0] // len(seeds), *shape[1:])
        self._trees = [
            torchsde.BrownianTree(t0=span[0], w0=part, t1=span[1], entropy=seed) for seed in seeds
        ]

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        low, high = sorted((sigma, sigma_next))
        ends = max(low, self._span[0]), min(high, self._span[1])
        # Towards lower noise the path is walked backwards, hence the sign.
        scale = (1 if sigma < sigma_next else -1) / math.sqrt(high - low)
        return torch.cat([tree(*ends) for tree in self._trees]).to(self._device) * scale


def _generator(seed: int, device: torch.device | None = None) -> torch.Generator:
    return torch.Generator(device or "cpu").manual_seed(seed)
