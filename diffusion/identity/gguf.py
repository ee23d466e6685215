"""Read what a GGUF file holds from its header alone, so that its types are known.

The form (version 2 and 3): magic, version, how many tensors and how many pairs of metadata, then
the pairs, then each tensor's name, shape (innermost length first), number format and offset.
"""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from diffusion.header import FileTrouble, Header, TensorInfo

MAGIC = b"GGUF"
LONGEST_TEXT = 16_000_000
MOST = 1_000_000
"""More tensors, pairs of metadata or items of a list than any model has."""

_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_TEXT, _LIST = 8, 9

_FORMATS = {0: "F32", 1: "F16", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 30: "BF16"}
"""The formats that safetensors knows too; the others are quantised ("GGML 12")."""

_OWN_SHAPE = "comfy.gguf.orig_shape."
"""The metadata in which a converter keeps the shape of a tensor that it had to fold."""


def read_gguf(path: Path) -> Header:
    """The header of a GGUF file; no tensor is read. Raises `FileTrouble`."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            return _Reader(path, file).header(size)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        sentence = (
            f"{path.name} is a GGUF file whose header is broken: {error}. Get the safetensors "
            "version."
        )
        raise FileTrouble(path, sentence, "gguf") from None
    except OSError as error:
        sentence = f"{path.name} cannot be read: {error.strerror or error}."
        raise FileTrouble(path, sentence) from None


class _Reader:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file

    def header(self, size: int) -> Header:
        if self.file.read(4) != MAGIC:
            raise ValueError("it does not begin with GGUF")
        version = self.number("I")
        if version not in (2, 3):
            raise ValueError(f"its version is {version}")
        tensors, pairs = self.count(), self.count()
        metadata = {self.text(): self.value(self.number("I")) for _ in range(pairs)}
        found = {}
        for _ in range(tensors):
            name = self.text()
            shape = tuple(self.number("Q") for _ in range(self.count(8, "I")))[::-1]
            form = self.number("I")
            self.number("Q")  # its offset
            own = metadata.get(_OWN_SHAPE + name)
            shape = tuple(own) if isinstance(own, list) else shape
            found[name] = TensorInfo(_FORMATS.get(form, f"GGML {form}"), shape, 0)
        words = {key: value for key, value in metadata.items() if isinstance(value, str)}
        return Header(self.path, found, words, size, "gguf")

    def number(self, form: str) -> Any:
        data = self.file.read(struct.calcsize("<" + form))
        return struct.unpack("<" + form, data)[0]

    def count(self, most: int = MOST, form: str = "Q") -> int:
        found = int(self.number(form))
        if found > most:
            raise ValueError(f"it speaks of {found:,} items")
        return found

    def text(self) -> str:
        length = self.count(LONGEST_TEXT)
        data = self.file.read(length)
        if len(data) != length:
            raise ValueError("it ends too early")
        return data.decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _TEXT:
            return self.text()
        if kind == _LIST:
            inner = self.number("I")
            if inner == _LIST:
                raise ValueError("it has lists of lists")
            return [self.value(inner) for _ in range(self.count())]
        if kind not in _NUMBERS:
            raise ValueError(f"it has a value of the unknown kind {kind}")
        return self.number(_NUMBERS[kind])
