"""CLIP and T5 text encoders in every form that programs save them in: recognised, whole, equal."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from diffusion.encoders import ENCODERS
from diffusion.engine import Engine
from diffusion.families.text import Part
from diffusion.identity.flaws import flaws_of
from diffusion.identity.rules import recognise
from diffusion.text import TextEncoder
from diffusion.tokenizer import tokenizer_for
from tests.diffusion.files import Shapes, header_of, known_shapes
from tests.helpers.tiny_families import text_module, tiny_family, tokenizer

VISION: Shapes = {
    "vision_model.embeddings.class_embedding": (1024,),
    "vision_model.encoder.layers.0.mlp.fc1.weight": (4096, 1024),
    "visual_projection.weight": (768, 1024),
    "logit_scale": (),
}
"""Some of the half of CLIP that looks at pictures."""

VISUAL: Shapes = {"visual.class_embedding": (1280,), "visual.proj": (1280, 1024)}
"""The same as OpenCLIP names it."""


def bare(shapes: Shapes) -> Shapes:
    """As transformers 5 saves a CLIPTextModel."""
    return {name.removeprefix("text_model."): shape for name, shape in shapes.items()}


def with_eye(shapes: Shapes) -> Shapes:
    """A whole CLIP, as its own repository has it."""
    return {**shapes, **(VISUAL if "token_embedding.weight" in shapes else VISION)}


@pytest.mark.parametrize("form", [dict, bare, with_eye])
@pytest.mark.parametrize(
    "name", ["clip_l_hf", "clip_g_hf", "clip_h_hf", "clip_g_openclip", "clip_h_openclip"]
)
def test_every_form_is_the_same_encoder_and_whole(
    form: Callable[[Shapes], Shapes], name: str
) -> None:
    header = header_of(form(known_shapes(name)))
    found = recognise(header)
    assert (found.kind, found.variant) == ("text_encoder", name[:6])
    assert found.runnable
    assert not flaws_of(header, found)


def test_clip_l_has_openclips_names_too() -> None:
    shapes = {
        "token_embedding.weight": (49408, 768),
        "transformer.resblocks.0.ln_1.weight": (768,),
    }
    assert recognise(header_of(shapes)).variant == "clip_l"


def test_sd2s_encoder_may_lack_the_last_layer_that_nothing_reads() -> None:
    # diffusers' text_encoder of SD 2.x has 23 layers, and the published one 24
    torch.manual_seed(0)
    whole = text_module(64, None, layers=4)
    short = text_module(64, None, layers=3)
    kept = {name: t for name, t in whole.state_dict().items() if "layers.3." not in name}
    short.load_state_dict(kept)
    words = tokenizer_for({"latent_loom.tokenizer": tokenizer()})
    part = Part("clip_h", skip=2, pad=0, layers=4)
    read = ENCODERS["clip_h"].reader
    tokens = [read(module, words, part).encode("a b").tokens for module in (whole, short)]
    assert torch.equal(*tokens)
    assert not torch.equal(
        read(short, words, replace(part, skip=3)).encode("a b").tokens, tokens[0]
    )
    with pytest.raises(ValueError, match="CLIP skip must be 2 or more"):
        read(short, words, replace(part, skip=1))
    shapes = known_shapes("clip_h_hf")
    header = header_of({name: shape for name, shape in shapes.items() if ".layers.23." not in name})
    assert recognise(header).variant == "clip_h"
    assert not flaws_of(header, recognise(header))


Rename = Callable[[dict[str, Tensor]], dict[str, Tensor]]


def old_merge(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.replace("transformer.text_model.", "transformer."): t for name, t in tensors.items()
    }


def whole_clip(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = "conditioner.embedders.0.transformer."
    eye = {start + name: torch.zeros(shape) for name, shape in VISION.items()}
    return {**tensors, **eye, "conditioner.embedders.1.model.visual.proj": torch.zeros(2, 2)}


@pytest.mark.parametrize("rename", [old_merge, whole_clip])
def test_a_checkpoints_encoders_read_the_same_in_every_form(rename: Rename, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file

    plain = tiny_family(tmp_path / "plain.safetensors", "sdxl")
    with safe_open(plain, "pt") as file:
        metadata = file.metadata()
    other = tmp_path / "other.safetensors"
    save_file(rename(load_file(plain)), other, metadata)
    first, second = (Engine("cpu", "float32").text_encoder(path) for path in (plain, other))
    assert isinstance(second.readers["clip_l"], TextEncoder)
    one, same = first.encode("a b"), second.encode("a b")
    assert torch.equal(one.tokens, same.tokens)
    assert one.pooled is not None
    assert same.pooled is not None
    assert torch.equal(one.pooled, same.pooled)
