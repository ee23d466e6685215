"""Read the workflow that Save Image wrote into a PNG, without decoding the picture."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

KEYWORD = "latent_loom"
"""The text chunk that holds the workflow."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class BadPng(Exception):
    """The file is no PNG, or a damaged one; the message is a sentence for people."""


def is_png(start: bytes) -> bool:
    """Whether a file that starts so is a PNG."""
    return start.startswith(SIGNATURE)


def text_of(file: BinaryIO, keyword: str = KEYWORD, limit: int = 16 * 2**20) -> str | None:
    """The text under `keyword`, of at most `limit` bytes; None where the PNG has no such text.

    Chunks as in the PNG specification, third edition, sections 5.3 (layout) and 11.3.3 (text).
    Picture data is skipped, so a picture of any size costs nothing.
    """
    if file.read(len(SIGNATURE)) != SIGNATURE:
        raise BadPng("The file is not a PNG picture.")
    for kind, length in _chunks(file):
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        prefix = file.read(min(length, len(keyword) + 1))
        if prefix != keyword.encode("latin-1") + b"\0":
            continue
        if length > limit:
            raise BadPng(f"The text in the picture is longer than {limit // 2**20} MiB.")
        data = file.read(length - len(prefix))
        if len(prefix) + len(data) < length:
            raise BadPng("The PNG picture is cut off.")
        return _text(kind, data, limit)
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each chunk's type and length, with the file at the start of the chunk's data."""
    while True:
        header = file.read(8)
        if len(header) < 8:
            raise BadPng("The PNG picture is cut off.")
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IEND":
            return
        after = file.tell() + length + 4  # 4: the checksum
        yield kind, length
        file.seek(after)


def _text(kind: bytes, data: bytes, limit: int) -> str:
    try:
        if kind == b"tEXt":
            return data.decode("latin-1")
        if kind == b"zTXt":
            return _inflate(data[1:], limit).decode("latin-1")
        compressed = data[0] == 1
        _language, _translated, text = data[2:].split(b"\0", 2)
        return (_inflate(text, limit) if compressed else text).decode()
    except (ValueError, IndexError, zlib.error) as error:
        raise BadPng("The text in the PNG picture is damaged.") from error


def _inflate(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, limit)
    if inflater.unconsumed_tail:
        raise BadPng(f"The text in the picture is longer than {limit // 2**20} MiB.")
    if not inflater.eof:
        raise zlib.error("the data ends too early")
    return text
