"""Changes of latents keep what they must keep, and agree with what they are defined by."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion.latents import (
    METHODS,
    UnlikeBatches,
    blended,
    feathered,
    joined,
    middle,
    paired,
    pasted,
    resized,
    slerp,
    turned_towards,
)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(METHODS), size=st.tuples(*[st.integers(1, 12)] * 4), crop=st.booleans()
)
def test_resizing_gives_the_wanted_size_and_keeps_what_is_even(
    method: str, size: tuple[int, int, int, int], crop: bool
) -> None:
    even = noise(1, 4, 1, 1).expand(1, 4, size[0], size[1])
    made = resized(even, size[2], size[3], method, crop=crop)
    assert made.shape == (1, 4, size[2], size[3])
    # bicubic weights sum to 1 within rounding
    torch.testing.assert_close(made, noise(1, 4, 1, 1).expand_as(made), atol=1e-5, rtol=0)


def test_resizing_by_slerp_keeps_lengths_where_all_are_equal() -> None:
    x = noise(1, 4, 6, 6)
    x = x / x.norm(dim=1, keepdim=True)
    lengths = resized(x, 15, 11, "bislerp").norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths), atol=1e-5, rtol=0)
    assert resized(x, 15, 11, "bilinear").norm(dim=1).min() < 0.9


def test_slerp_goes_along_the_arc_at_an_even_pace() -> None:
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    for ratio in (0.0, 0.25, 0.5, 1.0):
        x, y = slerp(one, other, torch.tensor(ratio))[0].tolist()
        assert math.atan2(y, x) == pytest.approx(ratio * math.pi / 2, abs=1e-5)
        assert math.hypot(x, y) == pytest.approx(1 + ratio, abs=1e-5)


def test_slerp_between_parallel_opposite_and_empty_vectors_is_a_line() -> None:
    one = torch.tensor([[1.0, 0.0]])
    half = torch.tensor(0.5)
    assert slerp(one, one * 3, half).tolist() == [[2.0, 0.0]]
    assert slerp(one, -one, half).tolist() == [[0.0, 0.0]]
    assert torch.isfinite(slerp(one, one * 0, half)).all()


def test_the_middle_is_cut_to_the_proportions() -> None:
    x = torch.arange(24.0).reshape(1, 1, 4, 6)
    assert torch.equal(middle(x, 2, 2), x[..., 1:5])
    assert torch.equal(middle(x, 1, 3), x[..., 1:3, :])


def test_a_blend_is_a_weighted_mean_at_the_size_of_the_first() -> None:
    one, other = noise(1, 4, 4, 4), noise(1, 4, 4, 4, seed=1)
    torch.testing.assert_close(blended(one, other, 0.25), one * 0.25 + other * 0.75)
    assert torch.equal(blended(one, other, 1.0), one)
    assert blended(one, noise(1, 4, 8, 12), 0.5).shape == one.shape


def test_turning_keeps_the_strength_that_a_blend_loses() -> None:
    one, other = noise(1, 16, 8, 8), noise(1, 16, 8, 8, seed=1)
    wanted = (one.norm(dim=1) + other.norm(dim=1)) / 2
    torch.testing.assert_close(turned_towards(one, other, 0.5).norm(dim=1), wanted)
    assert blended(one, other, 0.5).norm() < 0.8 * wanted.norm()
    torch.testing.assert_close(turned_towards(one, other, 1.0), one)
    assert torch.isfinite(turned_towards(one * 0, other * 0, 0.5)).all()


def test_batches_of_unlike_length_are_refused_and_a_single_one_goes_with_all() -> None:
    one, many = noise(1, 4, 2, 2), noise(3, 4, 2, 2)
    assert [len(part) for part in paired(one, many)] == [3, 3]
    with pytest.raises(UnlikeBatches, match="2 pictures and the other 3"):
        paired(noise(2, 4, 2, 2), many)


def test_a_piece_is_laid_at_its_place_and_cut_at_the_edge() -> None:
    onto, piece = torch.zeros(1, 4, 6, 6), torch.ones(1, 4, 4, 4)
    made = pasted(onto, piece, 1, 4)
    assert made[0, 0].sum() == 8
    assert made[0, 0, 1:5, 4:].min() == 1
    assert onto.sum() == 0, "values on wires never change"
    assert torch.equal(pasted(onto, piece, 6, 0), onto)
    half = torch.full((1, 1, 4, 4), 0.5)
    assert pasted(onto, piece, 0, 0, half)[0, 0, 0, 0] == 0.5


def test_edges_fade_inside_the_latent_and_not_at_its_own_edge() -> None:
    onto, piece = torch.zeros(1, 4, 8, 8), torch.ones(1, 4, 4, 4)
    mask = feathered(onto, piece, 0, 2, 2)[0, 0]
    assert mask[0, 1] == 1, "the upper edge is that of the latent"
    assert mask[3, 1] == 0.5
    assert mask[1, 0] == 0.5
    assert mask[3, 0] == 0.25
    assert torch.equal(feathered(onto, piece, 0, 2, 0), torch.ones(1, 1, 4, 4))
    assert feathered(onto, piece, 2, 2, 40).shape == (1, 1, 4, 4)


def test_a_batch_of_unlike_sizes_is_brought_to_the_first() -> None:
    made = joined([noise(1, 4, 4, 4), noise(2, 4, 8, 6)])
    assert made.shape == (3, 4, 4, 4)
