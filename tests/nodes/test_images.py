"""Pictures come in as they are and go out with the workflow inside."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pictures

from graph.events import PictureFacts, Produced
from graph.widgets import ImageFile
from nodes.file_names import BadPattern
from nodes.images import BadPicture, load_image, preview_image, save_image
from nodes.outputs import FolderOutputs, Origin, to_bytes
from nodes.provenance import UsedFile
from nodes.sockets import BadValue, Image
from server import png

WORKFLOW = {"version": 1, "nodes": {"5": {"type": "save_image", "title": "日本"}}, "x": [1, 2.5]}
NODES: dict[str, dict[str, Any]] = {
    "3": {
        "type": "k_sampler",
        "title": "KSampler",
        "values": {"seed": 2**63, "steps": 20, "cfg": 4.0, "sampler": "euler", "denoise": 1},
        "inputs": {"positive": "1", "negative": "2", "model": "0"},
    },
    "1": {"type": "clip_text_encode", "title": "", "values": {"text": "a cat"}, "inputs": {}},
    "2": {"type": "clip_text_encode", "title": "", "values": {"text": "fog"}, "inputs": {}},
    "0": {"type": "load_checkpoint", "title": "", "values": {"file": "a/b.ckpt"}, "inputs": {}},
}


@pytest.fixture
def produced() -> list[Produced]:
    return []


@pytest.fixture
def outputs(tmp_path: Path, produced: list[Produced]) -> FolderOutputs:
    for name in ("output", "temp"):
        (tmp_path / name).mkdir()
    used = (UsedFile("checkpoints", "a/b.ckpt", "sd1"),)
    origin = Origin("5", "Save Image", WORKFLOW, NODES, used)
    return FolderOutputs(
        origin, tmp_path / "output", tmp_path / "temp", "run1", emit=produced.append
    )


def image(batch: int = 1, value: float = 0.5) -> Image:
    return Image(torch.full((batch, 16, 24, 3), value))


def test_a_saved_picture_holds_exactly_the_workflow_and_what_it_was_computed_from(
    tmp_path: Path, outputs: FolderOutputs, produced: list[Produced]
) -> None:
    save_image(image(), "a", outputs=outputs)
    (event,) = produced
    assert event.picture is not None
    assert (event.node, event.kind, event.file, event.area) == ("5", "image", "a.png", "output")
    with (tmp_path / "output" / "a.png").open("rb") as file:
        assert json.loads(png.text_of(file) or "") == WORKFLOW
        file.seek(0)
        about = json.loads(png.text_of(file, "latent_loom_parameters") or "")
    assert (about["node"], about["index"], about["nodes"]) == ("5", 0, NODES)
    assert about["picture"] == event.picture.model_dump(mode="json")
    assert event.picture == PictureFacts(
        width=24, height=16, prompt="a cat", seed=str(2**63), models=("b",), families=("sd1",)
    )
    with Pictures.open(tmp_path / "output" / "a.png") as opened:
        assert opened.size == (24, 16)
        assert opened.text["parameters"] == (  # type: ignore[attr-defined]
            "a cat\nNegative prompt: fog\nSteps: 20, Sampler: euler, CFG scale: 4.0, "
            f"Seed: {2**63}, Size: 24x16, Model: b"
        )


def test_each_picture_of_a_batch_is_a_file_and_the_default_name_has_date_and_seed(
    tmp_path: Path, outputs: FolderOutputs, produced: list[Produced]
) -> None:
    save_image(image(batch=2), outputs=outputs)
    first, second = (event.file for event in produced)
    date, name = first.split("/")
    assert len(date) == len("2026-11-21")
    assert name == f"Save Image_{2**63}_00001.png"
    assert second.endswith("_00002.png")
    assert not list((tmp_path / "output").rglob(".*"))


@pytest.mark.parametrize("name", ["../a", "/a", "x/../../a"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(
    tmp_path: Path, outputs: FolderOutputs, name: str
) -> None:
    with pytest.raises(BadPattern, match="leads out"):
        save_image(image(), name, outputs=outputs)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_picture_without_numbers_is_refused_in_words(outputs: FolderOutputs) -> None:
    with pytest.raises(BadValue, match="NaN"):
        save_image(image(value=float("nan")), outputs=outputs)


def test_previews_go_into_the_runs_temporary_folder(
    tmp_path: Path, outputs: FolderOutputs, produced: list[Produced]
) -> None:
    preview_image(image(batch=2), outputs=outputs)
    assert [event.file for event in produced] == [
        "run1/preview_00001.png",
        "run1/preview_00002.png",
    ]
    assert {event.area for event in produced} == {"temp"}
    assert all((tmp_path / "temp" / event.file).is_file() for event in produced)


def test_bytes_are_cut_not_rounded() -> None:
    levels = Image(torch.tensor([-1.0, 0.999 / 255, 254.9 / 255, 1.0, 2.0, 0.5]).view(1, 1, 2, 3))
    assert to_bytes(levels).ravel().tolist() == [0, 0, 254, 255, 255, 127]


def loaded(path: Path) -> Any:
    return load_image(ImageFile(path.name, path, "content"))


def test_a_picture_comes_in_with_its_transparency_as_a_mask(tmp_path: Path) -> None:
    rgba = numpy.zeros((2, 3, 4), numpy.uint8)
    rgba[0, 0] = [255, 51, 0, 255]
    Pictures.fromarray(rgba).save(tmp_path / "x.png")
    found = loaded(tmp_path / "x.png")
    assert found.image.pixels.shape == (1, 2, 3, 3)
    assert torch.allclose(found.image.pixels[0, 0, 0], torch.tensor([1.0, 0.2, 0.0]))
    assert found.mask.values[0].tolist() == [[0, 1, 1], [1, 1, 1]]


def test_a_picture_comes_in_upright(tmp_path: Path) -> None:
    exif = Pictures.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Pictures.new("RGB", (10, 4)).save(tmp_path / "x.jpg", exif=exif)
    assert loaded(tmp_path / "x.jpg").image.pixels.shape == (1, 10, 4, 3)


def test_deep_grey_keeps_its_levels(tmp_path: Path) -> None:
    deep = numpy.array([[0, 32768, 65535]], numpy.uint16)
    Pictures.fromarray(deep).save(tmp_path / "x.png")
    grey = loaded(tmp_path / "x.png").image.pixels[0, 0, :, 0]
    assert torch.allclose(grey, torch.tensor([0.0, 32768 / 65535, 1.0]))


def test_what_was_saved_comes_in_again_bit_by_bit(tmp_path: Path, outputs: FolderOutputs) -> None:
    noise = torch.randint(0, 256, (1, 8, 8, 3), generator=torch.manual_seed(1)).float() / 255
    save_image(Image(noise), "noise", outputs=outputs)
    again = loaded(tmp_path / "output" / "noise.png").image.pixels
    # cutting k/255·255 may fall on k - 1 where the product is a hair below k
    assert (again - noise).abs().max() <= 1 / 255 + 1e-6


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n1234", b"<svg/>", b"text"])
def test_what_is_no_picture_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(BadPicture, match=r"x\.png is not a picture"):
        loaded(tmp_path / "x.png")


def test_a_cut_off_picture_is_refused_in_words(tmp_path: Path) -> None:
    whole = tmp_path / "whole.png"
    Pictures.effect_noise((64, 64), 50).save(whole)
    (tmp_path / "x.png").write_bytes(whole.read_bytes()[:1000])
    with pytest.raises(BadPicture, match="damaged"):
        loaded(tmp_path / "x.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("edge", [10_000, 100_000])
def test_a_bomb_is_refused_unread(tmp_path: Path, edge: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0))
    (tmp_path / "x.png").write_bytes(
        png.SIGNATURE + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )
    with pytest.raises(BadPicture, match="pixels"):
        loaded(tmp_path / "x.png")
