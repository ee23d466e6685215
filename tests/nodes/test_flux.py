"""FLUX's nodes state the guidance, and give each encoder its own words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from diffusion.conditioning import GUIDANCE
from diffusion.text import TextConditioning
from nodes.flux import clip_text_encode_flux, flux_guidance
from nodes.sockets import Clip, Conditioning
from tests.helpers.services import Interrupt, Models


class Encoder:
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def encode(self, prompt: str | Mapping[str, str], check: Any) -> TextConditioning:
        self.asked.append(prompt)
        return TextConditioning(torch.ones(1, 2, 3), torch.ones(1, 4))


def test_guidance_is_stated_and_the_rest_is_kept() -> None:
    given: Conditioning[Any] = Conditioning(
        torch.ones(1, 2, 3), None, "flux1", {"other": 1.0, GUIDANCE: 3.0}
    )
    made = flux_guidance(given, 2.5)
    assert dict(made.extras) == {"other": 1.0, GUIDANCE: 2.5}
    assert made.tokens is given.tokens
    assert made.space == "flux1"
    assert given.extras[GUIDANCE] == 3.0
    assert flux_guidance(given).extras[GUIDANCE] == 3.5


def test_each_encoder_has_its_own_words() -> None:
    encoder = Encoder()
    clip: Clip[Any] = Clip(Path("x"), "content", text_space="flux1")
    made = clip_text_encode_flux(
        clip,
        "cat",
        "a cat that sits",
        4.0,
        models=Models(text_encoder=encoder),
        interrupt=Interrupt(),
    )
    assert encoder.asked == [{"clip_l": "cat", "t5xxl": "a cat that sits"}]
    assert made.extras[GUIDANCE] == 4.0
    assert made.pooled is not None
    assert made.space == "flux1"
