"""SD3's prompt: both CLIPs side by side, T5 behind them, zeros for what is absent."""

from itertools import combinations

import pytest
import torch

from diffusion.families.text import PROTOCOLS
from diffusion.text import TextConditioning
from diffusion.text_sd3 import sd3_joined


def result(width: int, length: int, pooled: bool = True) -> TextConditioning:
    generator = torch.Generator().manual_seed(width + length)
    tokens = torch.randn(1, length, width, generator=generator)
    return TextConditioning(tokens, torch.randn(1, width, generator=generator) if pooled else None)


EVERY = {"clip_l": result(768, 77), "clip_g": result(1280, 77), "t5xxl": result(4096, 77, False)}
SUBSETS = [chosen for size in (1, 2, 3) for chosen in combinations(EVERY, size)]


def test_three_encoders_are_joined_side_by_side_and_one_behind() -> None:
    joined = sd3_joined(EVERY)
    clip = joined.tokens[:, :77]
    assert torch.equal(clip[..., :768], EVERY["clip_l"].tokens)
    assert torch.equal(clip[..., 768:2048], EVERY["clip_g"].tokens)
    assert not clip[..., 2048:].any()
    assert torch.equal(joined.tokens[:, 77:], EVERY["t5xxl"].tokens)
    assert joined.pooled is not None
    assert torch.equal(joined.pooled[:, :768], EVERY["clip_l"].pooled)
    assert torch.equal(joined.pooled[:, 768:], EVERY["clip_g"].pooled)


@pytest.mark.parametrize("chosen", SUBSETS, ids="+".join)
def test_zeros_stand_for_what_is_absent(chosen: tuple[str, ...]) -> None:
    joined, whole = sd3_joined({name: EVERY[name] for name in chosen}), sd3_joined(EVERY)
    expected, vector = whole.tokens.clone(), whole.pooled.clone()
    for name, at in (("clip_l", slice(0, 768)), ("clip_g", slice(768, 2048))):
        if name not in chosen:
            expected[:, :77, at] = 0
            vector[:, at] = 0
    if "t5xxl" not in chosen:
        expected[:, 77:] = 0
    assert torch.equal(joined.tokens, expected)
    assert torch.equal(joined.pooled, vector)


def test_clips_of_two_lengths_are_cut_to_the_shorter_and_t5_is_not() -> None:
    joined = sd3_joined({**EVERY, "clip_g": result(1280, 154), "t5xxl": result(4096, 300, False)})
    assert joined.tokens.shape == (1, 77 + 300, 4096)


def test_the_protocol_takes_unnormalised_penultimate_layers_and_a_padded_t5() -> None:
    clip_l, clip_g, t5 = PROTOCOLS["sd3"].parts
    assert [(part.encoder, part.skip, part.norm) for part in (clip_l, clip_g)] == [
        ("clip_l", 2, False),
        ("clip_g", 2, False),
    ]
    assert (clip_l.pad, clip_g.pad, clip_l.projected, clip_g.projected) == (None, 0, False, True)
    assert (t5.encoder, t5.skip, t5.norm, t5.least) == ("t5xxl", 1, True, 77)
    assert all(part.optional for part in (clip_l, clip_g, t5))
