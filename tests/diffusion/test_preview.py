"""A preview is a linear guess at a latent's colours."""

import io
from dataclasses import dataclass

import numpy
import torch
from PIL import Image

from diffusion.preview import jpeg, preview
from diffusion.spaces import LATENT_SPACES


@dataclass(frozen=True)
class Space:
    rgb_factors: tuple[tuple[float, float, float], ...] | None
    rgb_bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


def test_colours_are_the_factors_sums_plus_the_bias() -> None:
    space = Space(((1.0, 0.0, 0.0), (0.0, 0.5, 0.0)), (0.0, 0.0, -1.0))
    latent = torch.zeros(1, 2, 2, 3)
    latent[0, :, 0, 1] = torch.tensor([1.0, -2.0])
    pixels = preview(latent, space)
    assert pixels.shape == (2, 3, 3)
    assert pixels.dtype == numpy.uint8
    assert pixels[0, 1].tolist() == [255, 0, 0]
    assert pixels[1, 2].tolist() == [128, 128, 0]


def test_values_beyond_the_range_are_clipped_and_nan_is_black() -> None:
    latent = torch.tensor([9.0, -9.0, float("nan")]).reshape(1, 1, 1, 3)
    pixels = preview(latent, Space(((1.0, 1.0, 1.0),)))
    assert pixels[0, :, 0].tolist() == [255, 0, 0]


def test_a_space_without_colours_is_shown_in_grey() -> None:
    latent = torch.linspace(-2, 2, 5).reshape(1, 1, 1, 5).expand(1, 16, 1, 5)
    pixels = preview(latent, Space(None))
    assert pixels[0, :, 0].tolist() == [0, 64, 128, 191, 255]
    assert (pixels == pixels[..., :1]).all()


def test_every_known_space_can_be_previewed() -> None:
    for space in LATENT_SPACES.values():
        pixels = preview(torch.randn(2, space.channels, 3, 4), space)
        assert pixels.shape == (3, 4, 3)


def test_the_file_is_a_jpeg_of_the_asked_size() -> None:
    pixels = numpy.full((16, 32, 3), [200, 30, 30], dtype=numpy.uint8)
    picture = Image.open(io.BytesIO(jpeg(pixels, 128)))
    assert picture.format == "JPEG"
    assert picture.size == (128, 64)
    # lossy, but a single colour stays what it is
    assert numpy.abs(numpy.asarray(picture).astype(int) - [200, 30, 30]).max() <= 4
