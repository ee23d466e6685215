"""A person's choice of prediction and noise levels reaches the sampler, and nothing else does."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion.denoiser import Denoiser
from diffusion.engine import Engine
from diffusion.levels import FlowLevels, ddpm_levels
from diffusion.model_sampling import DISCRETE, Sampling, WrongNoise, flux_shift, resampled
from diffusion.prediction import Epsilon, Flow, Velocity
from diffusion.sample import sample
from diffusion.spaces import LATENT_SPACES
from graph.cancel import Cancel
from nodes.model_sampling import (
    model_sampling_discrete,
    model_sampling_flux,
    model_sampling_shift,
)
from nodes.sockets import Model
from server.worker_services import RunModels
from tests.diffusion.toy import FAMILIES, NEGATIVE, POSITIVE
from tests.helpers.tiny_families import tiny_family

ANY: Model[Any, Any] = Model(Path("x"), "content", "sdxl", "sdxl")


def denoiser() -> Denoiser:
    return Denoiser(torch.nn.Identity(), Epsilon(), ddpm_levels(), LATENT_SPACES["sd1"])


def test_a_velocity_model_that_does_not_say_so_can_be_told(tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    models = RunModels(Engine("cpu", "float32"), Cancel())
    plain: Model[Any, Any] = Model(path, "content", "sdxl", "sdxl")
    told = model_sampling_discrete(plain, prediction="velocity", zero_snr=True)
    chosen, own = models.denoiser(told), models.denoiser(plain)
    assert isinstance(chosen.prediction, Velocity)
    # the last level of a zero-terminal-SNR table whose alphas_cumprod ends at 4.897e-8
    assert chosen.levels.sigma_max == pytest.approx(4518.8, rel=1e-4)
    assert chosen.module is own.module  # the weights are loaded once
    assert isinstance(own.prediction, Epsilon)
    assert chosen.conditioning == ("sizes",)


def test_a_file_that_says_velocity_can_be_told_epsilon() -> None:
    own = resampled(denoiser(), Sampling(prediction="velocity"))
    back = resampled(own, Sampling(prediction="epsilon", zero_snr=False))
    assert isinstance(back.prediction, Epsilon)
    assert torch.equal(back.levels.sigmas, denoiser().levels.sigmas)


def test_a_shift_moves_the_levels_of_a_flow_model() -> None:
    flow = replace(denoiser(), prediction=Flow(), levels=FlowLevels(3.0, 1000, 1000.0))
    moved = resampled(flow, Sampling(shift=6.0)).levels
    # Esser et al. 2024, equation 23 at t = 1/2: 6 · 0.5 / (1 + 5 · 0.5)
    assert float(moved.sigmas[499]) == pytest.approx(3 / 3.5)
    assert moved.timestep(0.5) == 500


def test_fluxs_shift_grows_with_the_picture() -> None:
    # 256 tokens of 16 x 16 pixels are a picture of 256 x 256, 4096 one of 1024 x 1024
    assert math.log(flux_shift(256, 256)) == pytest.approx(0.5)
    assert math.log(flux_shift(1024, 1024)) == pytest.approx(1.15)
    made = model_sampling_flux(ANY, width=512, height=512).sampling
    assert made is not None
    assert made.shift is not None
    assert math.log(made.shift) == pytest.approx(0.5 + 768 * 0.65 / 3840)


def test_a_choice_for_the_other_kind_of_noise_is_refused_in_words() -> None:
    shift = model_sampling_shift(ANY, shift=3.0).sampling
    assert shift == Sampling(shift=3.0)
    with pytest.raises(WrongNoise, match="Model Sampling Discrete"):
        resampled(denoiser(), shift)
    flow = replace(denoiser(), prediction=Flow(), levels=FlowLevels())
    with pytest.raises(WrongNoise, match="Model Sampling Shift"):
        resampled(flow, Sampling(prediction="velocity"))


def test_zero_snr_can_be_asked_for_and_taken_back() -> None:
    asked = resampled(denoiser(), Sampling(prediction="velocity", zero_snr=True))
    # Lin et al. 2024, Algorithm 1: the first level stays, the last holds no signal
    assert asked.levels.sigma_min == pytest.approx(denoiser().levels.sigma_min, rel=1e-5)
    assert asked.levels.sigma_max == pytest.approx(4518.8, rel=1e-4)
    assert asked.levels.timestep(asked.levels.sigma_max) == 999
    file_says_so = replace(denoiser(), levels=ddpm_levels(zero_snr=True))
    back = resampled(file_says_so, Sampling(zero_snr=False))
    assert torch.equal(back.levels.sigmas, ddpm_levels().sigmas)


def test_a_consistency_model_has_fifty_of_the_thousand_levels() -> None:
    told = resampled(denoiser(), Sampling(prediction="lcm"))
    levels = told.levels
    assert torch.equal(levels.sigmas, ddpm_levels().sigmas[19::20])
    times = [levels.timestep(sigma) for sigma in levels.sigmas.tolist()]
    assert times == list(range(19, 1000, 20))
    assert levels.sigma(999) == pytest.approx(14.6146, abs=1e-3)
    assert levels.sigma(19) == pytest.approx(levels.sigma_min)
    # half of the way, in the teacher's timesteps
    assert levels.timestep(levels.at(0.5)) == pytest.approx(499.5, abs=10)


def test_a_consistency_models_estimate_keeps_its_boundary() -> None:
    told = resampled(denoiser(), Sampling(prediction="lcm"))
    generator = torch.Generator().manual_seed(0)
    x, output = torch.randn(2, 1, 4, 3, 3, generator=generator, dtype=torch.float64)
    sigma = float(told.levels.sigmas[0])
    # Luo et al. 2023, eq. 9, at timestep 19: σ_data = 1/2 and ten times the timestep
    skip, out = 0.25 / (190**2 + 0.25), 190 / math.sqrt(190**2 + 0.25)
    expected = skip * x + out * (x - sigma * output)
    got = told.prediction.denoised(x, output, sigma)
    torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)


def test_a_model_can_be_said_to_predict_the_picture_itself() -> None:
    x = torch.full((1, 4, 2, 2), 3.0)
    picture, pictures = (
        resampled(denoiser(), Sampling(prediction=name)).prediction for name in ("x0", "img_to_img")
    )
    for prediction in (picture, pictures):
        assert torch.equal(prediction.denoised(x, x * 2, 5.0), x * 2)
    assert torch.equal(picture.network_input(x, 2.0), x / math.sqrt(5))
    assert torch.equal(pictures.network_input(x, 2.0), x)


@pytest.mark.parametrize("prediction", DISCRETE)
def test_every_choice_of_the_node_is_sampled(prediction: str) -> None:
    told = model_sampling_discrete(ANY, prediction=prediction).sampling
    assert told is not None
    toy = resampled(FAMILIES["sd1"].denoiser, told)
    sampler = "lcm" if prediction == "lcm" else "euler"
    empty = torch.zeros(1, 4, 4, 4)
    options = {"seed": 1, "steps": 4, "cfg": 2.0, "sampler": sampler, "schedule": "simple"}
    *_, last = sample(toy, empty, POSITIVE, NEGATIVE, **options)
    assert last.latent is not None
    assert last.latent.isfinite().all()


def test_a_models_shift_is_its_familys_until_a_person_changes_it() -> None:
    for family, shift in (("sd3", 3.0), ("flux1", math.exp(1.15))):
        own = FAMILIES[family].denoiser
        assert isinstance(own.levels, FlowLevels)
        assert own.levels.shift == pytest.approx(shift)
        moved = resampled(own, Sampling(shift=1.73)).levels  # AuraFlow's
        assert isinstance(moved, FlowLevels)
        assert (moved.shift, moved.multiplier) == (1.73, own.levels.multiplier)
        assert len(moved.sigmas) == len(own.levels.sigmas)
