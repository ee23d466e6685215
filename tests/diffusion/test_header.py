"""Reading headers, and the sentences about files that are not safetensors."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import pytest

from diffusion.header import FileTrouble, TensorInfo, read_header
from tests.diffusion.files import write_zeros


def written(path: Path, entries: object, data: bytes = b"") -> Path:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def trouble(path: Path) -> str:
    with pytest.raises(FileTrouble) as caught:
        read_header(path)
    assert path.name in caught.value.sentence
    return caught.value.sentence


def entry(begin: int, end: int, shape: list[int], dtype: str = "F16") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_names_shapes_formats_and_metadata_are_read(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.safetensors",
        {"__metadata__": {"k": "v"}, "x": entry(0, 12, [2, 3]), "y": entry(12, 16, [], "F32")},
        bytes(16),
    )
    header = read_header(path)
    start = path.stat().st_size - 16
    assert header.tensors["x"] == TensorInfo("F16", (2, 3), 12, start)
    assert header.tensors["y"] == TensorInfo("F32", (), 4, start + 12)
    assert header.metadata == {"k": "v"}
    assert header.size == path.stat().st_size


def test_a_header_is_read_without_its_tensors(tmp_path: Path) -> None:
    # 4 TB: reading any of it would not end within the test's patience.
    path = write_zeros(tmp_path / "big.safetensors", {"x": (2**20, 2**21)})
    assert read_header(path).tensors["x"].bytes == 2**42


def test_a_file_cut_short_is_told_with_both_sizes(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.safetensors", {"x": entry(0, 1200, [600])}, bytes(1000))
    size = path.stat().st_size
    sentence = trouble(path)
    assert f"{size:,}" in sentence
    assert f"{size + 200:,}" in sentence
    assert "not complete" in sentence


def test_a_file_cut_inside_its_header_is_told_as_cut_short(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.safetensors", {f"t{n}": entry(0, 0, [0]) for n in range(50)})
    path.write_bytes(path.read_bytes()[:300])
    assert "not complete" in trouble(path)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "empty.safetensors"
    path.touch()
    assert "empty" in trouble(path)


@pytest.mark.parametrize("length", [2**63, 200_000_000, 0, 1])
def test_an_absurd_header_length_is_no_safetensors_file(tmp_path: Path, length: int) -> None:
    path = tmp_path / "absurd.safetensors"
    path.write_bytes(struct.pack("<Q", length) + b"{}" + bytes(100))
    assert "not a safetensors file" in trouble(path)


@pytest.mark.parametrize("name", ["model.ckpt", "model.safetensors", "model.pt"])
def test_a_pickle_is_refused_under_any_name_with_how_to_convert(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weights": [1.0]}, protocol=2))
    sentence = trouble(path)
    assert "pickle" in sentence
    assert "weights_only=True" in sentence


def test_a_zipped_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    assert "pickle" in trouble(path)


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"GGUF\x03\x00\x00\x00", "GGUF"),
        (b"<!DOCTYPE html><html>sign in</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    ],
)
def test_another_format_is_named(tmp_path: Path, start: bytes, word: str) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(start + bytes(100))
    assert word in trouble(path)


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        (b'{"x": ', "JSON"),
        (b'{"a": "\xff"}', "JSON"),
        (b"{" + b'"a":[' * 100_000, "JSON"),
        ({"x": {"dtype": "F16"}}, "incomplete"),
        ({"x": 3}, "incomplete"),
        ({"x": entry(0, 8, [3])}, "does not fit"),
        ({"x": entry(0, -2, [1])}, "no sense"),
        ({"x": entry(0, 2, [True])}, "no sense"),
        ({"x": entry(0, 2, [1.0])}, "no sense"),  # type: ignore[list-item]
        ({"x": entry(0, 8, [4]), "y": entry(4, 12, [4])}, "does not begin"),
        ({"x": entry(8, 16, [4])}, "does not begin"),
        ({"__metadata__": [1]}, "metadata"),
    ],
)
def test_a_broken_header_is_told(tmp_path: Path, entries: object, word: str) -> None:
    sentence = trouble(written(tmp_path / "broken.safetensors", entries, bytes(64)))
    assert "broken" in sentence
    assert word in sentence


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "no file" in trouble(tmp_path / "absent.safetensors")
    (tmp_path / "folder").mkdir()
    assert trouble(tmp_path / "folder")


def test_a_number_format_we_do_not_know_is_taken_at_its_size(tmp_path: Path) -> None:
    path = written(tmp_path / "new.safetensors", {"x": entry(0, 2, [4], "F4")}, bytes(2))
    assert read_header(path).tensors["x"].bytes == 2
