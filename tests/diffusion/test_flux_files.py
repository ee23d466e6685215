"""A FLUX.1 file makes pictures: dev with guidance, schnell, Fill and Canny with what they see."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffusion.conditioning import CONCAT_LATENT, CONCAT_MASK, GUIDANCE
from diffusion.engine import Engine
from diffusion.flux import Flux
from diffusion.prediction import Flow
from diffusion.sample import sample
from diffusion.spaces import LATENT_SPACES
from nodes.sockets import Conditioning
from tests.diffusion.small_flux import flux_config, write_flux

SPACE = LATENT_SPACES["flux1"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flux") / "flux.safetensors"
    write_flux(path, flux_config())
    return path


@pytest.fixture(scope="module")
def whole() -> Engine:
    return Engine("cpu", "float32")


def noisy(height: int = 4, width: int = 6) -> Tensor:
    return torch.randn(1, 16, height, width, generator=torch.Generator().manual_seed(0))


def told(**extras: float | Tensor) -> Conditioning:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(1, 5, 4096, generator=generator)
    return Conditioning(tokens, torch.randn(1, 768, generator=generator), "flux1", extras)


def test_a_checkpoint_becomes_a_flow_model_of_flux1s_space(whole: Engine, path: Path) -> None:
    denoiser = whole.denoiser(path)
    assert isinstance(denoiser.module, Flux)
    assert denoiser.module.config == flux_config()
    assert isinstance(denoiser.prediction, Flow)
    assert denoiser.joint
    # exp(1.15) = 3.158: half the way is σ = 3.158 / 4.158, and the network is told σ itself
    assert denoiser.levels.sigma(0.5) == pytest.approx(0.7595, abs=1e-4)
    assert denoiser.levels.timestep(0.75) == 0.75
    assert denoiser.space == SPACE


def test_a_prompt_has_t5s_tokens_and_clips_vector(whole: Engine, path: Path) -> None:
    words = whole.text_encoder(path).encode("a b")
    assert words.tokens.shape == (1, 256, 4096)
    assert words.pooled is not None
    assert words.pooled.shape == (1, 768)


def test_the_network_is_told_tokens_vector_and_guidance(whole: Engine, path: Path) -> None:
    denoiser, x = whole.denoiser(path), noisy()
    prompt = told(**{GUIDANCE: 2.5})
    with torch.no_grad():
        velocity = denoiser.module(
            x, torch.tensor([0.25]), prompt.tokens, prompt.pooled, torch.tensor([2.5])
        )
    made = denoiser.denoise(x, 0.25, *denoiser.inputs(prompt, x.shape))
    assert torch.allclose(made, x - 0.25 * velocity, atol=1e-5)  # float32 sums in another order
    usual = denoiser.denoise(x, 0.25, *denoiser.inputs(told(), x.shape))
    default = denoiser.denoise(x, 0.25, *denoiser.inputs(told(**{GUIDANCE: 3.5}), x.shape))
    assert torch.equal(usual, default)
    assert not torch.allclose(made, usual, atol=1e-4)


def test_a_prompt_becomes_a_picture(whole: Engine, path: Path) -> None:
    encoder = whole.text_encoder(path)
    *_, last = sample(
        whole.denoiser(path),
        torch.zeros(1, 16, 4, 6),
        encoder.encode("a b"),
        encoder.encode(""),
        seed=1,
        steps=2,
        cfg=1.0,
        schedule="simple",
    )
    assert last.latent is not None
    picture = whole.vae(path).decode(last.latent)
    assert picture.shape == (1, 32, 48, 3)
    assert picture.std() > 0.01


def test_without_clip_the_vector_is_zeros(whole: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t5.safetensors"
    write_flux(path, flux_config(), ["t5xxl"])
    words = whole.text_encoder(path).encode("a b")
    assert words.pooled is None
    denoiser, x = whole.denoiser(path), noisy()
    made = denoiser.denoise(x, 0.5, *denoiser.inputs(words, x.shape))
    with torch.no_grad():
        velocity = denoiser.module(
            x, torch.tensor([0.5]), words.tokens, torch.zeros(1, 768), torch.tensor([3.5])
        )
    assert torch.allclose(made, x - 0.5 * velocity, atol=1e-5)


def test_schnell_has_no_guidance_and_no_shift(whole: Engine, tmp_path: Path) -> None:
    path = tmp_path / "schnell.safetensors"
    write_flux(path, flux_config(guided=False), bare=True)
    denoiser, x = whole.denoiser(path), noisy()
    assert denoiser.levels.sigma(0.5) == pytest.approx(0.5)
    inputs = denoiser.inputs(told(**{GUIDANCE: 9.0}), x.shape)
    assert inputs.extras.keys() == {"vector"}
    assert denoiser.denoise(x, 0.5, *inputs).shape == x.shape


def test_canny_sees_the_control_picture_in_the_models_scale(whole: Engine, tmp_path: Path) -> None:
    path = tmp_path / "canny.safetensors"
    write_flux(path, flux_config(beside=16), bare=True)
    denoiser, x = whole.denoiser(path), noisy()
    lines = torch.randn(1, 16, 4, 6)
    inputs = denoiser.inputs(told(**{CONCAT_LATENT: lines}), x.shape)
    assert torch.equal(inputs.extras["concat"], SPACE.normalise(lines))
    with_lines = denoiser.denoise(x, 0.5, *inputs)
    without = denoiser.denoise(x, 0.5, *denoiser.inputs(told(), x.shape))
    assert not torch.allclose(with_lines, without, atol=1e-4)


def test_fill_sees_the_kept_picture_and_every_pixel_of_the_mask(
    whole: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "fill.safetensors"
    write_flux(path, flux_config(beside=80), bare=True)
    denoiser, x = whole.denoiser(path), noisy()
    kept, mask = torch.randn(1, 16, 4, 6), torch.zeros(1, 32, 48)
    mask[0, 25, 41] = 1  # in the last element, row 1 and column 1
    inputs = denoiser.inputs(told(**{CONCAT_LATENT: kept, CONCAT_MASK: mask}), x.shape)
    beside = inputs.extras["concat"]
    assert beside.shape == (1, 80, 4, 6)
    assert torch.equal(beside[:, :16], SPACE.normalise(kept))
    assert beside[:, 16:].sum() == 1
    assert beside[0, 16 + 8 * 1 + 1, 3, 5] == 1
    assert denoiser.denoise(x, 0.5, *inputs).shape == x.shape
    everything = denoiser.inputs(told(), x.shape).extras["concat"]
    assert everything[:, 16:].min() == 1


def test_prompts_of_other_lengths_are_called_apart(whole: Engine, path: Path) -> None:
    denoiser = whole.denoiser(path)
    long = told()
    short = Conditioning(long.tokens[:, :3], long.pooled, "flux1")
    latent = torch.zeros(1, 16, 4, 4)

    def run(negative: Conditioning) -> Tensor:
        *_, last = sample(denoiser, latent, long, negative, seed=3, steps=1, cfg=2.0)
        assert last.latent is not None
        return last.latent

    x = noisy(4, 4)
    away = denoiser.denoise(x, 0.5, *denoiser.inputs(short, x.shape))
    tripled = Conditioning(short.tokens.repeat(1, 3, 1), short.pooled, "flux1")
    other = denoiser.denoise(x, 0.5, *denoiser.inputs(tripled, x.shape))
    # in a joint attention a repeated prompt weighs more, so it must not be
    assert not torch.allclose(away, other, atol=1e-4)
    assert torch.isfinite(run(short)).all()
