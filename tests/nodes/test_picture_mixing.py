"""Pictures are inverted, mixed, laid onto one another and put into batches."""

import pytest
import torch

from diffusion.latents import UnlikeBatches
from nodes.picture_mixing import blend_images, composite_images, image_batch, invert_image
from nodes.sockets import Image, Mask


def plain(value: float, height: int = 4, width: int = 6, batch: int = 1) -> Image:
    return Image(torch.full((batch, height, width, 3), value))


def test_inverting_twice_changes_nothing() -> None:
    image = Image(torch.rand(2, 3, 4, 3))
    assert torch.equal(invert_image(plain(0.25)).pixels, plain(0.75).pixels)
    again = invert_image(invert_image(image)).pixels
    torch.testing.assert_close(again, image.pixels, atol=1e-6, rtol=0)


def test_a_blend_has_the_first_pictures_size_and_share() -> None:
    mixed = blend_images(plain(1.0), plain(0.0, 9, 9, batch=3), 0.75).pixels
    assert mixed.shape == (3, 4, 6, 3)
    torch.testing.assert_close(mixed, torch.full_like(mixed, 0.75), atol=1e-6, rtol=0)
    with pytest.raises(UnlikeBatches):
        blend_images(plain(1.0, batch=2), plain(0.0, batch=3))


def test_a_piece_covers_where_its_mask_says_and_is_cut_off_at_the_edge() -> None:
    made = composite_images(plain(0.0), plain(1.0, 2, 4), x=4, y=1).pixels[0, ..., 0]
    expected = torch.zeros(4, 6)
    expected[1:3, 4:] = 1
    assert torch.equal(made, expected)
    half = Mask(torch.tensor([[[1.0, 0.0]]]))  # resized to the piece
    made = composite_images(plain(0.0), plain(1.0, 4, 6), half).pixels[0, 0, :, 0]
    assert made[0] == 1
    assert made[-1] == 0
    assert torch.equal(composite_images(plain(0.5), plain(1.0), x=6).pixels, plain(0.5).pixels)


def test_a_batch_takes_the_first_pictures_size() -> None:
    made = image_batch([plain(0.25), plain(0.5, 8, 8, batch=2)]).pixels
    assert made.shape == (3, 4, 6, 3)
    assert made[:, 0, 0, 0].tolist() == pytest.approx([0.25, 0.5, 0.5], abs=1e-6)
