"""An engine with too little memory for its models draws the same picture with a part of them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from diffusion.engine import Engine
from diffusion.sample import sample
from diffusion.streaming import is_streamed
from tests.diffusion.carriers import CountingCarrier


def drawn(engine: Engine, checkpoint: Path) -> Tensor:
    """A picture by all three parts of the checkpoint."""
    words = engine.text_encoder(checkpoint)
    positive, negative = words.encode("a b"), words.encode("")
    start = torch.zeros(1, 4, 8, 8)
    walk = sample(engine.denoiser(checkpoint), start, positive, negative, seed=1, steps=2, cfg=2.0)
    *_, last = walk
    assert last.latent is not None
    return engine.vae(checkpoint).decode(last.latent)


def sizes(engine: Engine, checkpoint: Path) -> dict[str, int]:
    """The bytes of each part, loaded whole."""
    drawn(engine, checkpoint)
    return {row.key.part: row.bytes for row in engine.memory.report()}


def test_a_picture_is_the_same_however_little_fits(checkpoint: Path) -> None:
    plenty = Engine("cpu", "float32")
    expected, whole = drawn(plenty, checkpoint), sizes(plenty, checkpoint)
    for share in (0.9, 0.5, 0.1):
        told: list[str] = []
        carrier = CountingCarrier()
        budget = int(whole["model"] * share)
        engine = Engine("cpu", "float32", budget, tell=told.append, carrier=carrier)
        assert torch.equal(drawn(engine, checkpoint), expected)
        assert is_streamed(engine.denoiser(checkpoint).module)
        assert "small.safetensors does not fit on the device" in told[0]


def test_what_fits_is_loaded_whole(checkpoint: Path) -> None:
    carrier = CountingCarrier()
    engine = Engine("cpu", "float32", carrier=carrier)
    drawn(engine, checkpoint)
    assert not carrier.events
    assert all(row.host == 0 for row in engine.memory.report())


def test_text_encoders_leave_before_the_denoiser_is_loaded_in_part(checkpoint: Path) -> None:
    whole = sizes(Engine("cpu", "float32"), checkpoint)
    carrier = CountingCarrier()
    engine = Engine("cpu", "float32", whole["model"] + 1, carrier=carrier)
    engine.text_encoder(checkpoint)
    assert [row.key.part for row in engine.memory.report()] == ["clip_l"]
    denoiser = engine.denoiser(checkpoint)
    assert [row.key.part for row in engine.memory.report()] == ["model"]
    assert not is_streamed(denoiser.module)


def test_a_text_encoder_in_use_stays_and_the_denoiser_comes_in_part(checkpoint: Path) -> None:
    whole = sizes(Engine("cpu", "float32"), checkpoint)
    budget = whole["model"] + 1
    engine = Engine("cpu", "float32", budget, tell=lambda _: None, carrier=CountingCarrier())
    with engine.memory.held_by("a node"):
        engine.text_encoder(checkpoint)
    assert is_streamed(engine.denoiser(checkpoint).module)
    assert [row.key.part for row in engine.memory.report()] == ["clip_l", "model"]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_bytes_are_those_of_the_weights(checkpoint: Path, precision: str) -> None:
    engine = Engine("cpu", precision)
    module = engine.denoiser(checkpoint).module
    (row,) = engine.memory.report()
    assert row.bytes == sum(tensor.nbytes for tensor in module.state_dict().values())


def test_freeing_gives_the_weights_back(checkpoint: Path) -> None:
    import weakref

    engine = Engine("cpu", "float32")
    weights = weakref.ref(next(engine.vae(checkpoint).module.parameters()))
    assert engine.memory.free() > 0
    assert weights() is None
