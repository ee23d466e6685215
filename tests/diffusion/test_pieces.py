"""Models in numbered pieces: the first stands for all, and what is amiss is said before a load."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

pytest.importorskip("diffusers")

from diffusion.engine import Engine
from diffusion.header import FileTrouble, read_header
from diffusion.identity.rules import recognise
from tests.diffusion.small_diffusers import CASES, saved

NAME = "diffusion_pytorch_model"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A transformer as diffusers saves a large one, with the whole of it in a file beside."""
    model = saved(CASES["flux1-dev"], tmp_path / "whole.safetensors")
    model.save_pretrained(tmp_path / "transformer", max_shard_size="3MB")
    return tmp_path / "transformer"


def pieces(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def test_the_first_piece_stands_for_the_whole(folder: Path) -> None:
    first, *others = pieces(folder)
    assert len(others) > 1
    header, whole = read_header(first), read_header(folder.parent / "whole.safetensors")
    assert header.shapes == whole.shapes
    assert header.size == sum(path.stat().st_size for path in pieces(folder))
    found, same = recognise(header), recognise(whole)
    assert (found.family, found.variant, found.layout) == ("flux1", "dev", "diffusers")
    assert found.latent_spaces == same.latent_spaces
    index = json.loads((folder / f"{NAME}.safetensors.index.json").read_text("utf-8"))
    for name, file in index["weight_map"].items():
        assert header.file_of(name).name == file


def test_query_key_and_value_are_joined_across_pieces(folder: Path, tmp_path: Path) -> None:
    # every tensor to the piece that its last letters choose, so that joined ones lie apart
    weights = load_file(tmp_path / "whole.safetensors")
    for number in range(3):
        part = {name: t for name, t in weights.items() if sum(name.encode()) % 3 == number}
        save_file(part, tmp_path / f"m-{number + 1:05}-of-00003.safetensors")
    engine = Engine("cpu", "float32")
    whole, apart = (
        engine.denoiser(tmp_path / name).module
        for name in ("whole.safetensors", "m-00001-of-00003.safetensors")
    )
    for one, same in zip(whole.parameters(), apart.parameters(), strict=True):
        assert torch.equal(one, same)


def test_another_piece_names_the_first(folder: Path) -> None:
    first, second, *_ = pieces(folder)
    with pytest.raises(FileTrouble, match=f"piece 2 of .*: choose {first.name}") as caught:
        read_header(second)
    assert caught.value.reason == "piece"


def test_a_piece_that_is_not_there_is_named(folder: Path) -> None:
    first, *_, last = pieces(folder)
    last.unlink()
    with pytest.raises(FileTrouble, match=f"and {last.name} cannot be found beside it"):
        read_header(first)


def test_a_piece_that_is_cut_short_is_named(folder: Path) -> None:
    first, second, *_ = pieces(folder)
    second.write_bytes(second.read_bytes()[:-10])
    with pytest.raises(FileTrouble, match=f"{second.name} is cut short"):
        read_header(first)


def test_one_of_one_is_a_file_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00001.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    assert read_header(path).shapes == {"a": (1,)}
