"""Encode pictures as PNG, WebP, JPEG or AVIF, with texts inside that say what made them."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy
from PIL import Image as Pictures
from PIL import features
from PIL.PngImagePlugin import PngInfo

from graph import picture_text

USER_COMMENT, EXIF_PART = 0x9286, 0x8769
"""Tags of the Exif standard (CIPA DC-008): the comment, and the part of the data that holds it."""

SEGMENT = 65_000
"""Bytes of XMP in one segment of a JPEG, which may have 65,533 with all that stands before."""

FINE = 90
"""From this quality on, colours keep the resolution of the picture."""


Encode = Callable[[BinaryIO, numpy.ndarray, int, Mapping[str, str]], None]
"""Writes a picture, uint8 (height, width, 3), at a quality of 1 to 100, with texts inside."""


class Format(NamedTuple):
    """A file format: its ending, and what writes it."""

    suffix: str
    encode: Encode


def write_png(
    file: BinaryIO, picture: numpy.ndarray, _quality: int, texts: Mapping[str, str]
) -> None:
    """Write a PNG, which loses nothing whatever the quality."""
    chunks = PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)  # as UTF-8 (iTXt) where Latin-1 does not do
    Pictures.fromarray(picture).save(file, "PNG", pnginfo=chunks, compress_level=4)


def write_webp(
    file: BinaryIO, picture: numpy.ndarray, quality: int, texts: Mapping[str, str]
) -> None:
    """Write a WebP; a quality of 100 loses nothing."""
    texts_ = {"xmp": picture_text.packet(texts), "exif": _exif(texts)} if texts else {}
    Pictures.fromarray(picture).save(
        file, "WEBP", quality=quality, lossless=quality == 100, method=4, **texts_
    )


def write_jpeg(
    file: BinaryIO, picture: numpy.ndarray, quality: int, texts: Mapping[str, str]
) -> None:
    """Write a JPEG."""
    texts_ = {"extra": _segments(texts), "exif": _exif(texts)} if texts else {}
    Pictures.fromarray(picture).save(
        file, "JPEG", quality=quality, subsampling=0 if quality >= FINE else 2, **texts_
    )


def write_avif(
    file: BinaryIO, picture: numpy.ndarray, quality: int, texts: Mapping[str, str]
) -> None:
    """Write an AVIF."""
    texts_ = {"xmp": picture_text.packet(texts), "exif": _exif(texts)} if texts else {}
    Pictures.fromarray(picture).save(
        file,
        "AVIF",
        quality=quality,
        subsampling="4:4:4" if quality >= FINE else "4:2:0",
        max_threads=1,  # equal bytes on every machine
        **texts_,
    )


def _supported() -> dict[str, Format]:
    found = {
        "png": Format(".png", write_png),
        "webp": Format(".webp", write_webp),
        "jpeg": Format(".jpg", write_jpeg),
    }
    if features.check("avif"):
        found["avif"] = Format(".avif", write_avif)
    return found


FORMATS = _supported()
"""The formats that this machine's Pillow writes, by name."""


def _exif(texts: Mapping[str, str]) -> bytes:
    """Exif data whose comment is the plain text, which other programs read; b"" without one."""
    plain = texts.get(picture_text.PLAIN)
    if plain is None:
        return b""
    exif = Pictures.Exif()
    comment = b"UNICODE\0" + plain[: SEGMENT // 4].encode("utf-16-be", "surrogatepass")
    part: dict[int, Any] = {USER_COMMENT: comment}
    exif.get_ifd(EXIF_PART).update(part)
    return bytes(exif.tobytes())


def _segments(texts: Mapping[str, str]) -> bytes:
    """The texts as segments of a JPEG: one XMP packet, or an extended one in several.

    Adobe, XMP Specification Part 3 (2020), section 1.1.3.1: the extended packet is named by the MD5
    of its bytes, which the first packet tells.
    """
    whole = picture_text.packet(texts)
    if len(whole) <= SEGMENT:
        return _segment(b"http://ns.adobe.com/xap/1.0/\0" + whole)
    name = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    note = f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{name}"'
    first = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{note}/></rdf:RDF></x:xmpmeta>'
    ).encode()
    found = [_segment(b"http://ns.adobe.com/xap/1.0/\0" + first)]
    for start in range(0, len(whole), SEGMENT):
        place = len(whole).to_bytes(4, "big") + start.to_bytes(4, "big")
        head = b"http://ns.adobe.com/xmp/extension/\0" + name.encode() + place
        found.append(_segment(head + whole[start : start + SEGMENT]))
    return b"".join(found)


def _segment(data: bytes) -> bytes:
    return b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data
