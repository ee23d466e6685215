"""A small random network for every family's kind of noise, in float32 and, for references, float64.

It is made of what networks are made of: a time embedding, the prompt's tokens, convolutions and a
bend. Its answers are about 1 and smooth in all that it is told, so that a run in float32 stays next
to the same run in float64.
"""

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.families.family import DiscreteNoise, Noise
from diffusion.families.flux1 import FLUX1
from diffusion.families.sd2 import SD2
from diffusion.families.sd3 import SD3
from diffusion.families.sd15 import SD15
from diffusion.families.sdxl import SDXL
from diffusion.noise_levels import levels_of
from diffusion.prediction import PREDICTIONS
from diffusion.spaces import LATENT_SPACES
from tests.diffusion.reference.levels import Discrete, Flow, Levels
from tests.diffusion.reference.world import Array, Guided


class Toy(nn.Module):
    """`per_unit`: by how much a timestep is multiplied to run to 1."""

    def __init__(self, channels: int, per_unit: float) -> None:
        super().__init__()
        self.per_unit = per_unit
        generator = torch.Generator().manual_seed(6)

        def random(*shape: int) -> nn.Parameter:
            fan = math.prod(shape[1:])
            return nn.Parameter(torch.randn(shape, generator=generator) / math.sqrt(fan))

        self.enter, self.leave = random(8, channels, 3, 3), random(channels, 8, 3, 3)
        self.time, self.words = random(8, 6), random(8, 5)

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        phases = timesteps[:, None] * self.per_unit * torch.tensor([1.0, 2.0, 3.0], dtype=x.dtype)
        time = torch.cat([phases.cos(), phases.sin()], dim=1) @ self.time.T
        told = time + context.mean(dim=1) @ self.words.T
        hidden = nn.functional.conv2d(x, self.enter, padding=1) + told[:, :, None, None]
        return nn.functional.conv2d(hidden.tanh(), self.leave, padding=1)


@dataclass(frozen=True)
class Prompt:
    tokens: Tensor
    pooled: Tensor | None = None
    extras: Mapping[str, float | Tensor] = field(default_factory=dict)


def prompt(seed: int, width: int = 5, pooled: int = 0) -> Prompt:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, 3, width, generator=generator)
    return Prompt(tokens, torch.randn(1, pooled, generator=generator) if pooled else None)


POSITIVE, NEGATIVE = prompt(1), prompt(2)
CFG = 2.0


@dataclass(frozen=True)
class Family:
    """A family as the product knows it, and the same in the reference's numbers."""

    space: str
    prediction: str
    noise: Noise
    levels: Levels
    scale: float
    shift: float = 0.0
    conditioning: tuple[str, ...] = ()
    prompts: tuple[Prompt, Prompt] = (POSITIVE, NEGATIVE)
    build: Callable[[], nn.Module] | None = None

    @cached_property
    def denoiser(self) -> Denoiser:
        space = LATENT_SPACES[self.space]
        if self.build is None:
            module: nn.Module = Toy(space.channels, 1 / getattr(self.noise, "multiplier", 1000.0))
        else:
            module = self.build()
        prediction, levels = PREDICTIONS[self.prediction], levels_of(self.noise)
        return Denoiser(module.eval(), prediction, levels, space, self.conditioning)

    @cached_property
    def guided(self) -> Guided:
        return Guided(self.levels, self.prediction, self._output(), CFG)

    def raw(self, x: Array) -> Array:
        """The latent as the VAE knows it."""
        return x / self.scale + self.shift

    def _output(self) -> Callable[[Array, float, str], Array]:
        """The network in float64."""
        module = copy.deepcopy(self.denoiser.module).double()
        sides = {"towards": self.prompts[0], "away": self.prompts[1]}

        def output(x: Array, time: float, side: str) -> Array:
            told = self.denoiser.inputs(sides[side], torch.Size(x.shape), negative=side == "away")
            extras = {name: tensor.double() for name, tensor in told.extras.items()}
            times = torch.full((len(x),), time, dtype=torch.float64)
            with torch.no_grad():
                answer = module(torch.from_numpy(x), times, told.tokens.double(), **extras)
            return answer.double().numpy()

        return output


PLAIN, ZERO = Discrete(), Discrete(zero_snr=True)
SHIFTED, FLUX = Flow(3.0, 1000, 1000.0), Flow(math.exp(1.15), 10_000, 1.0)

FAMILIES = {
    "sd1": Family("sd1", "epsilon", SD15.noise, PLAIN, 0.18215),
    "sdxl": Family("sdxl", "epsilon", SDXL.noise, PLAIN, 0.13025),
    "sd2-velocity": Family("sd1", "velocity", SD2.noise, PLAIN, 0.18215),
    "sdxl-zero-snr": Family("sdxl", "velocity", DiscreteNoise(zero_snr=True), ZERO, 0.13025),
    "sd3": Family("sd3", "flow", SD3.noise, SHIFTED, 1.5305, 0.0609),
    "flux1": Family("flux1", "flow", FLUX1.noise, FLUX, 0.3611, 0.1159),
}
"""What each is in the product, and the published numbers of the same."""
