"""Pictures and masks change as they say, and stay in 0…1."""

import numpy
import pytest
import torch
from PIL import Image as Pictures

from diffusion.pictures import (
    GREY,
    METHODS,
    Margins,
    grown,
    in_grid,
    outside,
    padded,
    scaled,
    softened,
)


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("method", METHODS)
def test_a_scaled_picture_has_the_size_and_stays_a_picture(method: str) -> None:
    made = scaled(noise(2, 20, 30, 3), 50, 41, method)
    assert tuple(made.shape) == (2, 50, 41, 3)
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_an_even_picture_stays_even_at_any_size(method: str) -> None:
    made = scaled(torch.full((1, 9, 7, 3), 0.3), 31, 14, method)
    torch.testing.assert_close(made, torch.full((1, 31, 14, 3), 0.3), atol=1e-5, rtol=0)


def test_lanczos_is_pillows_on_each_channel() -> None:
    picture = noise(1, 16, 24, 3)
    made = scaled(picture, 8, 12, "lanczos")
    red = Pictures.fromarray(picture[0, ..., 0].numpy()).resize(
        (12, 8), Pictures.Resampling.LANCZOS
    )
    expected = torch.from_numpy(numpy.array(red)).clamp(0, 1)
    torch.testing.assert_close(made[0, ..., 0], expected)


def test_cropping_keeps_the_middle_in_proportion() -> None:
    picture = torch.zeros(1, 10, 30, 3)
    picture[:, :, 10:20] = 1
    made = scaled(picture, 20, 20, "nearest-exact", crop=True)
    assert made.min() == 1, "only the middle third is left"


def test_a_margin_is_grey_and_masked_and_the_picture_is_neither() -> None:
    picture, margins = noise(1, 8, 8, 3), Margins(left=4, top=0, right=2, bottom=3)
    wide, mask = padded(picture, margins), outside(8, 8, margins, feather=0)
    assert tuple(wide.shape) == (1, 11, 14, 3)
    assert tuple(mask.shape) == (1, 11, 14)
    torch.testing.assert_close(wide[:, :8, 4:12], picture)
    assert (wide[mask.bool()] == GREY).all()
    assert mask[:, :8, 4:12].sum() == 0
    assert mask.sum() == 11 * 14 - 64


def test_a_feathered_margin_falls_inwards_and_only_from_where_it_is() -> None:
    mask = outside(16, 16, Margins(left=0, top=0, right=8, bottom=0), feather=8)[0]
    row = mask[5]
    assert row[:8].sum() == 0, "no margin on the left"
    inner = row[8:16]
    assert (inner.diff() > 0).all()
    assert (row[16:] == 1).all()


def test_growing_and_shrinking_move_the_edge_by_so_many_pixels() -> None:
    mask = torch.zeros(1, 20, 20)
    mask[:, 8:12, 8:12] = 1
    assert grown(mask, 3).sum() == 10 * 10
    assert grown(mask, -1).sum() == 2 * 2
    assert (grown(mask, 0) == mask).all()


def test_softening_keeps_what_is_even_and_turns_an_edge_into_a_slope() -> None:
    even = torch.ones(1, 9, 9)
    torch.testing.assert_close(softened(even, 5), even)
    edge = torch.zeros(1, 40, 40)
    edge[:, :, 20:] = 1
    slope = softened(edge, 6)[0, 20]
    assert (slope.diff() >= 0).all()
    assert 0.4 < float(slope[19:21].mean()) < 0.6
    assert slope[0] == 0
    assert slope[-1] == 1


def test_a_grid_lays_pictures_out_by_rows_with_white_between() -> None:
    pictures = [torch.full((4, 6, 3), value) for value in (0.1, 0.2, 0.3)]
    sheet = in_grid(pictures, columns=2, gap=2)
    assert tuple(sheet.shape) == (10, 14, 3)
    assert float(sheet[0, 8, 0]) == pytest.approx(0.2)
    assert float(sheet[6, 0, 0]) == pytest.approx(0.3)
    assert (sheet[4:6] == 1).all()
    assert (sheet[6:, 8:] == 1).all()
