"""Read what a saved picture carries, without decoding it: its workflow, and what it came from."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from graph.events import PictureFacts
from graph.picture_text import LIMIT, PARAMETERS, PLAIN, WORKFLOW, BadTexts, unpacked
from server import png

XMP = b"http://ns.adobe.com/xap/1.0/\0"
MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
EXTENDED = 40
"""Bytes of an extended segment between its name and its data: a digest, the size, the place."""

Texts = dict[str, str]


def is_picture(start: bytes) -> bool:
    """Whether a file that starts so (16 bytes) is a picture of a format that carries texts."""
    return _reader(start) is not None


def texts_of(file: BinaryIO, limit: int = LIMIT) -> Texts:
    """The texts in the picture under our names, none where another program made it.

    Pixels are skipped, so a picture of any size costs little. Raises `BadTexts` where it is
    damaged or its texts are longer than `limit` bytes.
    """
    start = file.read(16)
    file.seek(0)
    reader = _reader(start)
    if reader is None:
        raise BadTexts("The file is no picture that can carry a workflow (PNG, WebP, JPEG, AVIF).")
    try:
        return reader(file, limit)
    except png.BadPng as error:
        raise BadTexts(str(error)) from error
    except (struct.error, EOFError) as error:
        raise BadTexts("The picture is cut off.") from error


def workflow_of(file: BinaryIO, limit: int = LIMIT) -> str | None:
    """The text of the workflow in the picture; None where it has none. Raises `BadTexts`."""
    return texts_of(file, limit).get(WORKFLOW)


def parameters_of(texts: Texts) -> Mapping[str, Any]:
    """What a picture with these texts was computed from; empty where it does not say so."""
    try:
        found = json.loads(texts.get(PARAMETERS, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def picture_facts(path: Path) -> PictureFacts | None:
    """What the gallery finds the picture by, as far as it says so itself."""
    try:
        with path.open("rb") as file:
            told = parameters_of(texts_of(file)).get("picture")
        return PictureFacts.model_validate(told)
    except (OSError, BadTexts, ValidationError):  # of another program, damaged, or older
        return None


def _reader(start: bytes) -> Callable[[BinaryIO, int], Texts] | None:
    if png.is_png(start):
        return _in_png
    if start.startswith(b"\xff\xd8\xff"):
        return _in_jpeg
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _in_webp
    if start[4:12] in (b"ftypavif", b"ftypavis"):
        return _in_avif
    return None


def _in_png(file: BinaryIO, limit: int) -> Texts:
    found: Texts = {}
    for name in (WORKFLOW, PARAMETERS, PLAIN):
        file.seek(0)
        text = png.text_of(file, name, limit)
        if text is not None:
            found[name] = text
    return found


def _in_webp(file: BinaryIO, limit: int) -> Texts:
    """The chunk "XMP " of a RIFF file (WebP Container Specification, RFC 9649, section 2)."""
    file.seek(12)
    while len(header := file.read(8)) == 8:
        kind, size = struct.unpack("<4sI", header)
        if kind == b"XMP ":
            return unpacked(_exactly(file, size, limit))
        file.seek(size + size % 2, 1)
    return {}


def _in_jpeg(file: BinaryIO, limit: int) -> Texts:
    """The XMP of a JPEG, in one segment, or in the order in which several say they belong."""
    parts: dict[int, bytes] = {}
    for data in _segments(file):
        if data.startswith(XMP) and (found := unpacked(data[len(XMP) :])):
            return found
        if data.startswith(MORE_XMP):
            head = data[len(MORE_XMP) : len(MORE_XMP) + EXTENDED]
            _, place = struct.unpack(">II", head[-8:])
            parts[place] = data[len(MORE_XMP) + EXTENDED :]
            if sum(map(len, parts.values())) > limit:
                raise BadTexts(f"The text in the picture is longer than {limit // 2**20} MiB.")
    return unpacked(b"".join(parts[place] for place in sorted(parts)))


def _segments(file: BinaryIO) -> Iterator[bytes]:
    """The data of each application segment (APP1) before the picture's own."""
    file.seek(2)
    while True:
        marker, kind, size = struct.unpack(">BBH", _exactly(file, 4, 4))
        if marker != 0xFF or size < 2:
            raise BadTexts("The JPEG picture is damaged.")
        if kind == 0xDA:  # the picture begins
            return
        if kind == 0xE1:
            yield _exactly(file, size - 2, 2**16)
        else:
            file.seek(size - 2, 1)


def _in_avif(file: BinaryIO, limit: int) -> Texts:
    """Pillow finds the XMP among the boxes of the file; it decodes nothing until it is asked to."""
    from PIL import Image, UnidentifiedImageError  # it takes a while to import

    try:
        with Image.open(file, formats=("AVIF",)) as picture:
            found = picture.info.get("xmp", b"")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise BadTexts("The AVIF picture cannot be read here.") from error
    if not isinstance(found, bytes) or len(found) > limit:
        raise BadTexts(f"The text in the picture is longer than {limit // 2**20} MiB.")
    return unpacked(found)


def _exactly(file: BinaryIO, size: int, limit: int) -> bytes:
    if size > limit:
        raise BadTexts(f"The text in the picture is longer than {limit // 2**20} MiB.")
    data = file.read(size)
    if len(data) < size:
        raise EOFError
    return data
