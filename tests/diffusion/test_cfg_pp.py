"""CFG++ steps to the guided estimate with the noise that the other estimate sees."""

import pytest
import torch
from torch import Tensor

from diffusion.guidance import Estimates, Guided
from diffusion.noise import Noise
from diffusion.samplers import SAMPLERS
from tests.diffusion import gaussian

NAMES = [name for name in SAMPLERS if name.endswith("_cfg_pp")]
CPU = torch.device("cpu")
SIGMAS = torch.cat([gaussian.even(10.0, 0.1, 8), torch.zeros(1, dtype=torch.float64)])


def away(x: Tensor, sigma: float) -> Tensor:
    return gaussian.denoise(x, sigma) - 0.3


def both(x: Tensor, sigma: float) -> Estimates:
    return Estimates(gaussian.denoise(x, sigma), away(x, sigma))


def walked(name: str, denoise: object) -> list[Tensor]:
    noise = Noise(3, (1, 4, 8, 8))
    start = noise.start().double() * 10
    return [s.x for s in SAMPLERS[name].walk(denoise, start, SIGMAS, noise.per_step(CPU))]


def test_all_seven_are_there() -> None:
    assert len(NAMES) == 7


@pytest.mark.parametrize("name", NAMES)
def test_without_guidance_it_is_the_sampler_it_is_named_after(name: str) -> None:
    plain = walked(name.removesuffix("_cfg_pp"), gaussian.denoise)
    for got, expected in zip(walked(name, gaussian.denoise), plain, strict=True):
        torch.testing.assert_close(got, expected, atol=1e-12, rtol=1e-12)  # sums in another order


@pytest.mark.parametrize("name", NAMES)
def test_the_other_estimate_changes_the_way(name: str) -> None:
    plain, guided = walked(name, gaussian.denoise), walked(name, Guided(gaussian.denoise, both))
    # x + (σ'/σ)(D - D₋) after the first step; ancestral samplers step further down
    assert float((guided[0] - plain[0]).mean()) > 0.05


def test_a_first_step_is_the_papers() -> None:
    start = torch.linspace(-30, 30, 9, dtype=torch.float64)
    walk = SAMPLERS["euler_cfg_pp"].walk(
        Guided(gaussian.denoise, both), start, SIGMAS, Noise(3, (1, 4, 8, 8)).per_step(CPU)
    )
    sigma, sigma_next = SIGMAS.tolist()[:2]
    noise = (start - away(start, sigma)) / sigma
    expected = gaussian.denoise(start, sigma) + sigma_next * noise
    torch.testing.assert_close(next(walk).x, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_guided_run_ends_at_the_guided_estimate(name: str) -> None:
    noise = Noise(3, (1, 4, 8, 8))
    start = noise.start().double() * 10
    walk = SAMPLERS[name].walk(Guided(gaussian.denoise, both), start, SIGMAS, noise.per_step(CPU))
    *_, end = walk
    torch.testing.assert_close(end.x, end.denoised, atol=1e-12, rtol=0)
