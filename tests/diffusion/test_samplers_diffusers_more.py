"""More of diffusers' schedulers: two evaluations a step, noise in each, consistency, flows."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.levels import ddpm_levels
from diffusion.model_sampling import Sampling, resampled
from diffusion.prediction import PREDICTIONS
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES
from diffusion.spaces import LATENT_SPACES
from tests.diffusion import gaussian
from tests.diffusion.test_samplers_diffusers import CLOSE, STABLE, STEPS, Draws, ours, start

schedulers = pytest.importorskip("diffusers.schedulers", reason="compares with diffusers")

pytestmark = pytest.mark.filterwarnings("ignore")  # of diffusers' own, at numpy 2


def level_of(scheduler: Any, time: Tensor) -> float:
    """σ of the evaluation that the scheduler asks for: it divides by √(1+σ²)."""
    scaled = float(scheduler.scale_model_input(torch.ones(1, dtype=torch.float64), time))
    return math.sqrt(1 / scaled**2 - 1)


def states(scheduler: Any, levels: list[float], step: Callable[..., Tensor]) -> list[Tensor]:
    """What each evaluation led to, from a start at the first level."""
    x, seen = start(levels[0]), []
    for time in scheduler.timesteps:
        sigma = level_of(scheduler, time)
        x = step((x - gaussian.denoise(x, sigma)) / sigma, time, x)
        seen.append(x)
    return seen


@pytest.mark.parametrize(
    ("name", "kind"), [("heun", "HeunDiscreteScheduler"), ("dpm_2", "KDPM2DiscreteScheduler")]
)
def test_a_method_of_two_evaluations_equals_diffusers(name: str, kind: str) -> None:
    scheduler = getattr(schedulers, kind)(**STABLE, use_karras_sigmas=True)
    scheduler.set_timesteps(STEPS)
    sigmas = torch.cat([scheduler.sigmas[:1], scheduler.sigmas[1::2]])
    made = states(scheduler, sigmas.tolist(), lambda d, t, x: scheduler.step(d, t, x).prev_sample)
    expected = made[1::2][: STEPS - 1]
    torch.testing.assert_close(ours(name, sigmas)[: STEPS - 1], expected, **CLOSE)


def test_euler_ancestral_equals_diffusers() -> None:
    scheduler = schedulers.EulerAncestralDiscreteScheduler(**STABLE)
    scheduler.set_timesteps(STEPS)
    generator = Draws().generator
    made = states(
        scheduler,
        scheduler.sigmas.tolist(),
        lambda d, t, x: scheduler.step(d, t, x, generator=generator).prev_sample,
    )
    torch.testing.assert_close(ours("euler_ancestral", scheduler.sigmas), made, **CLOSE)


def test_dpm_2_ancestral_equals_diffusers() -> None:
    scheduler = schedulers.KDPM2AncestralDiscreteScheduler(**STABLE, use_karras_sigmas=True)
    scheduler.set_timesteps(STEPS)
    sigmas = torch.cat([scheduler.sigmas[:1], scheduler.sigmas[1::2]])[: STEPS + 1]
    generator = Draws().generator
    made = states(
        scheduler,
        sigmas.tolist(),
        lambda d, t, x: scheduler.step(d, t, x, generator=generator).prev_sample,
    )
    got = ours("dpm_2_ancestral", sigmas)[: STEPS - 1]
    torch.testing.assert_close(got, made[1::2][: STEPS - 1], **CLOSE)


def test_dpmpp_sde_equals_diffusers() -> None:
    scheduler = schedulers.DPMSolverSDEScheduler(**STABLE, use_karras_sigmas=True)
    scheduler.set_timesteps(STEPS)
    draws = Draws()
    scheduler.noise_sampler = lambda sigma, after: draws(float(sigma), float(after))
    sigmas = torch.cat([scheduler.sigmas[:1], scheduler.sigmas[1::2]])
    made = states(scheduler, sigmas.tolist(), lambda d, t, x: scheduler.step(d, t, x).prev_sample)
    expected = made[1::2][: STEPS - 1]
    torch.testing.assert_close(ours("dpmpp_sde", sigmas)[: STEPS - 1], expected, **CLOSE)


@pytest.mark.parametrize(("name", "kind"), [("ddim", "DDIMScheduler"), ("ddpm", "DDPMScheduler")])
def test_the_first_diffusion_samplers_equal_diffusers(name: str, kind: str) -> None:
    scheduler = getattr(schedulers, kind)(**STABLE, clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(10)  # divides 1000, so that steps are of one length
    kept = scheduler.alphas_cumprod.double()[scheduler.timesteps]
    sigmas = torch.cat([((1 - kept) / kept).sqrt(), torch.zeros(1)])
    generator = Draws().generator
    x, made = start(float(sigmas[0])) * kept[0].sqrt(), []
    after = [*kept[1:].tolist(), 1.0]
    for index, time in enumerate(scheduler.timesteps):
        wide, sigma = x / kept[index].sqrt(), float(sigmas[index])
        eps = (wide - gaussian.denoise(wide, sigma)) / sigma
        x = scheduler.step(eps, time, x, generator=generator).prev_sample
        made.append(x / math.sqrt(after[index]))
    torch.testing.assert_close(ours(name, sigmas), made, **CLOSE)


class Answers(nn.Module):
    """The Gaussian problem's noise, asked by timestep."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.levels = ddpm_levels()

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        sigma = self.levels.sigma(float(timesteps[0]))
        wide = x * math.sqrt(sigma**2 + 1)
        return (wide - gaussian.denoise(wide, sigma)) / sigma


def test_a_consistency_model_is_sampled_as_by_diffusers() -> None:
    scheduler = schedulers.LCMScheduler(**STABLE)
    scheduler.set_timesteps(4)
    network, generator = Answers(), Draws().generator
    plain = Denoiser(network, PREDICTIONS["epsilon"], ddpm_levels(), LATENT_SPACES["sd1"])
    told = resampled(plain, Sampling(prediction="lcm"))
    sigmas = SCHEDULES["simple"](told.levels, 4)
    times = [told.levels.timestep(sigma) for sigma in sigmas[:-1].tolist()]
    assert times == scheduler.timesteps.tolist() == [999, 759, 499, 259]

    x = start(float(sigmas[0])) * math.sqrt(float(scheduler.alphas_cumprod[999]))
    for time in scheduler.timesteps:
        eps = network(x, time[None], x)
        x = scheduler.step(eps, time, x, generator=generator).prev_sample

    walk = SAMPLERS["lcm"].walk(
        lambda x, sigma: told.denoise(x, sigma, torch.zeros(1, 1, 1)),
        start(float(sigmas[0])),
        sigmas,
        Draws(),
    )
    *_, last = walk
    torch.testing.assert_close(last.x.double(), x.double(), **CLOSE)


def test_euler_on_a_flow_equals_diffusers() -> None:
    scheduler = schedulers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(STEPS)
    x, made = start(1.0), []
    for sigma, time in zip(scheduler.sigmas.tolist(), scheduler.timesteps, strict=False):
        velocity = (x - gaussian.denoise_flow(x, sigma)) / sigma
        x = scheduler.step(velocity, time, x).prev_sample
        made.append(x)
    walk = SAMPLERS["euler"].walk(gaussian.denoise_flow, start(1.0), scheduler.sigmas, Draws())
    torch.testing.assert_close([step.x for step in walk], made, **CLOSE)
