"""Masks that people paint on pictures: kept as the transparency of a copy, colours untouched."""

from pathlib import Path
from typing import Literal, NamedTuple

from server.errors import BadRequest
from server.paths import temporary
from server.pictures import NOT_A_PICTURE, SUFFIXES, refuse_giants

Layer = Literal["colour", "mask"]
"""A picture without its transparency, or that alone: white where Load Image's mask is 1."""


class Box(NamedTuple):
    """A piece of a picture, in pixels from the top left."""

    x: int
    y: int
    width: int
    height: int


def layer(path: Path, which: Layer, folder: Path, max_pixels: int) -> Path:
    """The layer of the picture as a PNG in `folder`, which the caller deletes."""
    from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=tuple(SUFFIXES)) as opened:
            refuse_giants(opened.size, path.name, max_pixels)
            # A browser turns pictures as their EXIF says, and so does Load Image.
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadRequest(NOT_A_PICTURE.format(name=path.name)) from error
    draft = temporary(folder)
    if which == "colour":
        picture.convert("RGB").save(draft, "PNG", compress_level=1)
    else:
        ImageChops.invert(picture.getchannel("A")).save(draft, "PNG", compress_level=1)
    return draft


def edited(path: Path, mask: Path | None, box: Box | None, folder: Path, max_pixels: int) -> Path:
    """A copy of the picture with this mask, or with its own, cut to `box`; a PNG in `folder`.

    The mask is a picture of the same size, white where something shall be made anew. Raises
    `BadRequest`.
    """
    from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path, formats=tuple(SUFFIXES)) as opened:
            refuse_giants(opened.size, path.name, max_pixels)
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
        if mask is not None:
            with Image.open(mask, formats=("PNG",)) as painted:
                if painted.size != picture.size:
                    raise BadRequest(
                        f"The mask is {painted.width} x {painted.height} pixels and the picture "
                        f"{picture.width} x {picture.height}: they must be of one size."
                    )
                picture.putalpha(ImageChops.invert(painted.convert("L")))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadRequest("The mask or the picture cannot be read.") from error
    if box is not None:
        right, bottom = box.x + box.width, box.y + box.height
        if right > picture.width or bottom > picture.height:
            raise BadRequest("The piece to be cut out reaches over the edge of the picture.")
        picture = picture.crop((box.x, box.y, right, bottom))
    draft = temporary(folder)
    picture.save(draft, "PNG", compress_level=4)
    return draft
