"""Whatever the format, a saved picture says what made it, to us and others, or nothing at all."""

import io
import json
import random
import zlib
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pictures

from graph.events import Produced
from graph.picture_text import LIMIT, PARAMETERS, PLAIN, WORKFLOW, BadTexts, packet, unpacked
from nodes.images import save_image
from nodes.new_files import CannotWrite
from nodes.outputs import FolderOutputs, Origin
from nodes.picture_formats import FORMATS
from nodes.provenance import UsedFile
from nodes.sockets import Image
from server.picture_text import is_picture, parameters_of, picture_facts, texts_of
from tests.nodes.test_images import NODES

TEXTS = {
    WORKFLOW: json.dumps({"version": 1, "nodes": {}, "x": "日本 </loom:texts> \" ' & <script>"}),
    PARAMETERS: '{"node": "5"}',
    PLAIN: "a cat, ü日\nSteps: 20",
}
EVERY = pytest.mark.parametrize("format_", FORMATS)


def smooth() -> numpy.ndarray:
    """A picture of 48 x 32 pixels without hard edges, as photographs are."""
    y, x = numpy.mgrid[0:32, 0:48]
    return numpy.stack([x * 5, y * 7, 255 - x * 3], axis=-1).astype(numpy.uint8)


def encoded(format_: str, texts: dict[str, str], quality: int = 90) -> bytes:
    file = io.BytesIO()
    FORMATS[format_].encode(file, smooth(), quality, texts)
    return file.getvalue()


def read(data: bytes) -> dict[str, str]:
    assert is_picture(data[:16])
    return texts_of(io.BytesIO(data))


@EVERY
def test_texts_come_back_to_the_letter(format_: str) -> None:
    data = encoded(format_, TEXTS)
    assert read(data) == TEXTS
    with Pictures.open(io.BytesIO(data)) as opened:
        assert opened.size == (48, 32)


@EVERY
def test_a_workflow_of_thousands_of_nodes_has_room(format_: str) -> None:
    draw = random.Random(1)
    large = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz0123456789,: ", k=400_000))
    texts = {**TEXTS, WORKFLOW: large}
    assert len(packet(texts)) > 4 * 65_535, "more than four segments of a JPEG"
    assert read(encoded(format_, texts)) == texts


@EVERY
def test_a_picture_without_texts_says_nothing(format_: str) -> None:
    data = encoded(format_, {})
    assert read(data) == {}
    with Pictures.open(io.BytesIO(data)) as opened:
        assert not opened.getexif()
        assert not opened.info.keys() & {"xmp", "exif", "comment"}


@EVERY
def test_the_picture_is_the_one_that_was_given_as_far_as_the_quality_goes(format_: str) -> None:
    wanted = smooth().astype(int)
    for quality, most in ((100, 4), (90, 12)):  # of 255, for a picture without edges
        with Pictures.open(io.BytesIO(encoded(format_, {}, quality))) as opened:
            found = numpy.asarray(opened.convert("RGB")).astype(int)
        far = abs(found - wanted).max()
        assert far <= (0 if format_ == "png" or (format_, quality) == ("webp", 100) else most)


@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "png"])
def test_other_programs_find_the_prompt_in_the_exif_comment(format_: str) -> None:
    with Pictures.open(io.BytesIO(encoded(format_, TEXTS))) as opened:
        comment = opened.getexif().get_ifd(0x8769)[0x9286]
    assert comment.startswith(b"UNICODE\0")
    assert comment[8:].decode("utf-16-be") == TEXTS[PLAIN]


@pytest.mark.parametrize("format_", ["webp", "jpeg"])
def test_a_picture_that_is_cut_off_is_told_from_one_without_texts(format_: str) -> None:
    data = encoded(format_, TEXTS)
    at = data.index(b"<loom:texts>") + 20
    with pytest.raises(BadTexts, match="cut off"):
        texts_of(io.BytesIO(data[:at]))
    broken = data[:at] + b"!" * 8 + data[at + 8 :]
    with pytest.raises(BadTexts, match=r"damaged|cut off"):
        texts_of(io.BytesIO(broken.replace(b"!", b"A")))


def test_a_text_that_swells_is_not_unpacked() -> None:
    import base64

    bomb = base64.b64encode(zlib.compress(b'"' + b"a" * (LIMIT + 10) + b'"'))
    with pytest.raises(BadTexts, match="longer than"):
        unpacked(b"<loom:texts>" + bomb + b"</loom:texts>")
    for odd in (b"[]", b"{", b'{"a": 1}', b"\xff"):
        data = base64.b64encode(zlib.compress(odd))
        with pytest.raises(BadTexts, match="damaged"):
            unpacked(b"<loom:texts>" + data + b"</loom:texts>")


@pytest.fixture
def produced() -> list[Produced]:
    return []


def saving(folder: Path, produced: list[Produced], metadata: bool = True) -> FolderOutputs:
    made: dict[str, Any] = {"made": {"program": "1"}, "files": []}
    used = (UsedFile("checkpoints", "a/b.ckpt", "sd1"),)
    origin = Origin("5", "Save Image", {"version": 1}, NODES, used, lambda: made)
    return FolderOutputs(origin, folder, folder, "run", produced.append, metadata)


def grey() -> Image:
    return Image(torch.full((1, 16, 24, 3), 0.5))


@EVERY
def test_save_image_writes_each_format_with_all_that_made_it(
    tmp_path: Path, produced: list[Produced], format_: str
) -> None:
    save_image(grey(), "a", format_, 80, outputs=saving(tmp_path, produced))
    (event,) = produced
    path = tmp_path / event.file
    assert path.suffix == FORMATS[format_].suffix
    with path.open("rb") as file:
        texts = texts_of(file)
    assert json.loads(texts[WORKFLOW]) == {"version": 1}
    assert parameters_of(texts)["made"] == {"program": "1"}
    assert parameters_of(texts)["nodes"] == NODES
    assert texts[PLAIN].startswith("a cat\nNegative prompt: fog\nSteps: 20")
    assert picture_facts(path) == event.picture


@pytest.mark.parametrize("here", [True, False], ids=["of the node", "of the program"])
@EVERY
def test_the_privacy_switch_leaves_nothing_in_the_file(
    tmp_path: Path, produced: list[Produced], format_: str, here: bool
) -> None:
    outputs = saving(tmp_path, produced, metadata=here)
    save_image(grey(), "a", format_, 80, metadata=not here, outputs=outputs)
    data = (tmp_path / produced[0].file).read_bytes()
    assert read(data) == {}
    for word in (b"a cat", b"fog", b"k_sampler", b"loom"):
        assert word not in data


def test_a_folder_that_cannot_be_written_is_named_and_nothing_is_left(
    tmp_path: Path, produced: list[Produced]
) -> None:
    (tmp_path / "day").write_text("a file in the way")
    outputs = saving(tmp_path, produced)
    with pytest.raises(CannotWrite, match=f"{tmp_path}.*day"):
        save_image(grey(), "day/a", outputs=outputs)
    assert [path.name for path in tmp_path.iterdir()] == ["day"]
    assert produced == []


def test_a_full_disk_is_told_in_words_and_leaves_no_half_picture(
    tmp_path: Path, produced: list[Produced], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nodes.new_files.os.fsync", full)
    with pytest.raises(CannotWrite, match=r"no room left .* Make room"):
        save_image(grey(), "a", outputs=saving(tmp_path, produced))
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links_gets_whole_pictures_too(
    tmp_path: Path, produced: list[Produced], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("nodes.new_files.os.link", refuse)
    for _ in range(2):
        save_image(grey(), "a", outputs=saving(tmp_path, produced))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a_2.png"]
    assert all(picture_facts(path) for path in tmp_path.iterdir())
