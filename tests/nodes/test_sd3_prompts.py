"""SD3's encoders each read words of their own, and one without words may be left out."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.engine import Engine
from graph.cancel import Cancel
from nodes.sockets import Clip, Conditioning
from nodes.text import clip_text_encode, clip_text_encode_sd3
from server.worker_services import RunModels
from tests.diffusion.small_sd3 import write_sd3
from tests.helpers.services import Interrupt

ROUNDING = 1e-5  # float32 in two layers of other batches


class Desk:
    """A small SD3 checkpoint's text encoders."""

    def __init__(self, path: Path) -> None:
        self.clip: Clip[Any] = Clip(path, "content", text_space="sd3")
        self.given: dict[str, Any] = {
            "models": RunModels(Engine("cpu", "float32"), Cancel()),
            "interrupt": Interrupt(),
        }

    def encoded(self, **words: str) -> Conditioning[Any]:
        return clip_text_encode_sd3(self.clip, **words, **self.given)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    path = tmp_path_factory.mktemp("sd3") / "sd3.safetensors"
    write_sd3(path)
    return Desk(path)


def parts(words: Conditioning[Any]) -> dict[str, tuple[Tensor, ...]]:
    """What each encoder gave: its tokens, and its share of the pooled vector."""
    assert words.pooled is not None
    return {
        "clip_l": (words.tokens[:, :77, :768], words.pooled[:, :768]),
        "clip_g": (words.tokens[:, :77, 768:2048], words.pooled[:, 768:]),
        "t5xxl": (words.tokens[:, 77:],),
    }


def assert_same(made: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> None:
    for one, other in zip(made, expected, strict=True):
        torch.testing.assert_close(one, other, atol=ROUNDING, rtol=0)


def test_each_encoder_reads_its_own_words(desk: Desk) -> None:
    words = {"clip_l": "a b", "clip_g": "c", "t5xxl": "red"}
    made = desk.encoded(**words)
    assert (made.space, made.tokens.shape) == ("sd3", (1, 154, 4096))
    for name, text in words.items():
        alone = clip_text_encode(desk.clip, text, **desk.given)
        assert_same(parts(made)[name], parts(alone)[name])


@pytest.mark.parametrize("silent", ["clip_l", "clip_g", "t5xxl"])
def test_an_encoder_without_words_is_left_out_as_if_its_file_were_not_there(
    desk: Desk, tmp_path: Path, silent: str
) -> None:
    others = [name for name in ("clip_l", "clip_g", "t5xxl") if name != silent]
    made = desk.encoded(**dict.fromkeys(others, "a cat"))
    some = tmp_path / "some.safetensors"
    write_sd3(some, others)
    lacking = Desk(some)
    expected = clip_text_encode(lacking.clip, "a cat", **lacking.given)
    assert {name for name, found in parts(made).items() if not any(map(Tensor.any, found))} == {
        silent
    }
    for name, found in parts(made).items():
        if name == silent:
            assert_same(found, parts(expected)[name])
    assert made.tokens.shape == expected.tokens.shape


@pytest.mark.parametrize("silent", ["clip_l", "clip_g", "t5xxl"])
def test_it_reads_the_empty_prompt_where_that_is_chosen(desk: Desk, silent: str) -> None:
    words = {**dict.fromkeys(("clip_l", "clip_g", "t5xxl"), "a cat"), silent: ""}
    made = desk.encoded(**words, empty_padding="empty_prompt")
    nothing = clip_text_encode(desk.clip, "", **desk.given)
    assert_same(parts(made)[silent], parts(nothing)[silent])
    assert all(bool(found.any()) for found in parts(made)[silent])


def test_without_any_words_there_is_nothing(desk: Desk) -> None:
    made = desk.encoded()
    assert made.tokens.shape == (1, 154, 4096)
    assert not made.tokens.any()
    assert made.pooled is not None
    assert made.pooled.shape == (1, 2048)
    assert not made.pooled.any()
