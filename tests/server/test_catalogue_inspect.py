"""A file is described in one object, for programs and for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from diffusion.header import FileTrouble
from server.catalogue_inspect import inspect_file, inspected_layers, inspection_text
from tests.diffusion.files import known_shapes, write_gguf, write_zeros
from tests.server.shelf import models_below
from tests.server.vae_shelf import Shelf, tiny, trial_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return models_below(tmp_path)


def test_inspect_says_what_a_file_is_in_one_object(root: Path) -> None:
    found = inspect_file(root / "checkpoints" / "photo.safetensors")
    assert list(found) == [
        "kind", "family", "variant", "latent_space", "text_spaces", "parts", "evidence",
        "lacks", "flaws", "nearest",
    ]  # fmt: skip
    assert (found["lacks"], found["flaws"], found["nearest"]) == ([], [], [])
    assert (found["latent_space"], found["text_spaces"]) == ("sd1", ["sd1"])
    assert inspect_file(root / "vae" / "mse.safetensors")["latent_space"] == ["sd1", "sdxl"]
    assert inspect_file(root / "clip" / "l.safetensors")["latent_space"] is None
    json.dumps(found)


def test_inspect_speaks_to_people_too(root: Path) -> None:
    path = root / "vae" / "mse.safetensors"
    text = inspection_text(path, inspect_file(path))
    assert "latent space: sd1 or sdxl" in text
    assert "decoder.conv_in.weight is 512 x 4 x 3 x 3" in text


def test_inspect_says_what_keeps_a_file_from_being_run(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "flux.gguf", known_shapes("flux1_dev"))
    found = inspect_file(path)
    assert (found["family"], found["latent_space"]) == ("flux1", "flux1")
    assert [flaw["reason"] for flaw in found["flaws"]] == ["gguf"]
    text = inspection_text(path, found)
    assert "cannot be run\n  - It is a FLUX.1 dev in a GGUF file" in text
    cut = {k: s for k, s in known_shapes("checkpoint_sd15").items() if ".out.2." not in k}
    path = write_zeros(tmp_path / "cut.safetensors", cut)
    found = inspect_file(path)
    assert found["nearest"][0]["title"] == "SD 1.x"
    assert found["nearest"][0]["but"] == ("there is no out.2.weight",)
    assert "  - model, clip: Its diffusion model is of no family" in inspection_text(path, found)
    json.dumps(found)
    half = write_zeros(tmp_path / "half.safetensors", {"1.weight": (64, 4, 3, 3),
                                                       "19.weight": (3, 64, 3, 3)})  # fmt: skip
    assert "lacks:        encoder" in inspection_text(half, inspect_file(half))


def test_inspect_raises_the_trouble_of_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="no file"):
        inspect_file(tmp_path / "absent.safetensors")


def test_a_reason_is_given_once(root: Path) -> None:
    # The denoiser and the checkpoint's variant both look at the first layer.
    evidence = inspect_file(root / "checkpoints" / "photo.safetensors")["evidence"]
    assert len(evidence) == len(set(evidence)) > 3


def test_inspect_shows_every_kind_of_evidence_and_which_decided(tmp_path: Path) -> None:
    told = {"modelspec__architecture": "stable-diffusion-v1/vae"}
    path = tiny(tmp_path / "elsewhere" / "x.safetensors", **told)
    shelf = Shelf(tmp_path)
    tried: list[Path] = []

    def run_trial(asked: Path) -> dict[str, Any]:
        tried.append(asked)
        return trial_of("sdxl")

    def layers() -> dict[str, Any]:
        cache = tmp_path / "cache"
        found = inspected_layers(shelf.files, shelf.identities, cache, path, run_trial)
        assert found is not None
        return found

    found = layers()
    assert (found["latent_space"], found["certainty"], found["rule"]) == (
        "sdxl", "certain", "probe",
    )  # fmt: skip
    assert [item["layer"] for item in found["layers"]] == ["header", "metadata", "probe"]
    assert found["contradiction"].startswith("But its metadata says SD 1.x")
    assert layers() == found
    assert tried == [path]  # what it gave was kept
    json.dumps(found)
    text = inspection_text(path, inspect_file(path) | found)
    assert "latent space: sdxl" in text
    assert "whose latents (certain, decided by: a trial of what it does)" in text
    assert "- header: sd1 or sdxl (" in text
    assert "- hash: nothing" in text
    assert "- metadata: sd1, likely (" in text
    assert text.count("<- decides") == 1
    assert text.endswith(found["contradiction"])


def test_a_file_that_is_no_vae_has_no_layers(root: Path) -> None:
    shelf = Shelf(root.parent)
    path = root / "clip" / "l.safetensors"
    cache = root.parent / "cache"
    assert inspected_layers(shelf.files, shelf.identities, cache, path, lambda _: None) is None
    assert "whose latents" not in inspection_text(path, inspect_file(path))
