"""Decide whether a file is a picture that is safe to open, and make small ones of big ones."""

import hashlib
from pathlib import Path

from server.errors import BadRequest, TooLarge
from server.paths import temporary

# What Pillow calls a format, and the ending that its files get here.
SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "AVIF": ".avif",
}

NOT_A_PICTURE = (
    "{name} is not a picture that can be read (PNG, JPEG, WebP, AVIF, BMP, GIF or TIFF)."
)


def suffix_of(path: Path, name: str, max_pixels: int) -> str:
    """The ending that suits the picture at `path`, once it has been decoded from end to end.

    Raises `BadRequest` where it is none (or a damaged one), `TooLarge` where it has more than
    `max_pixels` pixels: a small file can hold a picture that fills the memory. `name` is what
    the message calls it.
    """
    # Pillow takes a while to import and the first page must not wait for it.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=tuple(SUFFIXES)) as image:
            refuse_giants(image.size, name, max_pixels)
            image.load()
            return SUFFIXES[image.format or ""]
    except (Image.DecompressionBombError, MemoryError) as error:
        raise TooLarge(_giant(name, max_pixels)) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError) as error:
        # Pillow's readers raise SyntaxError and ValueError for damaged headers.
        raise BadRequest(NOT_A_PICTURE.format(name=name)) from error


def thumbnail(path: Path, name: str, size: int, cache: Path, max_pixels: int) -> Path:
    """A WebP of at most `size` x `size` pixels of the picture at `path`, kept in `cache`."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    stat = path.stat()
    key = f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{size}"
    target = cache / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.webp"
    if target.exists():
        return target
    draft = temporary(cache)
    try:
        with Image.open(path, formats=tuple(SUFFIXES)) as image:
            refuse_giants(image.size, name, max_pixels)
            image.draft("RGB", (2 * size, 2 * size))  # lets JPEG decode at a fraction of its size
            mode = "RGBA" if image.has_transparency_data else "RGB"
            small = image if image.mode == mode else image.convert(mode)
            small.thumbnail((size, size))
            ImageOps.exif_transpose(small).save(draft, "WEBP", quality=85)
        draft.replace(target)
    except (Image.DecompressionBombError, MemoryError) as error:
        raise TooLarge(_giant(name, max_pixels)) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadRequest(NOT_A_PICTURE.format(name=name)) from error
    finally:
        draft.unlink(missing_ok=True)
    return target


def refuse_giants(size: tuple[int, int], name: str, max_pixels: int) -> None:
    """Raise `TooLarge` where a picture of this size should not be opened."""
    if size[0] * size[1] > max_pixels:
        raise TooLarge(_giant(name, max_pixels))


def _giant(name: str, max_pixels: int) -> str:
    return f"{name} has more than {max_pixels // 10**6} million pixels; make it smaller first."
