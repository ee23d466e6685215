"""What network outputs mean, and how latents are noised."""

import math

import pytest
import torch

from diffusion.levels import LogLevels
from diffusion.prediction import PREDICTIONS, Edm, Epsilon, Flow, Velocity

SIGMAS = [0.03, 0.7, 5.0, 14.6]
EXACT = 1e-12  # float64 throughout


def example() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 3, 4, 5, 5, generator=generator, dtype=torch.float64)
    return clean, noise


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_network_that_knows_the_noise_gives_back_the_picture(sigma: float) -> None:
    clean, noise = example()
    x = Epsilon().noised(clean, noise, sigma)
    torch.testing.assert_close(Epsilon().denoised(x, noise, sigma), clean, atol=EXACT, rtol=0)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_network_that_knows_the_velocity_gives_back_the_picture(sigma: float) -> None:
    clean, noise = example()
    alpha = 1 / math.sqrt(sigma**2 + 1)
    velocity = alpha * noise - sigma * alpha * clean
    x = Velocity().noised(clean, noise, sigma)
    torch.testing.assert_close(Velocity().denoised(x, velocity, sigma), clean, atol=EXACT, rtol=0)


@pytest.mark.parametrize("sigma", [0.01, 0.5, 0.99])
def test_a_network_that_knows_the_flow_gives_back_the_picture(sigma: float) -> None:
    clean, noise = example()
    x = Flow().noised(clean, noise, sigma)
    denoised = Flow().denoised(x, noise - clean, sigma)
    torch.testing.assert_close(denoised, clean, atol=EXACT, rtol=0)


def test_diffusion_networks_are_fed_unit_variance_and_flow_networks_the_mixture() -> None:
    x = torch.full((1, 4, 2, 2), 3.0)
    assert torch.equal(Epsilon().network_input(x, 2.0), x / math.sqrt(5))
    assert torch.equal(Velocity().network_input(x, 2.0), x / math.sqrt(5))
    assert Flow().network_input(x, 0.5) is x


def test_a_run_from_the_last_level_starts_a_little_louder_than_its_level() -> None:
    clean, noise = example()
    loud = Epsilon().noised(clean, noise, 2.0, pure=True)
    torch.testing.assert_close(loud, clean + noise * math.sqrt(5), atol=EXACT, rtol=0)


@pytest.mark.parametrize("name", PREDICTIONS)
def test_a_run_that_stops_midway_can_be_taken_up_without_new_noise(name: str) -> None:
    prediction = PREDICTIONS[name]
    x, _ = example()
    handed_over = prediction.finished(x, 0.4)
    again = prediction.noised(handed_over, torch.zeros_like(x), 0.4)
    torch.testing.assert_close(again, x, atol=EXACT, rtol=0)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_edm_gives_its_network_unit_variance_and_asks_the_same_of_it(sigma: float) -> None:
    clean, noise = example()
    x = Edm().noised(clean * 0.5, noise, sigma)  # data of standard deviation 1/2
    scale = math.sqrt(sigma**2 + 0.25)
    assert torch.equal(Edm().network_input(x, sigma), x / scale)
    # Karras et al. 2022, table 1: c_skip = σd²/(σ²+σd²), c_out = σ·σd/√(σ²+σd²)
    target = (clean * 0.5 - x * 0.25 / scale**2) / (sigma * 0.5 / scale)
    denoised = Edm().denoised(x, target, sigma)
    torch.testing.assert_close(denoised, clean * 0.5, atol=EXACT, rtol=0)
    assert float(target.var()) == pytest.approx(1, rel=0.25)  # 300 samples


def test_log_levels_are_evenly_spaced_in_the_logarithm() -> None:
    levels = LogLevels(0.002, 80.0, 1000)
    steps = levels.sigmas.log().diff()
    # float32 of logarithms up to 6
    assert torch.allclose(steps, torch.full_like(steps, math.log(40000) / 999), atol=1e-5)
    assert levels.sigma(levels.timestep(3.7)) == pytest.approx(3.7)
    assert levels.at(0.5) == pytest.approx(math.sqrt(0.002 * 80))
