"""A file is described in one object, for programs and for people."""

import json
from pathlib import Path

import pytest

from diffusion.header import FileTrouble
from server.catalogue_inspect import inspect_file, inspection_text
from tests.server.shelf import models_below


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return models_below(tmp_path)


def test_inspect_says_what_a_file_is_in_one_object(root: Path) -> None:
    found = inspect_file(root / "checkpoints" / "photo.safetensors")
    assert list(found) == [
        "kind", "family", "variant", "latent_space", "text_spaces", "parts", "evidence",
    ]  # fmt: skip
    assert (found["latent_space"], found["text_spaces"]) == ("sd1", ["sd1"])
    assert inspect_file(root / "vae" / "mse.safetensors")["latent_space"] == ["sd1", "sdxl"]
    assert inspect_file(root / "clip" / "l.safetensors")["latent_space"] is None
    json.dumps(found)


def test_inspect_speaks_to_people_too(root: Path) -> None:
    path = root / "vae" / "mse.safetensors"
    text = inspection_text(path, inspect_file(path))
    assert "latent space: sd1 or sdxl" in text
    assert "decoder.conv_in.weight is 512 x 4 x 3 x 3" in text


def test_inspect_raises_the_trouble_of_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileTrouble, match="no file"):
        inspect_file(tmp_path / "absent.safetensors")


def test_a_reason_is_given_once(root: Path) -> None:
    # The denoiser and the checkpoint's variant both look at the first layer.
    evidence = inspect_file(root / "checkpoints" / "photo.safetensors")["evidence"]
    assert len(evidence) == len(set(evidence)) > 3
