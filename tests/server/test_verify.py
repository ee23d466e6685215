"""A saved picture is made again, and what is other than it was is told in words."""

import copy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.settings import Settings
from server.verify import compared, differences, verify_file

MADE = {
    "program": "0.1.0",
    "device": "CPU, float32",
    "engine": "engine2:cpu",
    "libraries": {"torch": "2.13.0", "numpy": "2.4"},
}
ABOUT: dict[str, Any] = {
    "node": "2",
    "index": 0,
    "nodes": {"1": {"type": "load_image", "values": {"file": "x.png"}}},
    "files": [{"folder": "input", "name": "x.png", "sha256": "ab"}],
    "made": MADE,
}


def changed(*place: Any, to: Any) -> dict[str, Any]:
    found = copy.deepcopy(ABOUT)
    at: Any = found
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = to
    return found


@pytest.mark.parametrize(
    ("old", "words"),
    [
        (ABOUT, []),
        (changed("made", "program", to="0.0.9"), ["Latent Loom was 0.0.9 and is 0.1.0"]),
        (changed("made", "device", to="H100"), ["The device was H100"]),
        (changed("made", "libraries", "torch", to="2.12"), ["torch was 2.12 and is 2.13.0"]),
        (changed("made", "libraries", to={"torch": "2.13.0"}), ["numpy was missing"]),
        (changed("files", 0, "sha256", to="cd"), ["input/x.png has another content"]),
        (changed("files", 0, "sha256", to=""), []),
        (changed("nodes", "1", "values", to={}), ["other values"]),
        (changed("made", to={}), ["does not say with which program"]),
    ],
)
def test_what_was_other_when_it_was_made_is_told(old: dict[str, Any], words: list[str]) -> None:
    told = list(differences(old, ABOUT))
    assert len(told) == len(words), told
    assert all(word in line for word, line in zip(words, told, strict=True))


def test_pixels_that_differ_are_counted_and_measured(tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{number}.png" for number in (1, 2, 3))
    picture = Image.new("RGB", (20, 10), (100, 100, 100))
    picture.save(one)
    picture.putpixel((3, 3), (100, 140, 90))
    picture.putpixel((4, 3), (99, 100, 100))
    picture.save(two)
    picture.crop((0, 0, 5, 5)).save(three)
    assert compared(one, one) == ("all 200 pixels are the same.", True)
    sentence, same = compared(one, two)
    assert not same
    assert "2 of 200 pixels (1.00%) differ, by 40 of 255 at most" in sentence
    assert compared(one, three) == ("it had 20x10 pixels and has 5x5 now.", False)


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_of_ours_cannot_be_verified(
    settings: Settings, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    assert verify_file(settings, path) == 2
    assert str(path) in capsys.readouterr().err


def test_a_picture_without_metadata_cannot_be_verified(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "x.jpg")
    assert verify_file(settings, tmp_path / "x.jpg") == 2
    assert "does not say what made it" in capsys.readouterr().err


def test_a_saved_picture_is_identical_then_another_then_not_to_be_made(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    from graph.migrations import load_text
    from server.headless import run_file

    settings.make_folders()
    workflow = settings.data / "w.json"
    workflow.write_text(
        '{"version": 1, "nodes": {"1": {"type": "load_image", "values": {"file": "x.png"}},'
        ' "2": {"type": "save_image", "values": {"file_name": "a", "format": "jpeg"},'
        ' "inputs": {"image": {"node": "1", "output": "image"}}}}}'
    )
    assert load_text(workflow.read_bytes()).workflow
    Image.linear_gradient("L").save(settings.input / "x.png")
    assert run_file(settings, workflow) == 0
    path = settings.output / "a.jpg"
    kept = path.read_bytes()
    capfd.readouterr()
    assert verify_file(settings, path) == 0
    assert "identical: all 65,536 pixels" in capfd.readouterr().out
    Image.linear_gradient("L").rotate(90).save(settings.input / "x.png")
    assert verify_file(settings, path) == 1
    told = capfd.readouterr()
    assert "different: " in told.out
    assert "input/x.png has another content" in told.err
    (settings.input / "x.png").unlink()
    assert verify_file(settings, path) == 2
    assert "x.png" in capfd.readouterr().err
    assert path.read_bytes() == kept
    assert [entry.name for entry in settings.output.iterdir()] == ["a.jpg"]
