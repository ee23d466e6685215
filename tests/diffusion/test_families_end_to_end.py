"""A prompt becomes a picture with small checkpoints in the real layouts of every UNet family."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.engine import Engine
from diffusion.families import FAMILIES
from diffusion.families.family import Spread
from diffusion.guidance import guided
from diffusion.header import read_header
from diffusion.identity.rules import recognise
from diffusion.prediction import Edm, Epsilon, Velocity
from diffusion.sample import sample
from diffusion.text import TextConditioning
from tests.helpers.tiny_families import TINY, tiny_family

FAMILY = {"sd1": "sd15", "sd2_inpaint": "sd2", "sdxl_inpaint": "sdxl", "sdxl_edit": "sdxl"}


@pytest.fixture
def engine() -> Engine:
    return Engine("cpu", "float32")


def latent_of(
    denoiser: Denoiser, positive: TextConditioning, negative: TextConditioning, **options: Any
) -> Tensor:
    chosen = {"seed": 1, "steps": 2, "cfg": 3.0, **options}
    *_, last = sample(denoiser, torch.zeros(1, 4, 8, 8), positive, negative, **chosen)
    assert last.latent is not None
    return last.latent


# The depth model wants more than a prompt; the nodes' tests give it depths.
@pytest.mark.parametrize("name", [name for name in TINY if name != "sd2_depth"])
def test_a_prompt_becomes_a_picture(engine: Engine, tmp_path: Path, name: str) -> None:
    path = tiny_family(tmp_path / "tiny.safetensors", name)
    found = recognise(read_header(path))
    assert (found.family, found.runnable) == (FAMILY.get(name, name), True)
    assert found.text_spaces == (TINY[name].text,)
    encoders = engine.text_encoder(path)
    words, nothing = encoders.encode("a dog"), encoders.encode("")
    latent = latent_of(engine.denoiser(path), words, nothing)
    assert torch.isfinite(latent).all()
    picture = engine.vae(path).decode(latent)
    assert picture.shape == (1, 64, 64, 3)
    other = latent_of(engine.denoiser(path), encoders.encode("cat"), nothing)
    assert not torch.allclose(latent, other, atol=1e-4)


def test_sizes_steer_sdxl(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    denoiser, words = engine.denoiser(path), engine.text_encoder(path).encode("a")
    assert words.pooled is not None
    plain = latent_of(denoiser, words, words, cfg=1.0)
    own = told(words, {"width": 64, "height": 64})
    small = told(words, {"width": 16, "height": 16, "target_width": 64, "target_height": 64})
    assert torch.equal(latent_of(denoiser, own, words, cfg=1.0), plain)
    assert not torch.allclose(latent_of(denoiser, small, words, cfg=1.0), plain, atol=1e-5)


def test_a_negative_of_other_sizes_shares_the_call(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    denoiser, words = engine.denoiser(path), engine.text_encoder(path).encode("a")
    bad = told(words, {"width": 16, "height": 16})
    x = torch.randn(1, 4, 8, 8)
    inputs = [denoiser.inputs(one, x.shape) for one in (bad, words)]
    away, to = (denoiser.denoise(x, 2.0, *one) for one in inputs)
    together = guided(denoiser, words, bad, 3.0)(x, 2.0)
    # float32 sums of a batch of two in another order
    torch.testing.assert_close(together, away + (to - away) * 3, atol=1e-4, rtol=0)


def test_an_inpainting_model_sees_what_it_shall_keep(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "in.safetensors", "sd2_inpaint")
    denoiser, words = engine.denoiser(path), engine.text_encoder(path).encode("a")
    mask = torch.zeros(1, 64, 64)
    mask[:, :32] = 1
    shown = [
        told(words, {"concat_latent": latent, "concat_mask": mask})
        for latent in (torch.zeros(1, 4, 8, 8), torch.full((1, 4, 8, 8), 5.0))
    ]
    made = [latent_of(denoiser, one, one) for one in shown]
    assert not torch.allclose(*made, atol=1e-4)


@pytest.mark.parametrize(
    ("markers", "zero_snr"), [(("v_pred",), False), (("v_pred", "ztsnr"), True)]
)
def test_markers_in_an_sdxl_file_say_how_it_was_trained(
    engine: Engine, tmp_path: Path, markers: tuple[str, ...], zero_snr: bool
) -> None:
    path = tiny_family(tmp_path / "v.safetensors", "sdxl", markers=markers)
    denoiser = engine.denoiser(path)
    assert isinstance(denoiser.prediction, Velocity)
    # sqrt((1 - a) / a) of the table's last alphas_cumprod
    expected = 4518.8 if zero_snr else 14.6146
    assert denoiser.levels.sigma_max == pytest.approx(expected, rel=1e-4)
    assert denoiser.conditioning == ("sizes",)
    hole = tiny_family(tmp_path / "hole.safetensors", "sdxl_inpaint", markers=markers)
    denoiser = engine.denoiser(hole)
    assert isinstance(denoiser.prediction, Velocity)
    assert denoiser.levels.sigma_max == pytest.approx(expected, rel=1e-4)
    assert denoiser.conditioning == ("sizes", "inpaint")


def test_playground_sees_whitened_latents_at_karras_levels(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "p.safetensors", "sdxl", markers=("edm_mean", "edm_std"))
    denoiser = engine.denoiser(path)
    assert isinstance(denoiser.prediction, Edm)
    assert denoiser.levels.sigma_min == pytest.approx(0.002)
    assert denoiser.levels.sigma_max == pytest.approx(80)
    assert denoiser.levels.timestep(1.0) == 0  # ln(1) / 4
    mean = torch.tensor([-1.6574, 1.886, -1.383, 2.5155])[None, :, None, None]
    assert torch.allclose(denoiser.space.normalise(mean), torch.zeros(1, 4, 1, 1))
    words = engine.text_encoder(path).encode("a")
    assert torch.isfinite(latent_of(denoiser, words, words)).all()


def test_cosxl_says_its_levels_in_the_file(engine: Engine, tmp_path: Path) -> None:
    ends = {"edm_vpred.sigma_max": torch.tensor(100.0), "edm_vpred.sigma_min": torch.tensor(0.01)}
    for name, rows in (("sdxl", ("sizes",)), ("sdxl_edit", ("sizes", "scaled_edit"))):
        path = tiny_family(tmp_path / f"{name}.safetensors", name, overwrite=ends)
        denoiser = engine.denoiser(path)
        assert isinstance(denoiser.prediction, Velocity)
        assert denoiser.levels.sigma_min == pytest.approx(0.01)
        assert denoiser.levels.sigma_max == pytest.approx(100)
        assert denoiser.conditioning == rows


def test_metadata_say_what_a_network_predicts(engine: Engine, tmp_path: Path) -> None:
    for number, (said, kind) in enumerate([("v", Velocity), ("epsilon", Epsilon)]):
        metadata = {"modelspec.prediction_type": said}
        path = tiny_family(tmp_path / f"{number}.safetensors", "sdxl", metadata=metadata)
        assert isinstance(engine.denoiser(path).prediction, kind)


@pytest.mark.parametrize(
    ("spread", "said", "kind"),
    [
        (0.2, {}, Velocity),
        (0.01, {}, Epsilon),
        (0.2, {"modelspec.architecture": "stable-diffusion-v2-512"}, Epsilon),
        (0.01, {"modelspec.architecture": "stable-diffusion-v2-768-v"}, Velocity),
    ],
)
def test_sd2_of_768_pixels_is_told_by_its_weights_or_its_metadata(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spread: float,
    said: Mapping[str, str],
    kind: type,
) -> None:
    path = tmp_path / "two.safetensors"
    # the small UNet's last output block that has a transformer, in place of the published one's
    key = "output_blocks.5.1.transformer_blocks.0.norm1.bias"
    state = {"model.diffusion_model." + key: torch.tensor([-spread, spread]).repeat(16)}
    two = replace(FAMILIES["sd2"], velocity_where=Spread(key, 0.09))
    monkeypatch.setitem(FAMILIES, "sd2", two)
    tiny_family(path, "sd2", metadata=dict(said), overwrite=state)
    assert isinstance(engine.denoiser(path).prediction, kind)


def told(words: TextConditioning, extras: Mapping[str, Any]) -> TextConditioning:
    return TextConditioning(words.tokens, words.pooled, extras)
