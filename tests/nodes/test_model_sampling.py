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
from diffusion.model_sampling import Sampling, WrongNoise, flux_shift, resampled
from diffusion.prediction import Epsilon, Flow, Velocity
from diffusion.spaces import LATENT_SPACES
from graph.cancel import Cancel
from nodes.model_sampling import (
    model_sampling_discrete,
    model_sampling_flux,
    model_sampling_shift,
)
from nodes.sockets import Model
from server.worker_services import RunModels
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
