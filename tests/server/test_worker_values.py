"""What a node gave can be looked at: pictures, latents and plain values, as long as it is kept."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures

from server.settings import Settings
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import graph, text_to_image


@pytest.fixture
def trivial(settings: Settings) -> Bench:
    return Bench(settings, modules=["tests.helpers.trivial_nodes"])


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


def told(bench: Bench, node: str, output: str) -> dict[str, Any]:
    value = bench.value("r", node, output, view="about")
    assert value.kind == "about"
    assert isinstance(value.data, dict)
    return value.data


def test_a_latent_is_shown_as_large_as_its_picture(bench: Bench) -> None:
    bench.run(text_to_image(), name="r")
    shown = bench.value("r", "5", "latent")
    assert shown.kind == "latent"
    with Pictures.open(bench.settings.temp / shown.file) as picture:
        assert picture.size == (32, 24)
    assert bench.value("r", "6", "image").kind == "image"
    assert "Conditioning" in bench.value("r", "2", "conditioning").data


def test_a_value_can_be_told_in_numbers(bench: Bench) -> None:
    bench.run(text_to_image(), name="r")
    latent = told(bench, "5", "latent")
    assert {key: latent[key] for key in ("kind", "batch", "channels", "width", "height")} == {
        "kind": "Latent",
        "batch": 1,
        "channels": 4,
        "width": 4,
        "height": 3,
    }
    assert latent["lowest"] < latent["mean"] < latent["highest"]
    prompt = told(bench, "2", "conditioning")
    assert prompt["kind"] == "Conditioning"
    assert len(prompt["lengths"]) == prompt["tokens"]
    image = told(bench, "6", "image")
    assert (image["kind"], image["width"], image["height"]) == ("Image", 32, 24)


def test_a_latent_is_shown_channel_by_channel_beside_its_picture(bench: Bench) -> None:
    bench.run(text_to_image(), name="r")
    channels = bench.value("r", "5", "latent", view="channels")
    assert channels.kind == "latent"
    assert channels.file != bench.value("r", "5", "latent").file
    with Pictures.open(bench.settings.temp / channels.file) as picture:
        assert picture.width > 256
        assert picture.width > picture.height


def test_values_of_every_plain_kind_can_be_asked_for(trivial: Bench) -> None:
    trivial.run(graph(e=("everything", {}, {})), "e", name="r")
    plain = {name: trivial.value("r", "e", name) for name in ("whole", "part", "words", "truth")}
    assert {name: (value.kind, value.data) for name, value in plain.items()} == {
        "whole": ("number", 7),
        "part": ("number", 0.5),
        "words": ("text", "words"),
        "truth": ("boolean", True),
    }
    with Pictures.open(trivial.settings.temp / trivial.value("r", "e", "picture").file) as sheet:
        assert sheet.size == (32, 16)  # three pictures of 16 x 8 in two rows
        assert sheet.getpixel((0, 0)) == (63, 63, 63)
        assert sheet.getpixel((31, 15)) == (0, 0, 0)
    assert trivial.value("r", "e", "mask").kind == "image"


@pytest.mark.parametrize(("run", "node", "output"), [("x", "e", "whole"), ("r", "x", "whole")])
def test_a_value_that_nobody_knows_is_gone(
    trivial: Bench, run: str, node: str, output: str
) -> None:
    trivial.run(graph(e=("everything", {}, {})), "e", name="r")
    assert trivial.value(run, node, output).kind == "gone"
    assert trivial.value("r", "e", "no_such_output").kind == "gone"
