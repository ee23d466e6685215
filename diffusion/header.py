"""Read what a safetensors file holds from its header alone, and name what is wrong with others.

The form: 8 bytes of little-endian length, that many bytes of JSON, then the tensors end to end.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

LONGEST_HEADER = 100_000_000
"""Bytes; the format's own limit. A longer one is never a model's header."""

BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
    **dict.fromkeys(("F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
}
"""Bits an element. A format that is not here is taken at the size that its offsets say."""

READABLE = frozenset(
    ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "I32", "I16", "I8", "U8", "BOOL")
)
"""The number formats that weights can be loaded from (`diffusion.checkpoint.DTYPES`)."""

PICKLE_ENDINGS = frozenset({".ckpt", ".pt", ".pth", ".bin", ".pkl"})

CONVERT = (
    'python -c "import sys, torch; from safetensors.torch import save_file; '
    "d = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "d = d.get('state_dict', d.get('string_to_param', d)); "
    'save_file({k: v.clone() for k, v in d.items() if torch.is_tensor(v)}, sys.argv[2])" '
    "OLD NEW.safetensors"
)
"""The command that turns a pickle into safetensors without running the code that it may hold."""


class FileTrouble(Exception):
    """A file that cannot be used. `sentence` is for people and says what to do.

    `reason` is for programs: "absent", "folder", "unreadable", "empty", "cut_short", "broken",
    "not_safetensors", "pickle", "gguf", "web_page", "git_lfs", "declaration" or "piece".
    """

    def __init__(self, path: Path | str, sentence: str, reason: str = "unreadable") -> None:
        super().__init__(sentence)
        self.path = Path(path)
        self.sentence = sentence
        self.reason = reason


class TensorInfo(NamedTuple):
    """One tensor: number format ("F16"), shape, size in bytes, offset from the file's start."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int
    offset: int = 0


@dataclass(frozen=True)
class Header:
    """What a model file says about itself. `size` is the file's, in bytes.

    `form`: "safetensors", or "gguf", of which only the header can be read. `pieces`: of a model in
    several files, where each tensor lies, and `path` is the first of them.
    """

    path: Path
    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    form: str = "safetensors"
    pieces: Mapping[str, Path] = field(default_factory=dict)

    def file_of(self, name: str) -> Path:
        """The file that holds the tensor."""
        return self.pieces.get(name, self.path)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of every tensor by its name."""
        return {name: info.shape for name, info in self.tensors.items()}


def read_header(path: Path | str) -> Header:
    """The header of a safetensors file; no tensor is read. Raises `FileTrouble` with what to do.

    The first of a model's numbered pieces stands for all of them.
    """
    path = Path(path)
    piece = _PIECE.fullmatch(path.name)
    if piece and int(piece["count"]) > 1:
        return _joined(path, piece["stem"], int(piece["number"]), int(piece["count"]))
    return _of_one_file(path)


_PIECE = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors")
"""How transformers and diffusers name the pieces of a large model."""


def _joined(path: Path, stem: str, number: int, count: int) -> Header:
    """The headers of all pieces of a model as one."""
    names = [f"{stem}-{place:05}-of-{count:05}.safetensors" for place in range(1, count + 1)]
    if number != 1:
        sentence = (
            f"{path.name} is piece {number} of {count} of a model, which are read together: choose "
            f"{names[0]}."
        )
        raise FileTrouble(path, sentence, "piece")
    absent = [name for name in names if not path.with_name(name).is_file()]
    if absent:
        sentence = (
            f"{path.name} is the first of {count} pieces of a model, and {' and '.join(absent)} "
            "cannot be found beside it: download all of them into one folder."
        )
        raise FileTrouble(path, sentence, "piece")
    pieces = [_of_one_file(path.with_name(name)) for name in names]
    return Header(
        path,
        {name: info for piece in pieces for name, info in piece.tensors.items()},
        {key: word for piece in pieces for key, word in piece.metadata.items()},
        sum(piece.size for piece in pieces),
        pieces={name: piece.path for piece in pieces for name in piece.tensors},
    )


def _of_one_file(path: Path) -> Header:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return _read(path, file, size)
    except FileNotFoundError:
        raise FileTrouble(path, f"There is no file {path}.", "absent") from None
    except IsADirectoryError:
        sentence = f"{path.name} is a folder, not a model file."
        raise FileTrouble(path, sentence, "folder") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise FileTrouble(path, f"{path.name} cannot be read: {why}.") from error


def _read(path: Path, file: BinaryIO, size: int) -> Header:
    start = file.read(64)
    if not start:
        raise FileTrouble(path, f"{path.name} is empty: download it again.", "empty")
    _refuse_other_formats(path, start)
    if len(start) < 10:
        sentence = f"{path.name} is not a safetensors file: it has only {size} bytes."
        raise FileTrouble(path, sentence, "not_safetensors")
    length = int.from_bytes(start[:8], "little")
    if length > LONGEST_HEADER or length < 2 or start[8:9] != b"{":
        raise FileTrouble(
            path,
            f"{path.name} is not a safetensors file: it does not begin with a header. "
            "Download it again, or convert it to safetensors.",
            "not_safetensors",
        )
    if 8 + length > size:
        raise _incomplete(path, 8 + length, size)
    text = start[8 : 8 + length] + file.read(max(0, length - (len(start) - 8)))
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"it is not valid JSON ({error})") from None
    if not isinstance(entries, dict):
        raise _broken(path, "it is not a JSON object")
    metadata = entries.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict):
        raise _broken(path, "its metadata is not a JSON object")
    base = 8 + length
    tensors = {name: _tensor(path, name, entry, base) for name, entry in entries.items()}
    end = _end(path, tensors, base)
    if end > size:
        raise _incomplete(path, end, size)
    words = {key: value for key, value in metadata.items() if isinstance(value, str)}
    return Header(path, tensors, words, size)


def _tensor(path: Path, name: str, entry: Any, base: int) -> TensorInfo:
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise _broken(path, f"the entry of tensor {name!r} is incomplete") from None
    elements = _elements(shape)
    places = type(begin) is type(end) is int and begin >= 0 and end >= 0
    if type(dtype) is not str or not places or elements < 0:
        raise _broken(path, f"the entry of tensor {name!r} makes no sense")
    bits = BITS.get(dtype)
    if begin > end or (bits is not None and elements * bits // 8 != end - begin):
        raise _broken(path, f"the size of tensor {name!r} does not fit its shape")
    return TensorInfo(dtype, tuple(shape), end - begin, base + begin)


def _elements(shape: object) -> int:
    """How many numbers a tensor of this shape has; -1 for what is no shape.

    A plain loop, since a folder of models has millions of tensors.
    """
    if type(shape) is not list:
        return -1
    product = 1
    for length in shape:
        if type(length) is not int or length < 0:
            return -1
        product *= length
    return product


def _end(path: Path, tensors: Mapping[str, TensorInfo], base: int) -> int:
    """Where the last tensor ends. Tensors lie end to end; an overlap or a hole is refused."""
    end = base
    for offset, length, name in sorted((t.offset, t.bytes, n) for n, t in tensors.items()):
        if offset != end:
            raise _broken(path, f"tensor {name!r} does not begin where the one before it ends")
        end += length
    return end


def _refuse_other_formats(path: Path, start: bytes) -> None:
    """Name the format of a file that is something else, by its first bytes."""
    name = path.name
    text = start.lstrip().lower()
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")) or start[:2] in (
        b"\x80\x02",
        b"\x80\x03",
        b"\x80\x04",
        b"\x80\x05",
    ):
        raise FileTrouble(path, _pickle(name), "pickle")
    if start.startswith(b"GGUF"):
        sentence = f"{name} is a GGUF file, which cannot be read: get the safetensors version."
        raise FileTrouble(path, sentence, "gguf")
    if text.startswith((b"<!doctype", b"<html")):
        raise FileTrouble(
            path,
            f"{name} is a web page that was saved under a model's name: the download asked for a "
            "log-in or failed. Download it again in a browser.",
            "web_page",
        )
    if text.startswith(b"version https://git-lfs"):
        sentence = f"{name} is a Git LFS pointer, not the file itself: run `git lfs pull`."
        raise FileTrouble(path, sentence, "git_lfs")
    if path.suffix.lower() in PICKLE_ENDINGS and start[8:9] != b"{":
        raise FileTrouble(path, _pickle(name), "pickle")


def _pickle(name: str) -> str:
    return (
        f"{name} is a pickle file, which can run any program when it is opened, so it is not. "
        f"Get the safetensors version, or convert it: {CONVERT}"
    )


def _incomplete(path: Path, needed: int, size: int) -> FileTrouble:
    return FileTrouble(
        path,
        f"{path.name} is cut short: its header says {needed:,} bytes, the file has {size:,}. "
        "The download is not complete: download it again.",
        "cut_short",
    )


def _broken(path: Path, why: str) -> FileTrouble:
    sentence = f"The header of {path.name} is broken: {why}. Download the file again."
    return FileTrouble(path, sentence, "broken")
