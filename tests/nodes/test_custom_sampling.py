"""A run in parts, or put together from parts, is the run that KSampler makes in one piece."""

from typing import Any

import pytest
import torch

import nodes.custom_sampling
import nodes.latents
import nodes.loaders
import nodes.sampling
import nodes.text
import nodes.vae
from diffusion.denoiser import Denoiser
from diffusion.levels import FlowLevels, ddpm_levels
from diffusion.prediction import PREDICTIONS
from diffusion.spaces import LATENT_SPACES
from graph.check import check
from graph.node import nodes_of
from nodes.custom_sampling import (
    Sigmas,
    basic_guider,
    basic_scheduler,
    cfg_guider,
    disable_noise,
    k_sampler_select,
    random_noise,
    sampler_custom,
    sampler_custom_advanced,
    split_sigmas,
)
from nodes.sampling import k_sampler, k_sampler_advanced
from nodes.services import WrongSpace
from nodes.sockets import BadValue, Conditioning, Latent, Mask, Model
from tests.graph.small_world import SHELF, placed, workflow
from tests.helpers.services import Interrupt, Models, Progress, Spaces
from tests.nodes.test_sampling import Network, prompt

ROUNDING = 2e-5
"""float32, of latents up to 30: between the parts they are scaled to raw and back again."""

STEPS = 6


class Bench:
    """A small model of a space, a latent, and the services that its nodes ask for."""

    def __init__(self, space: str) -> None:
        latent_space = LATENT_SPACES[space]
        flow = space == "sd3"
        self.denoiser = Denoiser(
            Network(),
            PREDICTIONS["flow" if flow else "epsilon"],
            FlowLevels(3.0) if flow else ddpm_levels(),
            latent_space,
        )
        self.model: Model[Any, Any] = Model("x", "content", space, space)  # type: ignore[arg-type]
        torch.manual_seed(3)
        self.latent: Latent[Any] = Latent(torch.randn(2, latent_space.channels, 4, 6), space)
        self.positive, self.negative = prompt(0.3, space), prompt(-0.1, space)
        self.models = Models(denoiser=self.denoiser)
        self.services: dict[str, Any] = {
            "models": self.models,
            "spaces": Spaces(),
            "progress": Progress(),
            "interrupt": Interrupt(),
        }

    def prompted(self, latent: Latent[Any] | None = None) -> tuple[Any, ...]:
        return self.model, self.positive, self.negative, latent or self.latent

    def whole(self, **changes: Any) -> Latent[Any]:
        options = {"seed": 7, "steps": STEPS, "cfg": 4.0, "scheduler": "karras", **changes}
        return k_sampler(*self.prompted(), **options, **self.services)

    def part(self, latent: Latent[Any] | None = None, **changes: Any) -> Latent[Any]:
        options = {"seed": 7, "steps": STEPS, "cfg": 4.0, "scheduler": "karras", **changes}
        return k_sampler_advanced(*self.prompted(latent), **options, **self.services)

    def sigmas(self, **changes: Any) -> Sigmas:
        options = {"scheduler": "karras", "steps": STEPS, **changes}
        return basic_scheduler(self.model, **options, models=self.models)

    def parts(self, noise: Any, sigmas: Sigmas, latent: Latent[Any] | None = None) -> Any:
        guider = cfg_guider(self.model, self.positive, self.negative, 4.0)
        method = k_sampler_select("euler")
        given = (noise, guider, method, sigmas, latent or self.latent)
        return sampler_custom_advanced(*given, **self.services)


@pytest.fixture(params=["sd1", "sd3"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


def test_ksampler_advanced_alone_is_ksampler(bench: Bench) -> None:
    assert torch.equal(bench.part().samples, bench.whole().samples)


@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_two_halves_of_ksampler_advanced_are_one_ksampler(bench: Bench, sampler: str) -> None:
    whole = bench.whole(sampler=sampler)
    half = bench.part(sampler=sampler, end_at_step=3, return_with_leftover_noise=True)
    rest = bench.part(half, sampler=sampler, start_at_step=3, add_noise=False, seed=99)
    torch.testing.assert_close(rest.samples, whole.samples, atol=ROUNDING, rtol=ROUNDING)
    assert rest.space == whole.space
    assert (half.samples - whole.samples).abs().max() > 0.1  # there was something left to do


def test_a_half_that_leaves_no_noise_is_finished(bench: Bench) -> None:
    finished = bench.part(end_at_step=3)
    noisy = bench.part(end_at_step=3, return_with_leftover_noise=True)
    assert (finished.samples - noisy.samples).abs().max() > 0.1


def test_the_comfyui_scheme_draws_the_batch_as_a_whole(bench: Bench) -> None:
    loom, comfyui = bench.part(), bench.part(noise="comfyui")
    # the first generator begins with the same numbers; the second picture's are others
    assert torch.equal(loom.samples[:1], comfyui.samples[:1])
    assert not torch.equal(loom.samples[1:], comfyui.samples[1:])


@pytest.mark.parametrize("denoise", [1.0, 0.5, 0.0])
def test_sampler_custom_is_ksampler(bench: Bench, denoise: float) -> None:
    made = sampler_custom(
        bench.model,
        bench.positive,
        bench.negative,
        k_sampler_select("dpmpp_2m"),
        bench.sigmas(denoise=denoise),
        bench.latent,
        seed=7,
        cfg=4.0,
        **bench.services,
    )
    whole = bench.whole(sampler="dpmpp_2m", denoise=denoise)
    assert torch.equal(made.output.samples, whole.samples)


def test_sampler_custom_advanced_is_ksampler_with_a_mask_too(bench: Bench) -> None:
    values = torch.zeros(1, 4, 6)
    values[:, :, 3:] = 1
    bench.latent = Latent(bench.latent.samples, bench.latent.space, Mask(values))
    made = bench.parts(random_noise(7), bench.sigmas())
    assert torch.equal(made.output.samples, bench.whole().samples)
    assert made.output.mask is bench.latent.mask


def test_split_sigmas_share_a_run_between_two_samplers(bench: Bench) -> None:
    high, low = split_sigmas(bench.sigmas(), 2)
    assert len(high.values) == 3
    assert torch.equal(high.values[-1:], low.values[:1])
    half = bench.parts(random_noise(7), high)
    rest = bench.parts(disable_noise(), low, half.output)
    whole = bench.whole().samples
    torch.testing.assert_close(rest.output.samples, whole, atol=ROUNDING, rtol=ROUNDING)


def test_the_denoised_output_has_no_noise_in_it(bench: Bench) -> None:
    high, _ = split_sigmas(bench.sigmas(), 1)
    made = bench.parts(random_noise(7), high)
    # Euler's step from the same level to 0 ends at the estimate itself
    straight = bench.parts(random_noise(7), Sigmas(torch.tensor([float(high.values[0]), 0.0])))
    clean, expected = made.denoised_output.samples, straight.output.samples
    torch.testing.assert_close(clean, expected, atol=ROUNDING, rtol=ROUNDING)
    assert (made.output.samples - clean).abs().max() > 0.1


def test_a_finished_run_has_one_output(bench: Bench) -> None:
    made = bench.parts(random_noise(7), bench.sigmas())
    torch.testing.assert_close(made.denoised_output.samples, made.output.samples)


def test_a_basic_guider_follows_one_prompt_at_one_call_a_step(bench: Bench) -> None:
    calls = []
    bench.denoiser.module.register_forward_pre_hook(lambda _, given: calls.append(len(given[0])))
    guider = basic_guider(bench.model, bench.positive)
    parts = (random_noise(7), guider, k_sampler_select("euler"), bench.sigmas(), bench.latent)
    made = sampler_custom_advanced(*parts, **bench.services)
    assert calls == [2] * STEPS  # the batch alone
    assert torch.equal(made.output.samples, bench.whole(cfg=1.0).samples)


def test_no_levels_are_no_steps(bench: Bench) -> None:
    made = bench.parts(random_noise(7), Sigmas(torch.zeros(0)))
    assert torch.equal(made.output.samples, bench.latent.samples)
    assert torch.equal(made.denoised_output.samples, bench.latent.samples)


def test_a_strange_latent_or_prompt_is_refused_through_the_guider(bench: Bench) -> None:
    with pytest.raises(WrongSpace, match="latent"):
        bench.parts(random_noise(7), bench.sigmas(), Latent(torch.zeros(1, 4, 4, 4), "sdxl"))
    bench.negative = Conditioning(torch.zeros(1, 3, 5), None, "sdxl")
    with pytest.raises(WrongSpace, match="negative prompt"):
        bench.parts(random_noise(7), bench.sigmas())


def test_sigmas_of_the_wrong_form_are_refused() -> None:
    with pytest.raises(BadValue, match="1 dimension"):
        Sigmas(torch.zeros(2, 2))


MODULES = [
    nodes.custom_sampling,
    nodes.latents,
    nodes.loaders,
    nodes.sampling,
    nodes.text,
    nodes.vae,
]


def _assembled(prompt_from: str, vae_from: str) -> Any:
    """A run in parts on an SD 1.x model, and what the checker says of it."""
    made = workflow(
        own=placed("load_checkpoint", {"file": "sd15.safetensors"}),
        other=placed("load_checkpoint", {"file": "sdxl.safetensors"}),
        words=placed("clip_text_encode", clip=f"{prompt_from}.clip"),
        empty=placed("empty_latent"),
        noise=placed("random_noise"),
        guider=placed("basic_guider", model="own.model", conditioning="words.conditioning"),
        method=placed("k_sampler_select"),
        levels=placed("basic_scheduler", model="own.model"),
        halves=placed("split_sigmas", sigmas="levels.sigmas"),
        run=placed(
            "sampler_custom_advanced",
            noise="noise.noise",
            guider="guider.guider",
            sampler="method.sampler",
            sigmas="halves.high_sigmas",
            latent="empty.latent",
        ),
        decode=placed("vae_decode", latent="run.denoised_output", vae=f"{vae_from}.vae"),
    )
    return check(made, nodes_of(MODULES).definitions, SHELF, wanted=["decode"])


def test_the_checker_sees_through_the_guider() -> None:
    assert _assembled("own", "own").blocking == ()
    assert _assembled("own", "own").bindings["empty"]["S"] == ("sd1",)
    assert [problem.code for problem in _assembled("own", "other").blocking] == ["space_mismatch"]
    assert [problem.code for problem in _assembled("other", "own").blocking] == ["space_mismatch"]
