"""Prompts can be put together, mixed and placed, and a sampler follows what came of it."""

from dataclasses import replace
from typing import Any

import pytest
import torch

import nodes.prompts as prompts
from diffusion.regions import Area
from graph.check import check
from graph.node import nodes_of
from nodes.custom_sampling import (
    basic_scheduler,
    dual_cfg_guider,
    k_sampler_select,
    random_noise,
    sampler_custom_advanced,
)
from nodes.flux import flux_guidance
from nodes.inpainting import depth_conditioning
from nodes.sampling import k_sampler
from nodes.services import WrongSpace
from nodes.sockets import BadValue, Conditioning, Image, Mask
from server.worker_disk_cache import _put_together, _taken_apart
from tests.graph.small_world import SHELF, placed, workflow
from tests.helpers.services import Spaces
from tests.nodes import test_sampling
from tests.nodes.test_custom_sampling import MODULES, ROUNDING, Bench

SPACES = Spaces()


def prompt(number: float, space: str) -> Conditioning[Any]:
    return test_sampling.prompt(float(number), space)


def numbers(conditioning: Conditioning[Any]) -> list[float]:
    return [float(one.tokens.mean()) for one in conditioning.every()]


def approx(*values: float) -> Any:
    return pytest.approx(list(values), abs=1e-6)


def combined(*values: float) -> Conditioning[Any]:
    first, *rest = (prompt(value, "sd1") for value in values)
    for other in rest:
        first = prompts.conditioning_combine(first, other, spaces=SPACES)
    return first


def test_combining_keeps_every_prompt_in_order() -> None:
    both = prompts.conditioning_combine(combined(1, 2), combined(3, 4), spaces=SPACES)
    assert numbers(both) == approx(1, 2, 3, 4)


@pytest.mark.parametrize(
    "node", ["conditioning_combine", "conditioning_concat", "conditioning_average"]
)
def test_prompts_of_two_spaces_are_never_put_together(node: str) -> None:
    with pytest.raises(WrongSpace, match="first prompt sd1, second prompt sdxl"):
        getattr(prompts, node)(prompt(1, "sd1"), prompt(2, "sdxl"), spaces=SPACES)


def test_concat_reads_one_after_the_other() -> None:
    first, second = prompt(1, "sd1"), prompt(2, "sd1")
    joined = prompts.conditioning_concat(first, second, spaces=SPACES)
    assert torch.equal(joined.tokens, torch.cat([first.tokens, second.tokens], 1))
    assert joined.pooled is first.pooled
    batch = replace(second, tokens=second.tokens.expand(3, -1, -1))
    assert len(prompts.conditioning_concat(first, batch, spaces=SPACES).tokens) == 3
    pair = replace(first, tokens=first.tokens.expand(2, -1, -1))
    with pytest.raises(BadValue, match="2 pictures and one for 3"):
        prompts.conditioning_concat(pair, batch, spaces=SPACES)


def test_the_average_fills_the_shorter_prompt_with_zeros() -> None:
    first, second = prompt(1, "sd1"), prompt(3, "sd1")
    longer = replace(second, tokens=torch.cat([second.tokens, second.tokens], 1))
    mixed = prompts.conditioning_average(first, longer, 0.25, spaces=SPACES)
    length = first.tokens.shape[1]
    torch.testing.assert_close(mixed.tokens[:, :length], torch.full_like(first.tokens, 2.5))
    torch.testing.assert_close(mixed.tokens[:, length:], torch.full_like(first.tokens, 2.25))


def test_zeroing_out_leaves_nothing_of_any_part() -> None:
    silent = prompts.conditioning_zero_out(combined(1, 2))
    assert numbers(silent) == [0, 0]


def test_a_place_and_a_time_hold_for_all_parts_and_add_up() -> None:
    mask = Mask(torch.ones(1, 4, 4))
    where = prompts.conditioning_set_timestep_range(
        prompts.conditioning_set_mask(combined(1, 2), mask, 0.5), 0.2, 0.8
    )
    for one in where.every():
        assert one.where.mask is mask.values
        assert (one.where.strength, one.where.begin, one.where.end) == (0.5, 0.2, 0.8)
    area = prompts.conditioning_set_area(prompt(1, "sd1"), 128, 64, 8, 16, 2.0).where
    assert (area.area, area.strength) == (Area(8, 16, 128, 64), 2.0)


def test_a_time_that_never_comes_is_refused() -> None:
    with pytest.raises(BadValue, match=r"its start, 0\.6, is not before its end, 0\.6"):
        prompts.conditioning_set_timestep_range(prompt(1, "sd1"), 0.6, 0.6)


def test_what_is_told_beside_a_prompt_is_told_to_all_its_parts() -> None:
    told = flux_guidance(combined(1, 2), 4.5)
    assert [one.extras["guidance"] for one in told.every()] == [4.5, 4.5]
    image = Image(torch.zeros(1, 8, 8, 3))
    both = depth_conditioning(combined(1, 2), prompt(0, "sd1"), image).positive
    assert all("depth" in one.extras for one in both.every())


def test_a_sampler_follows_each_prompt_where_it_holds() -> None:
    bench = Bench("sd1")
    left = torch.zeros(1, 4, 6)
    left[..., :3] = 1
    parts = prompts.conditioning_combine(
        prompts.conditioning_set_mask(bench.positive, Mask(left)),
        prompts.conditioning_set_mask(prompt(-0.4, "sd1"), Mask(1 - left)),
        spaces=SPACES,
    )
    options: dict[str, Any] = {"seed": 7, "steps": 6, "cfg": 4.0, "scheduler": "karras"}

    def made(positive: Conditioning[Any]) -> torch.Tensor:
        latent = k_sampler(
            bench.model, positive, bench.negative, bench.latent, **options, **bench.services
        )
        return latent.samples

    both, one, other = made(parts), made(bench.positive), made(prompt(-0.4, "sd1"))
    assert not torch.allclose(one, other, atol=0.1)
    # the small network looks at every element by itself
    torch.testing.assert_close(both[..., :3], one[..., :3], atol=ROUNDING, rtol=0)
    torch.testing.assert_close(both[..., 3:], other[..., 3:], atol=ROUNDING, rtol=0)


def test_a_prompt_of_another_space_among_parts_is_caught_at_the_sampler() -> None:
    bench = Bench("sd1")
    mixed = replace(bench.positive, others=(prompt(1, "sdxl"),))
    with pytest.raises(WrongSpace):
        k_sampler(bench.model, mixed, bench.negative, bench.latent, **bench.services)


def test_dual_guidance_with_equal_strengths_is_plain_guidance() -> None:
    bench = Bench("sd1")
    guider = dual_cfg_guider(
        bench.model, bench.positive, prompt(0.9, "sd1"), bench.negative, 4.0, 4.0
    )
    sigmas = basic_scheduler(bench.model, "karras", 6, models=bench.models)
    made = sampler_custom_advanced(
        random_noise(7), guider, k_sampler_select(), sigmas, bench.latent, **bench.services
    )
    expected = bench.whole()
    # guidance adds two stretches instead of one: float32, of latents up to a hundred
    torch.testing.assert_close(made.output.samples, expected.samples, atol=ROUNDING, rtol=2e-6)
    guider = replace(guider, between=prompt(0.9, "sdxl"))
    with pytest.raises(WrongSpace, match="prompt in between"):
        sampler_custom_advanced(
            random_noise(7), guider, k_sampler_select(), sigmas, bench.latent, **bench.services
        )


def test_a_prompt_of_parts_is_kept_on_disk_whole() -> None:
    tensors: dict[str, torch.Tensor] = {}
    value = prompts.conditioning_set_area(combined(1, 2), 128, 64)
    value = prompts.conditioning_set_mask(value, Mask(torch.ones(1, 2, 2)))
    again = _put_together(_taken_apart(value, tensors), tensors)
    assert numbers(again) == approx(1, 2)
    for one in again.every():
        assert one.where.area == Area(0, 0, 128, 64)
        assert torch.equal(one.where.mask, torch.ones(1, 2, 2))


def _drawn(second: str) -> Any:
    """A checked run whose positive prompt is put together from two loaders' encoders."""
    made = workflow(
        own=placed("load_checkpoint", {"file": "sd15.safetensors"}),
        other=placed("load_checkpoint", {"file": "sdxl.safetensors"}),
        one=placed("clip_text_encode", clip="own.clip"),
        two=placed("clip_text_encode", clip=f"{second}.clip"),
        area=placed("conditioning_set_area_percentage", conditioning="two.conditioning"),
        both=placed("conditioning_combine", first="one.conditioning", second="area.conditioning"),
        empty=placed("empty_latent"),
        run=placed(
            "k_sampler",
            model="own.model",
            positive="both.conditioning",
            negative="one.conditioning",
            latent="empty.latent",
        ),
        decode=placed("vae_decode", latent="run.latent", vae="own.vae"),
    )
    return check(made, nodes_of([*MODULES, prompts]).definitions, SHELF, wanted=["decode"])


def test_the_checker_keeps_prompts_of_two_spaces_apart() -> None:
    assert _drawn("own").blocking == ()
    assert [problem.code for problem in _drawn("other").blocking] == ["space_mismatch"]
