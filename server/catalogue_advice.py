"""What the checker may warn of beyond types: what a model was made for, how large a picture is."""

from functools import lru_cache
from pathlib import Path

from diffusion.families import FAMILIES
from diffusion.families.advice import ADVICE
from graph.advice import Advice, Avoid
from server.model_folders import Stamp

TURNED = frozenset({5, 6, 7, 8})
"""The orientations of a photograph (EXIF) that lie on their side."""


def advice_for(family: str | None, latent: tuple[str, ...]) -> Advice | None:
    """The advice for a model of the family that speaks the family's own space.

    One of the same architecture in a space of its own was trained by somebody else, at sizes that
    nobody here knows.
    """
    if family not in ADVICE or latent != (FAMILIES[family].latent_space,):
        return None
    return _advice(family)


def picture_size(stamp: Stamp) -> tuple[int, int] | None:
    """Width and height of a picture in pixels; None where it cannot be read."""
    return _size(stamp)


@lru_cache(maxsize=64)
def _advice(family: str) -> Advice:
    found = ADVICE[family]
    avoid = tuple(
        Avoid(
            code=item.code,
            widget=item.widget,
            use=item.use,
            why=item.why,
            values=item.values,
            above=item.above,
        )
        for item in found.avoid
    )
    return Advice(
        title=found.title,
        side=found.side,
        areas=found.areas,
        multiple=found.multiple,
        avoid=avoid,
    )


@lru_cache(maxsize=4096)
def _size(stamp: Stamp) -> tuple[int, int] | None:
    from PIL import Image  # it takes a while to import, and most workflows name no picture

    try:
        with Image.open(Path(stamp.path)) as picture:
            width, height = picture.size
            turned = picture.getexif().get(0x0112) in TURNED
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return (height, width) if turned else (width, height)
