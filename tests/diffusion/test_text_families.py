"""OpenCLIP's text models in both layouts, and how a space's encoders join."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from diffusion.checkpoint import CheckpointTrouble
from diffusion.engine import Engine
from diffusion.layouts import clip_names
from diffusion.opened import protocol_of
from diffusion.origins import Taken, shapes_at
from diffusion.text import TextEncoder, build_text_model
from tests.diffusion.files import known_shapes
from tests.helpers.tiny_families import POOLED, open_clip_layout, tiny_family

ROUNDING = 1e-5
"""float32 sums in another order."""


@pytest.fixture
def engine() -> Engine:
    return Engine("cpu", "float32")


@pytest.mark.parametrize(("encoder", "projected"), [("g", True), ("h", False), ("l", False)])
def test_both_published_layouts_name_the_same_tensors(encoder: str, projected: bool) -> None:
    layouts = ("hf",) if encoder == "l" else ("hf", "openclip")
    made = []
    for layout in layouts:
        shapes = known_shapes(f"clip_{encoder}_{layout}")
        names = clip_names(shapes, projected=projected)
        made.append(shapes_at(names, shapes))
        module = build_text_model(made[-1], activation="gelu")
        assert {k: tuple(v.shape) for k, v in module.state_dict().items()} == made[-1]
    assert made[0] == made[-1]


def test_query_key_and_value_are_thirds_of_one_matrix() -> None:
    matrix = torch.arange(12.0).reshape(6, 2)
    third = Taken("in_proj_weight", part=1, parts=3)
    assert torch.equal(third.of(matrix), matrix[2:4])
    assert third.shape((6, 2)) == (2, 2)
    assert Taken("text_projection", transposed=True).shape((6, 2)) == (2, 6)


def test_openclips_tensors_become_those_of_transformers(engine: Engine, tmp_path: Path) -> None:
    whole = tiny_family(tmp_path / "model.safetensors", "sdxl_refiner")
    reader = engine.text_encoder(whole).readers["clip_g"]
    assert isinstance(reader, TextEncoder)
    loaded = reader.module.state_dict()
    theirs = open_clip_layout(loaded)
    file = load_file(whole)
    for name, tensor in theirs.items():
        if name != "logit_scale":
            assert torch.equal(tensor, file["conditioner.embedders.0.model." + name]), name


def test_the_answer_is_that_of_transformers_before_the_last_layer(
    engine: Engine, tmp_path: Path
) -> None:
    from transformers import CLIPTextModelWithProjection

    path = tiny_family(tmp_path / "refiner.safetensors", "sdxl_refiner")
    reader = engine.text_encoder(path).readers["clip_g"]
    assert isinstance(reader, TextEncoder)
    config = reader.module.text_model.config
    config.projection_dim = POOLED
    theirs = CLIPTextModelWithProjection(config).eval()
    theirs.load_state_dict(reader.module.state_dict(), strict=True)
    [chunk] = reader.tokenize("a cat")
    assert [token.id for token in chunk][-1] == 0  # filled with 0, not with the end token
    assert config.hidden_act == "gelu"
    ids = torch.tensor([[token.id for token in chunk]])
    with torch.no_grad():
        expected = theirs(input_ids=ids, output_hidden_states=True)
    ours = reader.encode("a cat")
    hidden = expected.hidden_states[-2]
    torch.testing.assert_close(ours.tokens, hidden, atol=ROUNDING, rtol=0)
    assert ours.pooled is not None
    torch.testing.assert_close(ours.pooled, expected.text_embeds, atol=ROUNDING, rtol=0)


def test_sd2_takes_the_layer_before_the_last_and_normalises_it(
    engine: Engine, tmp_path: Path
) -> None:
    path = tiny_family(tmp_path / "two.safetensors", "sd2")
    reader = engine.text_encoder(path).readers["clip_h"]
    assert isinstance(reader, TextEncoder)
    tokens = engine.text_encoder(path).encode("dog").tokens
    # a normalised row has the norm's own mean and spread: undo its weight and bias
    norm = reader.module.text_model.final_layer_norm
    rows = (tokens - norm.bias) / norm.weight
    torch.testing.assert_close(rows.mean(-1), torch.zeros(1, 16), atol=1e-4, rtol=0)
    torch.testing.assert_close(rows.std(-1, correction=0), torch.ones(1, 16), atol=1e-3, rtol=0)
    last = engine.text_encoder(path, clip_skip=1).encode("dog").tokens
    assert not torch.allclose(tokens, last, atol=1e-2)


def test_sdxl_joins_both_encoders_along_the_width(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    encoders = engine.text_encoder(path)
    both = encoders.encode("a dog")
    single = {name: reader.encode("a dog") for name, reader in encoders.readers.items()}
    assert both.tokens.shape == (1, 16, 192)
    assert torch.equal(both.tokens[..., :64], single["clip_l"].tokens)
    assert torch.equal(both.tokens[..., 64:], single["clip_g"].tokens)
    assert both.pooled is not None
    assert single["clip_g"].pooled is not None
    assert torch.equal(both.pooled, single["clip_g"].pooled)


def test_sdxls_last_layer_is_not_normalised(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    reader = engine.text_encoder(path, clip_skip=1).readers["clip_g"]
    assert isinstance(reader, TextEncoder)
    ids = torch.tensor([[token.id for token in reader.tokenize("a")[0]]])
    with torch.no_grad():
        normalised = reader.module(ids).tokens
        again = reader.module.text_model.final_layer_norm(reader.encode("a").tokens)
    assert not torch.allclose(reader.encode("a").tokens, normalised, atol=1e-2)
    torch.testing.assert_close(again, normalised, atol=ROUNDING, rtol=0)


def test_sdxls_encoders_may_be_given_a_prompt_each(engine: Engine, tmp_path: Path) -> None:
    encoders = engine.text_encoder(tiny_family(tmp_path / "xl.safetensors", "sdxl"))
    both = encoders.encode({"clip_l": "a dog", "clip_g": "a dog"})
    assert torch.equal(both.tokens, encoders.encode("a dog").tokens)
    long = "abcdefghij abcdefghij"  # more letters than a chunk of 16 holds
    mixed = encoders.encode({"clip_l": long, "clip_g": "a"})
    assert mixed.tokens.shape == (1, 32, 192)  # the shorter one is filled with empty chunks
    assert torch.equal(mixed.tokens[..., :64], encoders.encode(long).tokens[..., :64])


def test_a_space_names_the_encoders_that_it_needs() -> None:
    with pytest.raises(CheckpointTrouble, match="need clip_l and clip_g"):
        protocol_of([], "sdxl", ["clip_l"])
    assert protocol_of([], "sdxl", ["clip_g", "clip_l"]).join == "side_by_side"
    assert protocol_of([], "", ["clip_h"]).parts[0].skip == 2
    with pytest.raises(CheckpointTrouble, match="No known model"):
        protocol_of([], "", ["umt5xxl"])


def test_a_text_model_without_its_projection_is_named(engine: Engine, tmp_path: Path) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl_refiner")
    tensors = load_file(path)
    del tensors["conditioner.embedders.0.model.text_projection"]
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(tensors, tmp_path / "poor.safetensors", metadata)
    with pytest.raises(CheckpointTrouble, match=r"poor\.safetensors.*text_projection"):
        engine.text_encoder(tmp_path / "poor.safetensors")


def test_a_half_precision_file_computes_in_float32_at_half_the_memory(
    engine: Engine, tmp_path: Path
) -> None:
    path = tiny_family(tmp_path / "xl.safetensors", "sdxl")
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    rounded = {name: tensor.half() for name, tensor in load_file(path).items()}
    save_file(rounded, tmp_path / "half.safetensors", metadata)
    exact = {name: tensor.float() for name, tensor in rounded.items()}
    save_file(exact, tmp_path / "full.safetensors", metadata)
    half, full = (
        engine.text_encoder(tmp_path / f"{name}.safetensors") for name in ("half", "full")
    )
    one, other = half.encode("a (dog:1.2)"), full.encode("a (dog:1.2)")
    assert torch.equal(one.tokens, other.tokens)
    assert one.pooled is not None
    assert other.pooled is not None
    assert torch.equal(one.pooled, other.pooled)
    loaded = {row.key.part + row.key.dtype: row.bytes for row in engine.memory.report()}
    assert 2 * loaded["clip_ltorch.float16"] == loaded["clip_ltorch.float32"]
