"""Differences between pictures are measured as published, and broken pictures are told."""

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from diffusion.quality import fault_of, likeness, psnr, ssim


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def scene(height: int = 64, width: int = 96) -> torch.Tensor:
    """A bright disc before a soft gradient: (height, width, 3) in 0…1."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    disc = ((x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.08).float()
    return torch.stack([x, y, disc], dim=-1)


def test_psnr_is_that_of_the_standard() -> None:
    one = noise(2, 20, 30, 3)
    other = (one + 0.1 * noise(2, 20, 30, 3, seed=1)).clamp(0, 1)
    wanted = peak_signal_noise_ratio(one.numpy(), other.numpy(), data_range=1.0)
    assert psnr(one, other) == pytest.approx(wanted, abs=1e-4)  # it sums in float32
    assert psnr(one, one) == math.inf


@pytest.mark.parametrize("strength", [0.02, 0.2, 1.0])
def test_ssim_is_that_of_the_paper(strength: float) -> None:
    one = scene()
    other = (one + strength * (noise(64, 96, 3) - 0.5)).clamp(0, 1)
    wanted = structural_similarity(
        one.double().numpy(), other.double().numpy(), data_range=1.0, channel_axis=-1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    # skimage cuts its Gaussian at 3.5 deviations, which are the same 11 pixels
    assert ssim(one[None], other[None]) == pytest.approx(wanted, abs=1e-6)


def test_equal_pictures_are_alike_also_where_the_window_does_not_fit() -> None:
    assert ssim(scene()[None], scene()[None]) == pytest.approx(1)
    small = noise(1, 4, 7, 3)
    assert ssim(small, small) == pytest.approx(1)
    assert ssim(small, 1 - small) < 0.5
    assert ssim(noise(1, 1, 1, 3), noise(1, 1, 1, 3)) == pytest.approx(1)


def test_a_picture_is_no_fault() -> None:
    assert fault_of(scene()) is None
    assert likeness(scene()) > 0.7
    grainy = (scene() + 0.3 * (noise(64, 96, 3) - 0.5)).clamp(0, 1)
    assert fault_of(grainy) is None, "grain is no fault"
    dark = scene() * 0.1
    assert fault_of(dark) is None, "a night is not black"


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (torch.full((64, 64, 3), math.nan), "not_finite"),
        (torch.zeros(64, 64, 3), "black"),
        (torch.full((64, 64, 3), 0.5), "flat"),
        (torch.tensor([0.9, 0.2, 0.4]).expand(64, 64, 3), "flat"),
        (noise(64, 64, 3), "noise"),
        # noise in a latent comes out in blocks
        (noise(16, 16, 3).repeat_interleave(8, 0).repeat_interleave(8, 1), "noise"),
    ],
)
def test_what_is_plainly_wrong_is_told(picture: torch.Tensor, fault: str) -> None:
    assert fault_of(picture) == fault


def test_a_picture_too_small_to_judge_is_not_called_noise() -> None:
    assert fault_of(noise(24, 24, 3)) is None


def test_noise_of_any_seed_is_noise_and_its_blocks_too() -> None:
    for seed in range(200):
        blocks = noise(16, 16, 3, seed=seed).repeat_interleave(8, 0).repeat_interleave(8, 1)
        assert fault_of(blocks) == "noise", seed
