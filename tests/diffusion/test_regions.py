"""Prompts of several parts: each speaks where and when it holds, weighed against the others."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.guidance import Between, guided
from diffusion.levels import FlowLevels, ddpm_levels
from diffusion.prediction import Epsilon
from diffusion.regions import RAMP, Area, Box, Part, Where
from tests.diffusion.test_guidance import Plain

ROUNDING = 1e-5  # float32, of numbers up to 10


@dataclass
class Prompt:
    tokens: Tensor


class Voice(nn.Module):
    """Answers with noise such that the estimate at σ 1 is x minus the prompt's one number."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.sizes: list[tuple[int, int]] = []

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
        self.sizes.append((x.shape[2], x.shape[3]))
        return context.mean(dim=(1, 2))[:, None, None, None].expand(x.shape)


def denoiser() -> Denoiser:
    return Denoiser(Voice(), Epsilon(), ddpm_levels(), Plain())


def prompt(number: float) -> Prompt:
    return Prompt(torch.full((1, 2, 3), number))


X = torch.zeros(2, 4, 32, 48)


def heard(
    positive: object, negative: object = None, cfg: float = 1.0, sigma: float = 1.0
) -> Tensor:
    """What was said at each place: (height, width), equal in every picture and channel."""
    guide = guided(denoiser(), positive, negative or prompt(0), cfg)  # type: ignore[arg-type]
    found = -guide(X, sigma) / sigma
    assert torch.equal(found, found[:1, :1].expand_as(found))
    return found[0, 0]


def test_two_prompts_that_hold_everywhere_are_averaged_by_their_strengths() -> None:
    parts = (Part(prompt(2)), Part(prompt(5), Where(strength=3)))
    torch.testing.assert_close(heard(parts), torch.full((32, 48), 4.25))


def test_masks_part_the_picture() -> None:
    left = torch.zeros(1, 64, 96)
    left[..., :48] = 1
    parts = (Part(prompt(2), Where(mask=left)), Part(prompt(5), Where(mask=1 - left)))
    found = heard(parts)
    torch.testing.assert_close(found[:, :24], torch.full((32, 24), 2.0))
    torch.testing.assert_close(found[:, 24:], torch.full((32, 24), 5.0))


def test_a_soft_mask_weighs_a_prompt_against_the_others() -> None:
    half = Part(prompt(8), Where(mask=torch.full((1, 4, 4), 0.25)))
    torch.testing.assert_close(heard((Part(prompt(3)), half)), torch.full((32, 48), 4.0))


def test_an_area_is_seen_alone_and_fades_in_at_its_inner_edges() -> None:
    model = denoiser()
    area = Area(0, 8 * 8, 20 * 8, 24 * 8)  # at the left edge and down to the bottom
    parts = (Part(prompt(0)), Part(prompt(1), Where(area=area)))
    found = -guided(model, parts, prompt(0), 1.0)(X, 1.0)[0, 0]
    assert model.module.sizes == [(32, 48), (24, 20)]
    assert not found[:8].any()
    assert not found[:, 20:].any()
    ramp = (torch.arange(24) + 1).div(RAMP).clamp(max=1)
    torch.testing.assert_close(found[8:, 0], ramp / (1 + ramp))
    across = (20 - torch.arange(20)).div(RAMP).clamp(max=1)
    torch.testing.assert_close(found[-1, :20], across / (1 + across))


@pytest.mark.parametrize(
    ("area", "box"),
    [
        (Area(0.5, 0, 0.5, 1, relative=True), Box(0, 24, 32, 24)),
        (Area(64, 128, 64, 64), Box(16, 8, 8, 8)),
        (Area(352, 224, 512, 512), Box(28, 44, 4, 4)),  # cut off where the picture ends
        (Area(0.999, 0, 0.001, 0.001, relative=True), None),
        (Area(384, 0, 64, 64), None),
    ],
)
def test_an_area_on_a_latent(area: Area, box: Box | None) -> None:
    assert area.box(32, 48, 8) == box


@pytest.mark.parametrize("levels", [ddpm_levels(), FlowLevels(3.0)])
def test_a_prompt_holds_between_two_points_of_the_way(levels: ddpm_levels) -> None:  # type: ignore[valid-type]
    where = Where(begin=0.25, end=0.5)
    inside = [where.holds(levels.at(way), levels) for way in (0.1, 0.25, 0.4, 0.5, 0.6)]
    assert inside == [False, True, True, True, False]
    assert all(Where().holds(float(sigma), levels) for sigma in levels.sigmas[::50])
    assert Where().holds(0.0, levels)


def test_where_a_prompt_is_silent_nothing_is_guided() -> None:
    top = torch.zeros(1, 32, 48)
    top[:, :16] = 1
    found = heard((Part(prompt(2), Where(mask=top)),), prompt(1), cfg=3.0)
    torch.testing.assert_close(found[:16], torch.full((16, 48), 4.0))
    torch.testing.assert_close(found[16:], torch.full((16, 48), 1.0))
    found = heard(prompt(2), (Part(prompt(1), Where(mask=top)),), cfg=3.0)
    torch.testing.assert_close(found[:16], torch.full((16, 48), 4.0))
    torch.testing.assert_close(found[16:], torch.full((16, 48), 2.0))


def test_where_nothing_holds_the_first_prompt_does() -> None:
    never = Where(begin=0.0, end=0.01)
    both = (Part(prompt(2), never),), (Part(prompt(1), never),)
    torch.testing.assert_close(heard(*both, cfg=3.0), torch.full((32, 48), 2.0))


def test_a_single_part_that_holds_everywhere_is_the_prompt_itself() -> None:
    whole = guided(denoiser(), (Part(prompt(2)),), prompt(1), 3.0)(X, 2.0)
    assert torch.equal(whole, guided(denoiser(), prompt(2), prompt(1), 3.0)(X, 2.0))


def test_two_stretches_of_guidance_add_up() -> None:
    guide = guided(denoiser(), prompt(5), prompt(1), 7.0, between=Between(prompt(2), 1.5))
    # 1 + 1.5·(2 - 1) + 7·(5 - 2)
    torch.testing.assert_close(-guide(X, 1.0), torch.full_like(X, 23.5), atol=ROUNDING, rtol=0)
    # with equal strengths the prompt in between drops out
    equal = guided(denoiser(), prompt(5), prompt(1), 7.0, between=Between(prompt(2), 7.0))
    plain = guided(denoiser(), prompt(5), prompt(1), 7.0)
    torch.testing.assert_close(equal(X, 1.0), plain(X, 1.0), atol=ROUNDING, rtol=0)


def test_a_prompt_of_parts_is_asked_between_its_calls_whether_to_stop() -> None:
    asked = []
    parts = (Part(prompt(2)), Part(prompt(5)), Part(prompt(6)))
    guided(denoiser(), parts, prompt(1), 3.0, lambda: asked.append(1))(X, 1.0)
    assert len(asked) == 4
