"""Nodes that read and write pictures."""

from typing import Annotated, NamedTuple

import numpy
import torch
from PIL import Image as Pictures
from PIL import ImageOps, UnidentifiedImageError
from pydantic import Field

from graph.node import node
from graph.widgets import ImageFile, OneOf
from nodes.picture_formats import FORMATS
from nodes.services import Outputs
from nodes.sockets import Image, Mask

MAX_PIXELS = 64_000_000
"""A small file can hold a picture that fills the memory; larger ones are refused unread."""

READABLE = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")


class BadPicture(ValueError):
    """A file that holds no picture that can be used; the message says why."""


class Loaded(NamedTuple):
    """A picture and its mask: 1 where it is transparent, 0 where it is opaque."""

    image: Image
    mask: Mask


@node(title="Load Image", category="image")
def load_image(file: ImageFile) -> Loaded:
    """A picture from the input folder, and a mask of where it is transparent."""
    try:
        with Pictures.open(file.path, formats=READABLE) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise BadPicture(
                    f"{file.name} has more than {MAX_PIXELS // 10**6} million pixels; make it "
                    "smaller first."
                )
            rgba = _rgba(ImageOps.exif_transpose(opened))
    except Pictures.DecompressionBombError as error:
        raise BadPicture(f"{file.name} has far too many pixels; make it smaller first.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, EOFError) as error:
        # Pillow's readers raise SyntaxError for damaged headers.
        raise BadPicture(
            f"{file.name} is not a picture that can be read ({', '.join(READABLE)}), or is damaged."
        ) from error
    pixels = torch.from_numpy(rgba)[None]  # (1, height, width, 4)
    return Loaded(Image(pixels[..., :3].contiguous()), Mask(1 - pixels[..., 3]))


@node(title="Save Image", category="image", output=True, cache=False)
def save_image(
    image: Image,
    file_name: Annotated[
        str,
        Field(
            max_length=500,
            description="Folders and name, without ending. %date%, %time%, %title%, %seed%, "
            "%width%, %height%, %batch% and %counter% are filled in.",
        ),
    ] = "%date%/%title%_%seed%_%counter%",
    format: Annotated[str, OneOf(FORMATS)] = "png",
    quality: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Of WebP, JPEG and AVIF; at 100 a WebP loses nothing. A PNG never does.",
        ),
    ] = 90,
    metadata: Annotated[
        bool,
        Field(description="Whether the file holds the workflow, the prompt and what made it."),
    ] = True,
    *,
    outputs: Outputs,
) -> None:
    """Write pictures as files into the output folder, with the workflow inside them."""
    outputs.save(image, file_name, format, quality, metadata)


@node(title="Preview Image", category="image", output=True, cache=False)
def preview_image(image: Image, *, outputs: Outputs) -> None:
    """Show pictures without keeping them."""
    outputs.preview(image)


def _rgba(picture: Pictures.Image) -> numpy.ndarray:
    """float32 (height, width, 4) in 0…1, sRGB and alpha (1 is opaque)."""
    if picture.mode.startswith("I") or picture.mode == "F":
        deep = numpy.asarray(picture, dtype=numpy.float32)
        grey = (deep / (65535 if picture.mode.startswith("I") else 1)).clip(0, 1)
        return numpy.stack([grey, grey, grey, numpy.ones_like(grey)], axis=-1)
    return numpy.asarray(picture.convert("RGBA"), dtype=numpy.float32) / 255
