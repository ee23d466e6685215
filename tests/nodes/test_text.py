"""Prompt nodes hand words to the right encoders, and pictures and sizes to the right extras."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.engine import Engine
from diffusion.text import TextConditioning
from graph.cancel import Cancel
from graph.check import CheckResult, check
from graph.workflow import Workflow
from nodes.inpainting import edit_conditioning, inpaint_conditioning
from nodes.sockets import Clip, Conditioning, Image, Mask, Vae
from nodes.text import (
    clip_set_last_layer,
    clip_text_encode,
    clip_text_encode_sdxl,
    clip_text_encode_sdxl_refiner,
)
from server.worker_packs import core_modules, core_nodes
from server.worker_services import RunModels
from tests.diffusion.files import known_shapes, write_zeros
from tests.helpers.services import Interrupt, Models
from tests.helpers.tiny_families import tiny_family
from tests.helpers.workflows import graph
from tests.server.shelf import of


class Encoder:
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def encode(self, prompt: str | Mapping[str, str], check: Any) -> TextConditioning:
        self.asked.append(prompt)
        return TextConditioning(torch.ones(1, 2, 3), torch.ones(1, 4))


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


def given(encoder: Encoder) -> dict[str, Any]:
    return {"models": Models(text_encoder=encoder), "interrupt": Interrupt()}


CLIP: Clip[Any] = Clip(Path("x"), "content", text_space="sdxl")


def test_a_prompt_keeps_its_pooled_vector_and_its_space(encoder: Encoder) -> None:
    made = clip_text_encode(CLIP, "a cat", **given(encoder))
    assert made.pooled is not None
    assert made.pooled.shape == (1, 4)
    assert (made.space, dict(made.extras), encoder.asked) == ("sdxl", {}, ["a cat"])


def test_sdxl_takes_a_prompt_for_each_encoder_and_states_sizes(encoder: Encoder) -> None:
    made = clip_text_encode_sdxl(
        CLIP, text_l="l", text_g="g", width=512, crop_height=7, **given(encoder)
    )
    assert encoder.asked == [{"clip_l": "l", "clip_g": "g"}]
    # what is 0 is left to the picture's own size
    assert made.extras == {"width": 512.0, "crop_height": 7.0}


def test_the_refiner_is_told_a_score(encoder: Encoder) -> None:
    made = clip_text_encode_sdxl_refiner(CLIP, text="g", aesthetic_score=7.5, **given(encoder))
    assert made.extras == {"aesthetic_score": 7.5}


def test_the_last_layer_is_counted_from_the_end(tmp_path: Path) -> None:
    assert clip_set_last_layer(CLIP, layer=-2).clip_skip == 2
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    models = RunModels(Engine("cpu", "float32"), Cancel())
    clip: Clip[Any] = Clip(path, "content", text_space="sdxl")

    def tokens(clip: Clip[Any]) -> Tensor:
        return models.text_encoder(clip).encode("a dog").tokens

    assert torch.equal(tokens(clip), tokens(clip_set_last_layer(clip, layer=-2)))
    assert not torch.allclose(tokens(clip), tokens(clip_set_last_layer(clip, layer=-1)), atol=1e-3)


class HalvingVae:
    """Encodes to the mean of every 8 x 8 pixels in each of 4 channels."""

    config = SimpleNamespace(cell=8)

    def encode(self, pixels: Tensor, check: Any) -> Tensor:
        means = torch.nn.functional.avg_pool2d(pixels.movedim(-1, 1), 8)
        return means.mean(dim=1, keepdim=True).expand(-1, 4, -1, -1).contiguous()


VAE: Vae[Any] = Vae(Path("x"), "content", latent_space="sd1")
PROMPT: Conditioning[Any] = Conditioning(torch.ones(1, 2, 3), None, "sd1", {"width": 3.0})


def test_an_inpainting_model_is_shown_the_picture_without_what_is_masked() -> None:
    image = Image(torch.ones(1, 18, 32, 3))
    hole = torch.zeros(1, 18, 32)
    hole[:, :, 16:] = 1
    models = Models(vae=HalvingVae())
    positive, negative, latent = inpaint_conditioning(
        PROMPT, PROMPT, image, Mask(hole), VAE, models=models, interrupt=Interrupt()
    )
    seen = positive.extras["concat_latent"]
    assert isinstance(seen, Tensor)
    assert seen[0, 0].tolist() == [[1, 1, 0.5, 0.5]] * 2  # grey where the mask is 1
    assert (latent.samples == 1).all()  # the start is the whole picture
    assert latent.mask is not None
    assert latent.mask.values.shape == (1, 16, 32)  # whole cells, as the picture was cut
    assert positive.extras.keys() == {"width", "concat_latent", "concat_mask"}
    assert negative.extras.keys() == positive.extras.keys()
    assert (latent.space, positive.space) == ("sd1", "sd1")


def test_an_editing_model_starts_from_nothing_beside_the_picture() -> None:
    image = Image(torch.full((1, 16, 16, 3), 0.25))
    models = Models(vae=HalvingVae())
    positive, _, latent = edit_conditioning(
        PROMPT, PROMPT, image, VAE, models=models, interrupt=Interrupt()
    )
    seen = positive.extras["concat_latent"]
    assert isinstance(seen, Tensor)
    assert (seen == 0.25).all()
    assert (latent.samples == 0).all()


FILES = {
    "diffusion_models/xl": "unet_sdxl_ldm",
    "diffusion_models/sd15": "unet_sd15_ldm",
    "text_encoders/l": "clip_l_hf",
    "text_encoders/g": "clip_g_openclip",
    "text_encoders/h": "clip_h_hf",
    "vae/xl-vae": "vae_kl_f8_z4_ldm",
    "vae/sd15-vae": "vae_kl_f8_z4_diffusers",
}


def half(name: str, model: str, loader: str, **encoders: str) -> dict[str, Any]:
    """The nodes from files to a saved picture, their ids beginning with `name`."""
    files = {key: f"{file}.safetensors" for key, file in encoders.items()}
    prompt = f"{name}p.conditioning"
    sampler = {"model": f"{name}m.model", "latent": f"{name}e.latent"}
    return {
        f"{name}m": ("load_diffusion_model", {"file": f"{model}.safetensors"}, {}),
        f"{name}c": (loader, files, {}),
        f"{name}p": ("clip_text_encode", {"text": "a"}, {"clip": f"{name}c.clip"}),
        f"{name}e": ("empty_latent", {}, {}),
        f"{name}k": ("k_sampler", {}, {**sampler, "positive": prompt, "negative": prompt}),
        f"{name}v": ("load_vae", {"file": f"{model}-vae.safetensors"}, {}),
        f"{name}d": ("vae_decode", {}, {"latent": f"{name}k.latent", "vae": f"{name}v.vae"}),
        f"{name}s": ("save_image", {}, {"image": f"{name}d.image"}),
    }


def checked(folder: Path, *halves: dict[str, Any]) -> CheckResult:
    for place, name in FILES.items():
        write_zeros(folder / f"{place}.safetensors", known_shapes(name))
    nodes = {name: placed for one in halves for name, placed in one.items()}
    definitions = core_nodes(core_modules()).definitions
    return check(Workflow.model_validate(graph(**nodes)), definitions, of(folder))


def test_files_of_their_own_find_their_text_space_by_the_model(tmp_path: Path) -> None:
    result = checked(tmp_path, half("", "xl", "load_two_clips", first="g", second="l"))
    assert result.runnable, [problem.message for problem in result.problems]
    assert result.bindings["c"]["T"] == ("sdxl",)
    assert result.bindings["e"]["S"] == ("sdxl",)


def test_one_encoder_alone_serves_the_model_that_needs_no_other(tmp_path: Path) -> None:
    result = checked(tmp_path, half("", "sd15", "load_clip", file="l"))
    assert result.runnable, [problem.message for problem in result.problems]
    assert result.bindings["c"]["T"] == ("sd1",)


def test_an_encoder_of_another_model_is_refused_before_the_run(tmp_path: Path) -> None:
    result = checked(tmp_path, half("", "xl", "load_clip", file="h"))
    assert not result.runnable
    assert "space_mismatch" in [problem.code for problem in result.problems]


def test_one_file_of_an_encoder_serves_two_models_of_different_kinds(tmp_path: Path) -> None:
    large = half("a", "xl", "load_two_clips", first="g", second="l")
    result = checked(tmp_path, large, half("b", "sd15", "load_clip", file="l"))
    assert result.runnable, [problem.message for problem in result.problems]
    assert [result.bindings[node]["T"] for node in ("ac", "bc")] == [("sdxl",), ("sd1",)]
