"""Text encoders that are language models are told apart by their headers, and from their kin."""

from typing import Any

import pytest
import torch
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from diffusion.families import FAMILIES
from diffusion.families.signature import holds
from diffusion.identity.rules import LOOKS, recognise
from diffusion.language_model import language_names
from diffusion.mistral_tokenizer import TENSOR
from tests.diffusion.files import Shapes, header_of, shapes_of

GROUPED: dict[str, Any] = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}


def mistral_small(layers: int = 40) -> Shapes:
    """Mistral Small 3 with as many of its layers."""
    config = MistralConfig(
        vocab_size=131072, hidden_size=5120, intermediate_size=32768, num_hidden_layers=layers,
        **GROUPED,
    )  # fmt: skip
    return made(MistralForCausalLM, config)


def qwen3(width: int, feed_forward: int) -> Shapes:
    config = Qwen3Config(
        vocab_size=151936, hidden_size=width, intermediate_size=feed_forward,
        num_hidden_layers=36, **GROUPED,
    )  # fmt: skip
    return made(Qwen3ForCausalLM, config)


def qwen3_that_sees(width: int, feed_forward: int) -> Shapes:
    return {**qwen3(width, feed_forward), "visual.patch_embed.proj.weight": (1152, 3, 2, 16, 16)}


def mistral_nemo() -> Shapes:
    config = MistralConfig(
        vocab_size=131072, hidden_size=5120, intermediate_size=14336, num_hidden_layers=40,
        **GROUPED,
    )  # fmt: skip
    return made(MistralForCausalLM, config)


def llama2_13b() -> Shapes:
    config = LlamaConfig(
        vocab_size=32000, hidden_size=5120, intermediate_size=13824, num_hidden_layers=40,
        num_attention_heads=40,
    )  # fmt: skip
    return made(LlamaForCausalLM, config)


def qwen25_14b() -> Shapes:
    config = Qwen2Config(
        vocab_size=152064, hidden_size=5120, intermediate_size=13824, num_hidden_layers=48,
        num_attention_heads=40, num_key_value_heads=8,
    )  # fmt: skip
    return made(Qwen2ForCausalLM, config)


def gemma3_4b() -> Shapes:
    config = Gemma3TextConfig(
        vocab_size=262208, hidden_size=2560, intermediate_size=10240, num_hidden_layers=34,
        num_attention_heads=8, num_key_value_heads=4, head_dim=256,
    )  # fmt: skip
    return made(Gemma3ForCausalLM, config)


def made(kind: Any, config: Any) -> Shapes:
    with torch.device("meta"):
        return shapes_of(kind(config))


def renamed(shapes: Shapes, start: str) -> Shapes:
    """As a model is saved that also sees, with some of what it sees with."""
    others = {"vision_tower.ln_pre.weight": (1024,), "multi_modal_projector.norm.weight": (1024,)}
    found = {start + name.removeprefix("model."): shape for name, shape in shapes.items()}
    return {**found, **others}


FLUX_2 = {
    "Mistral Small": (mistral_small(), "mistral_small", ("flux2_dev",)),
    "Mistral Small, cut behind what FLUX.2 reads, with its words": (
        {**mistral_small(30), TENSOR: (19399895,)}, "mistral_small", ("flux2_dev",),
    ),
    "Mistral Small with its eye": (
        renamed(mistral_small(), "language_model.model."), "mistral_small", ("flux2_dev",),
    ),
    "Mistral Small with its eye, as transformers 5 names it": (
        renamed(mistral_small(), "model.language_model."), "mistral_small", ("flux2_dev",),
    ),
    "Qwen3 4B": (qwen3(2560, 9728), "qwen3_4b", ("flux2_klein_4b", "z_image")),
    "Qwen3 8B": (qwen3(4096, 12288), "qwen3_8b", ("flux2_klein_9b",)),
}  # fmt: skip

KIN = {
    "Mistral Nemo": mistral_nemo(),
    "Llama 2 13B": llama2_13b(),
    "Qwen2.5 14B": qwen25_14b(),
    "Qwen3 14B": qwen3(5120, 17408),
    "Qwen3-VL 4B": qwen3_that_sees(2560, 9728),
    "Qwen3-VL 8B": qwen3_that_sees(4096, 12288),
    "Gemma 3 4B": gemma3_4b(),
}
"""As wide as one of FLUX.2's text encoders, or built alike, and trained otherwise."""


@pytest.mark.parametrize("name", FLUX_2)
def test_a_text_encoder_of_flux_2_is_recognised(name: str) -> None:
    shapes, encoder, spaces = FLUX_2[name]
    found = recognise(header_of(shapes))
    assert (found.kind, found.variant, found.runnable) == ("text_encoder", encoder, True)
    assert (found.text_spaces, found.latent_spaces) == (spaces, ())
    assert found.evidence


@pytest.mark.parametrize("name", FLUX_2)
def test_it_fits_exactly_one_signature(name: str) -> None:
    shapes, encoder, _ = FLUX_2[name]
    assert [look.id for look in LOOKS if holds(look.signature, shapes)] == [encoder]
    layouts = [layout for family in FAMILIES.values() for layout in family.layouts.values()]
    assert not any(holds(signature, shapes) for signature in layouts)


@pytest.mark.parametrize("name", [name for name in FLUX_2 if name.startswith("Mistral")])
def test_every_form_of_mistral_fills_the_same_network(name: str) -> None:
    shapes, _, _ = FLUX_2[name]
    plain = language_names(FLUX_2["Mistral Small"][0], 30)
    assert language_names(shapes, 30).keys() == plain.keys()


@pytest.mark.parametrize("name", KIN)
def test_its_kin_is_not_taken_for_it(name: str) -> None:
    found = recognise(header_of(KIN[name]))
    assert not found.runnable
    assert not any(space.startswith("flux2") for space in found.text_spaces)
