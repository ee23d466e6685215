"""Nodes that change pictures and masks hand on what they say, and grids have their cells."""

from collections.abc import Callable

import pytest
import torch

from graph.expand import Expansion
from nodes.grids import BadAxis, image_grid, values_of, xy_grid
from nodes.masks import (
    feather_mask,
    grow_mask,
    image_to_mask,
    invert_mask,
    mask_to_image,
    rectangle_mask,
)
from nodes.picture_changes import (
    crop_image,
    empty_image,
    pad_image_for_outpainting,
    upscale_image,
    upscale_image_by,
)
from nodes.sockets import BadValue, Image, Mask


def picture(height: int = 16, width: int = 24) -> Image:
    return Image(torch.rand(1, height, width, 3, generator=torch.Generator().manual_seed(1)))


def test_one_edge_alone_keeps_the_proportions() -> None:
    assert tuple(upscale_image(picture(), width=48, height=0).pixels.shape) == (1, 32, 48, 3)
    assert tuple(upscale_image(picture(), width=0, height=8).pixels.shape) == (1, 8, 12, 3)
    assert upscale_image(picture(), width=0, height=0).pixels.shape[1:3] == (16, 24)


def test_a_factor_scales_both_edges() -> None:
    assert tuple(upscale_image_by(picture(), scale_by=1.5).pixels.shape) == (1, 24, 36, 3)


def test_a_crop_over_the_edge_is_moved_inside() -> None:
    whole = picture()
    cut = crop_image(whole, width=10, height=99, x=20, y=5)
    torch.testing.assert_close(cut.pixels, whole.pixels[:, :, 14:])


def test_a_padded_picture_and_its_mask_have_one_size() -> None:
    made = pad_image_for_outpainting(picture(), left=8, bottom=16, feathering=4)
    assert made.image.pixels.shape[1:3] == made.mask.values.shape[1:] == (32, 32)


@pytest.mark.parametrize(
    "change",
    [invert_mask, lambda mask: grow_mask(mask, 2), lambda mask: feather_mask(mask, 2)],
)
def test_changed_masks_stay_masks(change: Callable[[Mask], Mask]) -> None:
    mask = Mask((torch.rand(2, 9, 9, generator=torch.Generator().manual_seed(1)) > 0.7).float())
    made = change(mask).values
    assert made.shape == mask.values.shape
    assert made.min() >= 0
    assert made.max() <= 1


def test_a_mask_survives_being_a_picture() -> None:
    mask = Mask(torch.rand(1, 5, 6, generator=torch.Generator().manual_seed(1)))
    for channel in ("red", "brightness"):
        torch.testing.assert_close(image_to_mask(mask_to_image(mask), channel).values, mask.values)


def test_titles_make_a_grid_larger_and_leave_its_pictures_as_they_are() -> None:
    images = [picture(), picture(), picture(), picture()]
    bare = image_grid(images, columns=2).pixels
    titled = image_grid(images, 2, "one\ntwo", "first\nsecond").pixels
    assert titled.shape[1] > bare.shape[1]
    assert titled.shape[2] > bare.shape[2]
    torch.testing.assert_close(titled[:, -bare.shape[1] :, -bare.shape[2] :], bare)
    assert titled[:, : -bare.shape[1]].min() < 0.5, "something is written there"


def test_an_xy_grid_samples_each_pair_once() -> None:
    made = xy_grid(*([None] * 5), x="cfg", x_values="1, 2,2", y="sampler", y_values="euler, heun")
    assert isinstance(made, Expansion)
    samplers = [n.values for n in made.workflow.nodes.values() if n.type == "k_sampler"]
    pairs = [(values["cfg"], values["sampler"]) for values in samplers]
    assert pairs == [(1, "euler"), (2, "euler"), (1, "heun"), (2, "heun")]
    grid = made.workflow.nodes["grid"]
    assert grid.values["columns"] == 2
    assert len(grid.inputs) == 4


@pytest.mark.parametrize(
    ("axis", "text", "said"),
    [
        ("steps", "1, 2.5", "'2.5' is not a whole number"),
        ("cfg", "a", "'a' is not a number"),
        ("cfg", " , ", "no values for cfg"),
        ("sampler", "euler, eular", "'eular' is no sampler"),
    ],
)
def test_a_value_that_does_not_fit_its_axis_is_named(axis: str, text: str, said: str) -> None:
    with pytest.raises(BadAxis, match=said):
        values_of(axis, text)


def test_one_setting_cannot_be_on_both_axes() -> None:
    with pytest.raises(BadAxis, match="Both axes are cfg"):
        xy_grid(*([None] * 5), x="cfg", x_values="1", y="cfg", y_values="2")


def test_an_empty_picture_is_of_its_colour() -> None:
    made = empty_image(4, 2, 3, "#ff8000").pixels
    assert tuple(made.shape) == (3, 2, 4, 3)
    torch.testing.assert_close(made[2, 1, 3], torch.tensor([1.0, 128 / 255, 0.0]))
    with pytest.raises(BadValue, match="is no colour"):
        empty_image(4, 2, 3, "#ff800g")


def test_a_rectangle_mask_is_cut_off_at_the_edges_and_fades_if_wanted() -> None:
    values = rectangle_mask(8, 6, x=5, y=1, box_width=9, box_height=2).values
    expected = torch.zeros(1, 6, 8)
    expected[0, 1:3, 5:] = 1
    assert torch.equal(values, expected)
    assert not rectangle_mask(8, 6, x=8).values.any()
    soft = rectangle_mask(64, 64, 0, 0, 32, 64, 8).values[0, 32]
    assert soft[19] == 1
    assert 0.4 < soft[31] < 0.6
    assert soft[44] == 0
