"""Edges are found where brightness changes, one pixel wide, strong ones first."""

import math

import pytest
import torch
from torch import Tensor

from diffusion.edges import canny


def square(inside: float, outside: float = 0.0) -> Tensor:
    pictures = torch.full((1, 32, 40, 3), outside)
    pictures[:, 8:24, 10:30] = inside
    return pictures


def test_a_square_has_four_thin_edges_around_it() -> None:
    lines = canny(square(1.0), 0.2, 0.5)[0, ..., 0]
    assert set(lines.unique().tolist()) == {0.0, 1.0}
    assert not lines[:6].any()
    assert not lines[12:20, 14:26].any()
    assert lines[16].nonzero().flatten().tolist() in ([9, 29], [9, 30], [10, 29], [10, 30])
    assert lines[:, 20].nonzero().flatten().tolist() in ([7, 23], [7, 24], [8, 23], [8, 24])


def test_scikit_image_finds_the_same_edges() -> None:
    skimage = pytest.importorskip("skimage")
    picture = torch.from_numpy(skimage.data.camera()).float()[128:384, 128:384] / 255
    ours = canny(picture[None, ..., None].expand(-1, -1, -1, 3), 0.15, 0.3)[0, ..., 0] > 0
    # a slope of 1 a pixel is 8 to its gradient, and √(2π) to ours, to which a smoothed step is 1
    scale = 8 / math.sqrt(2 * math.pi)
    theirs = torch.from_numpy(
        skimage.feature.canny(picture.numpy(), 1.0, 0.15 * scale, 0.3 * scale, mode="nearest")
    )
    near = torch.nn.functional.max_pool2d(theirs[None].float(), 3, 1, 1)[0] > 0
    assert 0.02 < float(ours.float().mean()) < 0.2
    assert float((ours & near).sum() / ours.sum()) > 0.9
    assert 0.8 < float(ours.sum() / theirs.sum()) < 1.25


def test_a_weak_edge_counts_only_where_it_goes_on_from_a_strong_one() -> None:
    assert not canny(square(0.3), 0.1, 0.5).any()
    assert canny(square(0.7), 0.1, 0.5).any()
    ramp = square(1.0)
    ramp[:, 8:24, 10:30] *= torch.linspace(0.3, 1, 20)[:, None]  # its left edge is weak
    found = canny(ramp, 0.1, 0.5)[0, ..., 0]
    assert found[12, 8:12].any(), "joined to the strong ones by its corners"
    assert not canny(ramp, 0.5, 0.5)[0, 10:22, 8:12, 0].any()


def test_every_picture_of_a_batch_is_its_own() -> None:
    both = torch.cat([square(1.0), torch.zeros(1, 32, 40, 3)])
    found = canny(both, 0.2, 0.5)
    assert torch.equal(found[:1], canny(both[:1], 0.2, 0.5))
    assert not found[1].any()
