"""The example pack: its nodes as functions, and as the program sees them."""

import pytest
import torch

from custom_nodes.example.nodes import invert_image, picture_statistics
from graph.node import nodes_of
from nodes.services import Interrupt
from nodes.sockets import Image
from server.settings import ROOT
from server.worker_packs import pack_nodes


class NeverCancelled(Interrupt):
    def check(self) -> None:
        pass


@pytest.fixture
def image() -> Image:
    return Image(torch.tensor([0.0, 0.25, 1.0]).expand(1, 4, 6, 3).contiguous())


def test_inverting_turns_light_into_dark_and_leaves_its_input_alone(image: Image) -> None:
    before = image.pixels.clone()
    inverted = invert_image(image)
    assert inverted.pixels[0, 0, 0].tolist() == [1.0, 0.75, 0.0]
    assert torch.equal(image.pixels, before)


def test_inverting_at_strength_0_changes_nothing(image: Image) -> None:
    assert torch.equal(invert_image(image, 0.0).pixels, image.pixels)


def test_inverting_at_half_strength_makes_everything_grey(image: Image) -> None:
    assert torch.allclose(invert_image(image, 0.5).pixels, torch.tensor(0.5))


def test_statistics_tell_brightness_and_size(image: Image) -> None:
    found = picture_statistics(image, interrupt=NeverCancelled())
    assert found.mean == pytest.approx(1.25 / 3)
    assert (found.width, found.height) == (6, 4)
    assert found.summary == "6 x 4, mean 0.417"


def test_statistics_ask_whether_the_run_was_cancelled(image: Image) -> None:
    class Cancelled(Interrupt):
        def check(self) -> None:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        picture_statistics(image, interrupt=Cancelled())


def test_the_program_finds_the_pack_with_limits_and_outputs() -> None:
    registry, packs = pack_nodes(ROOT / "custom_nodes")
    assert [(pack.name, pack.error) for pack in packs if pack.name == "example"] == [
        ("example", None)
    ]
    invert = registry.definitions["example.invert_image"]
    assert invert.widgets[0].schema_["maximum"] == 1
    outputs = registry.definitions["example.picture_statistics"].outputs
    assert [(output.name, output.term.kind) for output in outputs] == [
        ("mean", "Number"),
        ("width", "Integer"),
        ("height", "Integer"),
        ("summary", "Text"),
    ]


def test_a_node_stays_a_function_that_knows_its_module() -> None:
    import custom_nodes.example.nodes as module

    assert set(nodes_of([module], pack="example").definitions) == {
        "example.invert_image",
        "example.picture_statistics",
    }
