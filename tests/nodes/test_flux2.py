"""FLUX.2 by nodes alone, and what the checker lets its text encoders be wired to."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diffusion.engine import Engine
from diffusion.families.text import PROTOCOLS
from diffusion.flux2_schedule import flux2_sigmas
from graph.cancel import Cancel
from graph.check import check
from graph.workflow import Workflow
from nodes.custom_sampling import k_sampler_select, sampler_custom
from nodes.flux import flux2_scheduler, flux_guidance
from nodes.latents import empty_latent
from nodes.sampling import k_sampler
from nodes.sockets import Clip, Conditioning, Latent, Model, Vae
from nodes.text import clip_set_last_layer, clip_text_encode
from nodes.vae import vae_decode
from server.catalogue import Catalogue
from server.worker_services import RunModels
from tests.diffusion.small_flux2 import (
    LAST,
    WIDTHS,
    write_text_encoder,
    write_transformer,
    write_vae,
)
from tests.helpers.every_space import definitions, node
from tests.helpers.services import Interrupt, Progress, Spaces


class Bench:
    """Small files of FLUX.2 dev, and the nodes that a workflow of it has."""

    def __init__(self, folder: Path) -> None:
        spaces = {"text_space": "flux2_dev", "latent_space": "flux2"}
        self.model: Model[Any, Any] = Model(
            write_transformer(folder, "flux2_dev"), "content", **spaces
        )
        self.clip: Clip[Any] = Clip(write_text_encoder(folder, "flux2_dev"), "content", **spaces)
        self.vae: Vae[Any] = Vae(write_vae(folder), "content", **spaces)
        engine = Engine("cpu", "float32")
        self.with_models: dict[str, Any] = {
            "models": RunModels(engine, Cancel()),
            "interrupt": Interrupt(),
        }
        self.services: dict[str, Any] = {
            **self.with_models, "spaces": Spaces(), "progress": Progress(),
        }  # fmt: skip

    def prompt(self, text: str) -> Conditioning[Any]:
        return clip_text_encode(self.clip, text, **self.with_models)

    def empty(self) -> Latent[Any]:
        return empty_latent("flux2", 48, 32, spaces=Spaces())  # type: ignore[arg-type]

    def sampled(self, words: Conditioning[Any]) -> Latent[Any]:
        return k_sampler(
            self.model, words, words, self.empty(), seed=1, steps=2, cfg=1.0, **self.services
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """It reads the layers 1, 2 and 3: 30 layers of 5120 numbers are no small file."""
    (part,) = PROTOCOLS["flux2_dev"].parts
    assert part.reading is not None
    reading = replace(part.reading, layers=(1, 2, LAST["flux2_dev"]))
    short = replace(PROTOCOLS["flux2_dev"], parts=(replace(part, reading=reading),))
    monkeypatch.setitem(PROTOCOLS, "flux2_dev", short)
    return Bench(tmp_path)


def test_a_prompt_becomes_a_picture_and_guidance_steers_it(bench: Bench) -> None:
    words = bench.prompt("the cat")
    assert words.tokens.shape == (1, 512, WIDTHS["flux2_dev"])
    made = bench.sampled(words)
    assert made.samples.shape == (1, 32, 4, 6)
    pixels = vae_decode(made, bench.vae, spaces=Spaces(), **bench.with_models).pixels
    assert pixels.shape == (1, 32, 48, 3)
    strong = bench.sampled(flux_guidance(words, 30.0))
    assert not torch.allclose(made.samples, strong.samples, atol=1e-4)
    again = bench.sampled(flux_guidance(words, 3.5))
    assert torch.equal(made.samples, again.samples)


def test_brackets_are_words_of_a_prompt(bench: Bench) -> None:
    plain, stressed = bench.prompt("cat"), bench.prompt("(cat:1.5)")
    longer = [
        (words.tokens[0] != words.tokens[0, 0]).any(dim=-1).sum() for words in (plain, stressed)
    ]
    assert longer[1] > longer[0]


def test_clip_skip_moves_nothing(bench: Bench) -> None:
    earlier = clip_set_last_layer(bench.clip, -2)
    moved = clip_text_encode(earlier, "cat", **bench.with_models)
    assert torch.equal(moved.tokens, bench.prompt("cat").tokens)


def test_its_own_noise_levels_go_through_the_sampler(bench: Bench) -> None:
    sigmas = flux2_scheduler(3, 48, 32)
    assert torch.equal(sigmas.values, flux2_sigmas(3, 48, 32))
    words = bench.prompt("the cat")
    made = sampler_custom(
        bench.model, words, words, k_sampler_select("euler"), sigmas, bench.empty(), seed=1,
        cfg=1.0, **bench.services,
    )  # fmt: skip
    assert torch.isfinite(made.output.samples).all()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The three transformers and text encoders in files of their own."""
    folder = tmp_path_factory.mktemp("shelf")
    models = folder / "models"
    for name in ("diffusion_models", "text_encoders", "vae"):
        (models / name).mkdir(parents=True)
    for space in WIDTHS:
        write_transformer(models / "diffusion_models", space)
        write_text_encoder(models / "text_encoders", space)
    write_vae(models / "vae")
    (folder / "input").mkdir()
    return Catalogue((models,), folder / "input", folder / "models.json")


@pytest.mark.parametrize(("model", "text"), list(itertools.product(WIDTHS, WIDTHS)))
def test_a_text_encoder_fits_the_model_that_it_was_trained_for_and_no_other(
    shelf: Catalogue, model: str, text: str
) -> None:
    flow = Workflow(
        nodes={
            "model": node("load_diffusion_model", {"file": f"{model}.safetensors"}),
            "clip": node("load_clip", {"file": f"{text}_text.safetensors"}),
            "vae": node("load_vae", {"file": "vae.safetensors"}),
            "words": node("clip_text_encode", clip="clip.clip"),
            "guided": node("flux_guidance", conditioning="words.conditioning"),
            "empty": node("empty_latent"),
            "sampler": node(
                "k_sampler",
                model="model.model",
                positive="guided.conditioning",
                negative="words.conditioning",
                latent="empty.latent",
            ),
            "decode": node("vae_decode", latent="sampler.latent", vae="vae.vae"),
            "save": node("save_image", image="decode.image"),
        }
    )
    found = check(flow, definitions(), shelf)
    errors = {item.code for item in found.problems if item.severity == "error"}
    assert errors == (set() if model == text else {"space_mismatch"})
    assert found.runnable == (model == text)
