"""Sampling: from a raw latent and two conditionings to a raw latent, step by step."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.levels import FlowLevels, ddpm_levels
from diffusion.prediction import Epsilon, Flow
from diffusion.sample import NotFinite, Progress, sample
from diffusion.samplers import SAMPLERS
from diffusion.schedules import sigmas_for
from tests.diffusion import gaussian


@dataclass
class Prompt:
    tokens: Tensor


class Shifted:
    """A latent space with a scale and a shift."""

    channels = 4
    downscale = 8

    def normalise(self, raw: Tensor) -> Tensor:
        return (raw - 2.0) * 0.5

    def denormalise(self, z: Tensor) -> Tensor:
        return z / 0.5 + 2.0


class GaussianNetwork(nn.Module):
    """Predicts the noise of the Gaussian problem; its mean is what the context says."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(()))
        self.levels = ddpm_levels()
        self.starts: list[Tensor] = []

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        sigma = self.levels.sigma(float(timesteps[0]))
        noisy = x * math.sqrt(sigma**2 + 1)
        self.starts.append(noisy)
        mean = context.mean(dim=(1, 2))[:, None, None, None]
        variance = gaussian.DEVIATION**2
        denoised = (noisy * variance + mean * sigma**2) / (variance + sigma**2)
        return (noisy - denoised) / sigma


PROMPT = Prompt(torch.full((1, 3, 2), gaussian.MEAN))
NEGATIVE = Prompt(torch.full((1, 3, 2), -gaussian.MEAN))
EMPTY = torch.full((2, 4, 8, 8), 2.0)  # the raw value that normalises to zero


def denoiser() -> Denoiser:
    return Denoiser(GaussianNetwork(), Epsilon(), ddpm_levels(), Shifted())


def run(model: Denoiser | None = None, latent: Tensor = EMPTY, **options: Any) -> list[Progress]:
    settings = {"seed": 5, "steps": 6, "cfg": 1.0, **options}
    return list(sample(model or denoiser(), latent, PROMPT, NEGATIVE, **settings))


def result(*args: Any, **options: Any) -> Tensor:
    latent = run(*args, **options)[-1].latent
    assert latent is not None
    return latent


def test_a_record_follows_every_step_and_the_last_has_the_latent() -> None:
    records = run()
    assert [record.step for record in records] == [1, 2, 3, 4, 5, 6]
    assert {record.steps for record in records} == {6}
    assert [record.latent is None for record in records] == [True] * 5 + [False]
    assert records[-1].denoised.shape == EMPTY.shape


def test_the_result_is_the_data_in_raw_form() -> None:
    latent = result(latent=torch.full((1, 4, 64, 64), 2.0), steps=60, sampler="dpmpp_2m")
    model_space = Shifted().normalise(latent)
    # The start knows nothing of the data's mean, and σ = 14.6 leaves some of that to be seen.
    unaware = gaussian.flown(torch.zeros(()), ddpm_levels().sigma_max, 0.0)
    # 16,384 draws: standard errors 0.004 and 0.003; rounding σ to whole timesteps costs the rest
    assert float(model_space.mean()) == pytest.approx(float(unaware), abs=0.02)
    assert float(model_space.std()) == pytest.approx(gaussian.DEVIATION, abs=0.02)


# dpm_adaptive measures its steps over the whole batch
@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "dpm_adaptive"])
def test_a_batch_equals_its_single_runs(name: str) -> None:
    batch = result(sampler=name, cfg=3.0)
    for k in range(2):
        single = result(latent=EMPTY[:1], sampler=name, cfg=3.0, seed=5 + k)
        assert torch.equal(batch[k : k + 1], single)


@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "dpmpp_2m_sde"])
def test_equal_seeds_give_equal_latents_and_others_do_not(name: str) -> None:
    assert torch.equal(result(sampler=name), result(sampler=name))
    assert not torch.equal(result(sampler=name), result(sampler=name, seed=6))


def first_state(**options: Any) -> Tensor:
    model = denoiser()
    run(model, **options)
    assert isinstance(model.module, GaussianNetwork)
    return model.module.starts[0]


def noise() -> Tensor:
    return torch.cat(
        [torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5 + k)) for k in (0, 1)]
    )


ROUNDING = 1e-4  # float32 values of up to 60, scaled and scaled back


def test_a_run_from_pure_noise_starts_at_the_root_of_one_plus_sigma_squared() -> None:
    expected = noise() * math.sqrt(1 + ddpm_levels().sigma_max ** 2)
    torch.testing.assert_close(first_state(), expected, atol=ROUNDING, rtol=0)


def test_a_run_from_a_lower_level_starts_at_its_sigma_over_the_latent() -> None:
    latent = EMPTY + 1.0
    sigma = float(sigmas_for(ddpm_levels(), "karras", 6, denoise=0.5)[0])
    # levels of `karras` lie between timesteps, so the network scales back by a level nearby
    seen = first_state(latent=latent, denoise=0.5, schedule="karras")
    nearby = ddpm_levels().sigma(ddpm_levels().timestep(sigma))
    expected = (0.5 + noise() * sigma) * math.sqrt((nearby**2 + 1) / (sigma**2 + 1))
    torch.testing.assert_close(seen, expected, atol=ROUNDING, rtol=0)


def test_a_latent_of_zeros_is_not_normalised() -> None:
    zeros = first_state(latent=torch.zeros_like(EMPTY))
    assert torch.equal(zeros, first_state(latent=EMPTY))


def test_the_comfyui_scheme_starts_from_one_draw_for_the_batch() -> None:
    torch.manual_seed(5)
    expected = torch.randn(EMPTY.shape) * math.sqrt(1 + ddpm_levels().sigma_max ** 2)
    seen = first_state(noise_scheme="comfyui")
    torch.testing.assert_close(seen, expected, atol=ROUNDING, rtol=0)


def test_nothing_to_denoise_returns_the_latent_unchanged() -> None:
    latent = torch.randn(2, 4, 8, 8)
    for options in ({"denoise": 0.0}, {"start": 6}, {"end": 0}):
        records = run(latent=latent, **options)
        assert len(records) == 1
        assert (records[0].step, records[0].steps) == (0, 0)
        assert torch.equal(result(latent=latent, **options), latent)


@pytest.mark.parametrize("name", ["euler", "heun"])
def test_a_run_in_two_parts_equals_the_whole(name: str) -> None:
    whole = result(sampler=name)
    half = result(sampler=name, end=3, leave_noise=True)
    rest = result(latent=half, sampler=name, start=3, add_noise=False)
    torch.testing.assert_close(rest, whole, atol=ROUNDING, rtol=0)


def test_a_small_denoise_changes_little() -> None:
    picture = result(steps=20)
    changes = [
        float((result(latent=picture, denoise=share, seed=9, steps=20) - picture).abs().mean())
        for share in (0.1, 0.4, 0.8)
    ]
    assert changes[0] < changes[1] < changes[2]


def test_guidance_pushes_away_from_the_negative() -> None:
    assert float(result(cfg=5.0).mean()) > float(result(cfg=1.0).mean()) + 0.5


@pytest.mark.parametrize("name", ["euler", "euler_cfg_pp"])
def test_the_latent_is_kept_where_the_mask_is_zero(name: str) -> None:
    picture = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)) + 2.0
    mask = torch.zeros(1, 64, 64)
    mask[..., 32:] = 1
    new = result(latent=picture, mask=mask, steps=10, sampler=name)
    # the last step lands on D, which is the kept latent up to normalising and back
    torch.testing.assert_close(new[..., :4], picture[..., :4], atol=1e-5, rtol=0)
    assert float((new[..., 4:] - picture[..., 4:]).abs().mean()) > 0.3
    assert torch.equal(result(latent=picture, mask=mask[0], steps=10, sampler=name), new)


def test_ddim_keeps_with_noise_of_the_next_seed_as_comfyui_does() -> None:
    picture, mask = EMPTY + 1.0, torch.zeros(1, 8, 8)  # 0.5 in the model's scale, all kept
    sigma = ddpm_levels().sigma_max
    for name, seed in (("euler", 5), ("ddim", 6)):
        options = {"sampler": name, "noise_scheme": "comfyui", "latent": picture, "mask": mask}
        torch.manual_seed(seed)
        expected = 0.5 + torch.randn(EMPTY.shape) * sigma
        torch.testing.assert_close(first_state(**options), expected, atol=ROUNDING, rtol=0)


def test_the_mask_leaves_the_other_estimate_as_the_network_made_it() -> None:
    sigmas = sigmas_for(ddpm_levels(), "normal", 6).tolist()
    kept = result(
        latent=EMPTY + 1.0,  # 0.5 in the model's scale
        mask=torch.zeros(1, 8, 8),
        sampler="euler_cfg_pp",
        end=1,
        leave_noise=True,
    )
    shown = 0.5 + noise() * sigmas[0]
    variance = gaussian.DEVIATION**2
    away = (shown * variance - gaussian.MEAN * sigmas[0] ** 2) / (variance + sigmas[0] ** 2)
    begun = 0.5 + noise() * math.sqrt(1 + sigmas[0] ** 2)
    expected = 0.5 + (begun - away) * (sigmas[1] / sigmas[0])
    torch.testing.assert_close(Shifted().normalise(kept), expected, atol=ROUNDING, rtol=0)


def test_a_stopped_run_makes_no_further_step() -> None:
    model = denoiser()

    def check() -> None:
        if len(model.module.starts) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(model, check_cancel=check)
    assert len(model.module.starts) == 3


def test_an_answer_that_is_not_finite_is_a_problem_in_words() -> None:
    class Broken(GaussianNetwork):
        def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
            output = super().forward(x, timesteps, context)
            return output * (float("nan") if len(self.starts) == 3 else 1)

    model = Denoiser(Broken(), Epsilon(), ddpm_levels(), Shifted())
    with pytest.raises(NotFinite, match=r"step 3 of 6 .*NaN.*float32"):
        run(model)


class FlowNetwork(nn.Module):
    """Predicts noise - data of the Gaussian problem on straight paths."""

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        sigma = float(timesteps[0]) / 1000
        return (x - gaussian.denoise_flow(x, sigma)) / sigma


@pytest.mark.parametrize("name", ["euler", "euler_ancestral", "heun", "dpmpp_2m_sde"])
def test_a_flow_model_is_sampled_as_well(name: str) -> None:
    model = Denoiser(FlowNetwork(), Flow(), FlowLevels(shift=3.0), Shifted())
    latent = torch.full((1, 4, 64, 64), 2.0)
    latent = result(model, latent=latent, steps=240, sampler=name, schedule="simple")
    model_space = Shifted().normalise(latent)
    # the stochastic samplers' errors halve with doubled steps, and are 0.017 here
    assert float(model_space.mean()) == pytest.approx(gaussian.MEAN, abs=0.02)
    assert float(model_space.std()) == pytest.approx(gaussian.DEVIATION, abs=0.03)
