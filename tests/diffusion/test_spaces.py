"""The spaces' numbers, and spaces that files declare for themselves."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion.spaces import (
    LATENT_SPACES,
    TEXT_SPACES,
    SpaceTrouble,
    declared_latent_space,
    declared_text_space,
)

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "families.json"
STARTER = {
    "id": "starter",
    "title": "Starter",
    "short": "ST",
    "channels": 4,
    "downscale": 8,
    "scale": 0.7,
    "shift": [0.1, 0.2, 0.3, 0.4],
    "rgb_factors": [[0.1, 0.2, 0.3]] * 4,
    "rgb_bias": [0.0, 0.1, 0.2],
}


def declared(**changes: object) -> dict[str, str]:
    return {"latent_loom.latent_space": json.dumps({**STARTER, **changes})}


@pytest.mark.skipif(not FACTS.exists(), reason="the table of published numbers is not here")
def test_every_space_has_the_published_numbers() -> None:
    facts = json.loads(FACTS.read_text())
    assert set(LATENT_SPACES) == set(facts["latent_spaces"])
    for id_, known in facts["latent_spaces"].items():
        space = LATENT_SPACES[id_]
        assert space.channels == known["channels"]
        if isinstance(known["spatial_downscale"], int):
            assert space.downscale == known["spatial_downscale"]
        if "latents_std" in known:
            assert space.shift == tuple(known["latents_mean"])
            assert space.scale == tuple(1 / std for std in known["latents_std"])
        elif known["scaling_factor"] is not None:
            assert space.scale == known["scaling_factor"]
            assert space.shift == known.get("shift_factor", 0.0)
        table = known.get("latent_rgb")
        if table:
            rows = table["factors_rows_are_latent_channels"]
            assert space.rgb_factors == tuple(map(tuple, rows))
            assert space.rgb_bias == tuple(table["bias"] or (0.0, 0.0, 0.0))
    texts = {id_: known for id_, known in facts["text_spaces"].items() if id_ != "about"}
    assert set(TEXT_SPACES) >= set(texts)
    for id_, known in texts.items():
        assert TEXT_SPACES[id_].required == tuple(known["required"])
        assert TEXT_SPACES[id_].optional == tuple(known["optional"])
        assert TEXT_SPACES[id_].pooled == known["pooled"]


def test_titles_and_short_names_are_all_different() -> None:
    for spaces in (LATENT_SPACES.values(), TEXT_SPACES.values()):
        assert len({space.title for space in spaces}) == len(spaces)
        assert len({space.short for space in spaces}) == len(spaces)


@pytest.mark.parametrize("id_", ["sd1", "sdxl", "sd3", "flux1", "wan21"])
def test_denormalise_undoes_normalise_for_tensors_and_arrays(id_: str) -> None:
    space = LATENT_SPACES[id_]
    raw = np.random.default_rng(0).normal(size=(2, space.channels, 3, 5)).astype(np.float32)
    array = space.normalise(raw)
    tensor = space.normalise(torch.from_numpy(raw))
    assert array.dtype == np.float32
    # 1e-6: one multiplication and one addition in float32 of numbers about 1
    np.testing.assert_allclose(tensor.numpy(), array, atol=1e-6)
    np.testing.assert_allclose(space.denormalise(array), raw, atol=1e-6)
    torch.testing.assert_close(space.denormalise(tensor), torch.from_numpy(raw), atol=1e-6, rtol=0)


def test_a_model_sees_the_raw_latent_shifted_then_scaled() -> None:
    flux = LATENT_SPACES["flux1"]
    assert flux.normalise(torch.full((1, 16, 1, 1), 1.1159))[0, 0, 0, 0] == pytest.approx(0.3611)
    wan = LATENT_SPACES["wan21"]
    still = torch.tensor(wan.shift).reshape(1, 16, 1, 1, 1)
    assert not wan.normalise(still).abs().max() > 0


def test_a_file_may_declare_a_space_of_its_own() -> None:
    space = declared_latent_space(declared())
    assert space is not None
    assert (space.id, space.title, space.short) == ("starter", "Starter", "ST")
    assert space.shift == (0.1, 0.2, 0.3, 0.4)
    assert space.rgb_factors == ((0.1, 0.2, 0.3),) * 4
    assert declared_latent_space({}) is None


def test_what_a_declaration_leaves_out_has_a_default() -> None:
    text = json.dumps({"id": "mine", "channels": 4, "downscale": 8})
    space = declared_latent_space({"latent_loom.latent_space": text})
    assert space is not None
    assert (space.title, space.short, space.scale, space.shift) == ("mine", "mine", 1.0, 0.0)
    assert space.rgb_factors is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": "Two Words"}, "id"),
        ({"id": 3}, "id"),
        ({"title": ""}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"channels": 0}, "channels"),
        ({"channels": True}, "channels"),
        ({"channels": 4.0}, "channels"),
        ({"downscale": "8"}, "downscale"),
        ({"scale": [1.0, 2.0]}, "scale"),
        ({"scale": 0}, "scale"),
        ({"scale": float("nan")}, "scale"),
        ({"shift": "0"}, "shift"),
        ({"rgb_factors": [[1, 2, 3]]}, "rgb_factors"),
        ({"rgb_factors": [[1, 2]] * 4}, "rgb_factors"),
        ({"rgb_bias": [1, 2]}, "rgb_bias"),
        ({"id": "sd1"}, "other numbers"),
    ],
)
def test_a_malformed_declaration_is_refused_by_name(change: dict[str, object], word: str) -> None:
    with pytest.raises(SpaceTrouble, match=word):
        declared_latent_space(declared(**change))


@pytest.mark.parametrize("text", ["{", "[]", "3", "[" * 100_000])
def test_a_declaration_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SpaceTrouble, match="JSON"):
        declared_latent_space({"latent_loom.latent_space": text})


def test_a_built_in_space_declared_with_its_own_numbers_is_that_space() -> None:
    text = json.dumps({"id": "sdxl", "channels": 4, "downscale": 8, "scale": 0.13025})
    assert declared_latent_space({"latent_loom.latent_space": text}) is LATENT_SPACES["sdxl"]


def test_a_text_space_is_declared_by_its_names() -> None:
    text = json.dumps({"id": "starter", "title": "Starter", "short": "ST"})
    space = declared_text_space({"latent_loom.text_space": text})
    assert space is not None
    assert space.title == "Starter"
    assert declared_text_space({"latent_loom.text_space": '{"id": "sd1"}'}) is TEXT_SPACES["sd1"]
