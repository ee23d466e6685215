"""Samplers give diffusers' states, step by step, on the same model, levels and noise."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.samplers import SAMPLERS
from tests.diffusion import gaussian

schedulers = pytest.importorskip("diffusers.schedulers", reason="compares with diffusers")

STEPS = 12
STABLE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CLOSE = {"atol": 2e-4, "rtol": 2e-4}  # diffusers holds levels, and some states, in float32


class Draws:
    """Unit normal noise of one generator, whatever the levels."""

    flow = False

    def __init__(self) -> None:
        self.generator = torch.Generator().manual_seed(4)

    def __call__(self, sigma: float, sigma_next: float) -> Tensor:
        return torch.randn(1, 4, 4, 4, generator=self.generator)


def start(sigma: float) -> Tensor:
    return torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(9)) * sigma


def ours(name: str, sigmas: Tensor) -> list[Tensor]:
    walk = SAMPLERS[name].walk(gaussian.denoise, start(float(sigmas[0])), sigmas, Draws())
    return [step.x for step in walk]


def vp_states(scheduler: Any, advance: Callable[..., Tensor]) -> list[Tensor]:
    """States, in our scale x₀ + σ·noise, of a scheduler that steps x/√(1+σ²)."""
    scales = (scheduler.sigmas**2 + 1).sqrt()
    x = start(float(scheduler.sigmas[0])) / scales[0]
    states = []
    for index, time in enumerate(scheduler.timesteps):
        denoised = gaussian.denoise(x * scales[index], float(scheduler.sigmas[index]))
        x = advance(denoised, time, x)
        states.append(x * scales[index + 1])
    return states


def dpm(**options: Any) -> Any:
    scheduler = schedulers.DPMSolverMultistepScheduler(
        **STABLE, prediction_type="sample", use_karras_sigmas=True, **options
    )
    scheduler.set_timesteps(STEPS)
    return scheduler


SDE = {"algorithm_type": "sde-dpmsolver++"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dpmpp_2m", {}),
        ("dpmpp_2m_sde", SDE),
        ("dpmpp_2m_sde_heun", {**SDE, "solver_type": "heun"}),
    ],
)
def test_dpmpp_equals_diffusers(name: str, options: dict[str, str]) -> None:
    scheduler, draws = dpm(**options), Draws()

    def advance(denoised: Tensor, time: Tensor, x: Tensor) -> Tensor:
        drawn = draws(0, 0)
        return scheduler.step(denoised, time, x, variance_noise=drawn).prev_sample

    expected = vp_states(scheduler, advance)
    torch.testing.assert_close(ours(name, scheduler.sigmas), expected, **CLOSE)


@pytest.mark.parametrize(("name", "kind"), [("uni_pc", "bh1"), ("uni_pc_bh2", "bh2")])
def test_unipc_equals_diffusers_up_to_its_last_step(name: str, kind: str) -> None:
    scheduler = schedulers.UniPCMultistepScheduler(
        **STABLE,
        prediction_type="sample",
        use_karras_sigmas=True,
        solver_order=3,
        solver_type=kind,
        final_sigmas_type="zero",
    )
    scheduler.set_timesteps(STEPS)
    expected = vp_states(scheduler, lambda d, t, x: scheduler.step(d, t, x).prev_sample)
    got = ours(name, scheduler.sigmas)
    # the last step goes to 0 there, and to a level next to it here
    torch.testing.assert_close(got[:-1], expected[:-1], **CLOSE)


@pytest.mark.parametrize(
    ("name", "kind"), [("euler", "EulerDiscreteScheduler"), ("lms", "LMSDiscreteScheduler")]
)
def test_a_sampler_of_the_probability_flow_equals_diffusers(name: str, kind: str) -> None:
    scheduler = getattr(schedulers, kind)(**STABLE, use_karras_sigmas=True)
    scheduler.set_timesteps(STEPS)
    sigmas = scheduler.sigmas
    x, expected = start(float(sigmas[0])), []
    for index, time in enumerate(scheduler.timesteps):
        scheduler.scale_model_input(x, time)
        slope = (x - gaussian.denoise(x, float(sigmas[index]))) / sigmas[index]
        x = scheduler.step(slope, time, x).prev_sample
        expected.append(x)
    # the last step of lms is D here, as in the field; diffusers continues the polynomial
    torch.testing.assert_close(ours(name, sigmas)[:-1], expected[:-1], **CLOSE)
