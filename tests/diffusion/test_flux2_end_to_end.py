"""From words to a picture with FLUX.2: what diffusers' pipelines make of the same files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import pixel_unshuffle
from transformers import PreTrainedTokenizerFast

from diffusion.checkpoint import CheckpointTrouble
from diffusion.engine import Engine
from diffusion.families.text import PROTOCOLS
from diffusion.flux2 import Flux2
from diffusion.flux2_schedule import flux2_mu, flux2_sigmas
from diffusion.header import read_header
from diffusion.identity.rules import recognise
from diffusion.noise import Noise
from diffusion.sample import sample, sample_along
from diffusion.text import TextConditioning
from diffusion.vae import AutoencoderKL
from tests.diffusion.small_flux2 import (
    LAST,
    VAE,
    WIDTHS,
    diffusers_flux2,
    flux2_config,
    language_model,
    write_checkpoint,
    write_text_encoder,
    write_transformer,
    write_vae,
)
from tests.diffusion.small_language import qwen_vocabulary, tekken
from tests.diffusion.test_vae_kinds import diffusers_vae

diffusers = pytest.importorskip("diffusers", minversion="0.37")
KLEIN = "flux2_klein_4b"
PROMPT = "the cat, (on:1.2) a [mat]"
ENCODERS = {
    "flux2_dev": "mistral_small",
    "flux2_klein_4b": "qwen3_4b",
    "flux2_klein_9b": "qwen3_8b",
}
TEMPLATES = {
    # what the chat templates of the published tokenizers come to for one prompt
    "flux2_dev": (
        "{{ '<s>' }}{% for message in messages %}{% set text = message['content'][0]['text'] %}"
        "{% if message['role'] == 'system' %}{{ '[SYSTEM_PROMPT]' + text + '[/SYSTEM_PROMPT]' }}"
        "{% else %}{{ '[INST]' + text + '[/INST]' }}{% endif %}{% endfor %}"
    ),
    KLEIN: (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' "
        "+ message['content'] + '<|im_end|>\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}"
        "{% if not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    ),
}


@pytest.fixture
def engine() -> Engine:
    return Engine("cpu", "float32")


@pytest.fixture
def short_dev(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has FLUX.2 dev read the layers 1, 2 and 3: 30 layers of 5120 numbers are no small file."""
    (part,) = PROTOCOLS["flux2_dev"].parts
    assert part.reading is not None
    reading = replace(part.reading, layers=(1, 2, LAST["flux2_dev"]))
    short = replace(PROTOCOLS["flux2_dev"], parts=(replace(part, reading=reading),))
    monkeypatch.setitem(PROTOCOLS, "flux2_dev", short)


def stored(module: Any, path: Path) -> Any:
    """The module with a file's numbers, which are rounded."""
    module.load_state_dict(
        {n: t.float() for n, t in load_file(path).items() if t.is_floating_point()}
    )
    return module.eval().requires_grad_(False)


def klein_words() -> Any:
    from tokenizers import Tokenizer

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(qwen_vocabulary()),
        pad_token="<|endoftext|>",
        padding_side="right",
        chat_template=TEMPLATES[KLEIN],
    )


def dev_words(folder: Path) -> Any:
    from transformers.integrations.mistral import MistralConverter

    path = folder / "tekken.json"
    path.write_text(tekken(), "utf-8")
    return PreTrainedTokenizerFast(
        tokenizer_object=MistralConverter(str(path)).converted(),
        pad_token="<pad>",
        padding_side="left",
        chat_template=TEMPLATES["flux2_dev"],
    )


def klein_pipeline(folder: Path, distilled: bool) -> Any:
    """diffusers' pipeline over the same files."""
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=diffusers_vae(stored(AutoencoderKL(VAE), folder / "vae.safetensors")),
        text_encoder=stored(language_model(KLEIN), folder / f"{KLEIN}_text.safetensors"),
        tokenizer=klein_words(),
        transformer=diffusers_flux2(
            stored(Flux2(flux2_config(KLEIN)), folder / f"{KLEIN}.safetensors")
        ),
        is_distilled=distilled,
    )


@pytest.mark.parametrize(("distilled", "cfg"), [(True, 1.0), (False, 4.0)])
def test_a_whole_run_is_that_of_diffusers(
    engine: Engine, tmp_path: Path, distilled: bool, cfg: float
) -> None:
    """klein distilled runs without guidance, klein base with a negative prompt."""
    text = write_text_encoder(tmp_path, KLEIN)
    transformer, vae = write_transformer(tmp_path, KLEIN), write_vae(tmp_path)
    encoder = engine.text_encoder(text, space=KLEIN)
    denoiser = engine.denoiser(transformer)
    walk = sample_along(
        denoiser, torch.zeros(1, 32, 8, 6), encoder.encode(PROMPT), encoder.encode(""),
        flux2_sigmas(3, 48, 64), seed=7, cfg=cfg,
    )  # fmt: skip
    *_, last = walk
    assert last.latent is not None
    picture = engine.vae(vae).decode(last.latent)
    theirs = klein_pipeline(tmp_path, distilled)
    theirs.set_progress_bar_config(disable=True)
    expected = theirs(
        prompt=PROMPT, height=64, width=48, num_inference_steps=3, guidance_scale=cfg,
        latents=pixel_unshuffle(start(7, (1, 32, 8, 6)), 2), output_type="np",
    ).images  # fmt: skip
    # float32 through 27 layers, 3 steps and a VAE, whose sums are taken in another order
    numpy.testing.assert_allclose(picture.numpy(), expected, atol=5e-5, rtol=0)
    assert 0.05 < expected.std() < 0.45


def start(seed: int, shape: tuple[int, ...]) -> Tensor:
    """The noise that a run with this seed begins with."""
    return Noise(seed, torch.Size(shape), "loom").start()


@pytest.mark.usefixtures("short_dev")
def test_devs_prompts_are_read_as_by_diffusers(engine: Engine, tmp_path: Path) -> None:
    path = write_text_encoder(tmp_path, "flux2_dev")
    made = engine.text_encoder(path, space="flux2_dev").encode(PROMPT)
    expected = diffusers.Flux2Pipeline._get_mistral_3_small_prompt_embeds(
        stored(language_model("flux2_dev"), path),
        dev_words(tmp_path),
        PROMPT,
        hidden_states_layers=(1, 2, 3),
    )
    assert made.tokens.shape == (1, 512, WIDTHS["flux2_dev"])
    # float32 in three layers of 5120 numbers, at other positions: only their differences count
    torch.testing.assert_close(made.tokens, expected, atol=1e-4, rtol=0)
    assert made.pooled is None
    assert expected.std() > 0.5


def test_kleins_prompts_are_read_as_by_diffusers(engine: Engine, tmp_path: Path) -> None:
    path = write_text_encoder(tmp_path, KLEIN)
    made = engine.text_encoder(path, space=KLEIN).encode(PROMPT)
    expected = diffusers.Flux2KleinPipeline._get_qwen3_prompt_embeds(
        stored(language_model(KLEIN), path), klein_words(), PROMPT
    )
    # float32 in 27 layers, whose sums grow to some tens
    torch.testing.assert_close(made.tokens, expected, atol=1e-4, rtol=0)
    assert made.tokens.shape == (1, 512, WIDTHS[KLEIN])


@pytest.mark.usefixtures("short_dev")
def test_guidance_steers_dev_and_not_klein(engine: Engine, tmp_path: Path) -> None:
    for space, steered in (("flux2_dev", True), (KLEIN, False)):
        denoiser = engine.denoiser(write_transformer(tmp_path, space))
        generator = torch.Generator().manual_seed(1)
        tokens = torch.randn(1, 5, WIDTHS[space], generator=generator)
        made = [
            run(denoiser, TextConditioning(tokens, None, extras))
            for extras in ({}, {"guidance": 3.5}, {"guidance": 20.0})
        ]
        assert torch.equal(made[0], made[1])  # what is told where a prompt says nothing
        assert torch.equal(made[1], made[2]) is not steered


def run(denoiser: Any, words: TextConditioning, seed: int = 1) -> Tensor:
    *_, last = sample(
        denoiser, torch.zeros(1, 32, 4, 4), words, words, seed=seed, steps=2, cfg=1.0,
        schedule="simple",
    )  # fmt: skip
    assert last.latent is not None
    return last.latent


@pytest.mark.usefixtures("short_dev")
@pytest.mark.parametrize(("space", "prefix"), [("flux2_dev", "mistral3_24b"), (KLEIN, "qwen3_4b")])
def test_one_file_with_all_parts_makes_the_same_picture_twice(
    engine: Engine, tmp_path: Path, space: str, prefix: str
) -> None:
    path = write_checkpoint(tmp_path / "all.safetensors", space, prefix)
    found = recognise(read_header(path))
    assert (found.kind, found.family, found.runnable) == ("checkpoint", "flux2", True)
    assert found.text_spaces == (space,)
    assert found.parts == ("model", "clip", "vae")
    pictures = []
    for fresh in (engine, Engine("cpu", "float32")):
        words = fresh.text_encoder(path).encode("the cat")
        pictures.append(fresh.vae(path).decode(run(fresh.denoiser(path), words)))
    assert torch.equal(*pictures)
    assert pictures[0].shape == (1, 32, 32, 3)
    other = run(engine.denoiser(path), engine.text_encoder(path).encode("cat"))
    again = run(engine.denoiser(path), engine.text_encoder(path).encode("the cat"))
    assert not torch.allclose(other, again, atol=1e-4)


@pytest.mark.parametrize("space", WIDTHS)
def test_a_text_encoders_file_says_which_it_is(tmp_path: Path, space: str) -> None:
    found = recognise(read_header(write_text_encoder(tmp_path, space)))
    assert (found.kind, found.variant, found.runnable) == ("text_encoder", ENCODERS[space], True)
    assert space in found.text_spaces
    assert not (WIDTHS.keys() - {space}) & set(found.text_spaces)


def test_a_space_that_reads_other_layers_of_an_encoder_has_them_loaded(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_text_encoder(tmp_path, KLEIN)
    (part,) = PROTOCOLS[KLEIN].parts
    assert part.reading is not None
    wide = [engine.text_encoder(path, space=KLEIN).encode("cat").tokens.shape[-1]]
    deeper = replace(part, reading=replace(part.reading, layers=(28,)))
    monkeypatch.setitem(PROTOCOLS, "z_image", replace(PROTOCOLS[KLEIN], parts=(deeper,)))
    wide.append(engine.text_encoder(path, space="z_image").encode("cat").tokens.shape[-1])
    assert wide == [7680, 2560]


def test_another_models_text_encoder_is_refused_in_words(engine: Engine, tmp_path: Path) -> None:
    path = write_text_encoder(tmp_path, "flux2_klein_9b")
    with pytest.raises(CheckpointTrouble, match=r"FLUX\.2 klein 4B need qwen3_4b"):
        engine.text_encoder(path, space=KLEIN)


@pytest.mark.parametrize("steps", [1, 4, 20, 50])
@pytest.mark.parametrize(("width", "height"), [(1024, 1024), (512, 768), (2048, 1024)])
def test_the_levels_are_those_of_diffusers(steps: int, width: int, height: int) -> None:
    from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu

    tokens = width * height // 256
    assert flux2_mu(tokens, steps) == pytest.approx(compute_empirical_mu(tokens, steps), abs=1e-9)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    scheduler.set_timesteps(
        sigmas=numpy.linspace(1, 1 / steps, steps), mu=compute_empirical_mu(tokens, steps)
    )
    torch.testing.assert_close(flux2_sigmas(steps, width, height), scheduler.sigmas)
