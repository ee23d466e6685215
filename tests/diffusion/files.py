"""Headers and small safetensors files that the tests of this folder are fed."""

import gzip
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from diffusion.header import Header, TensorInfo

FIXTURES = Path(__file__).parents[2] / "diffusion" / "identity" / "headers"

Shapes = dict[str, tuple[int, ...]]


def known_shapes(name: str) -> Shapes:
    """Every tensor name and shape of a published file."""
    text = gzip.decompress((FIXTURES / f"{name}.json.gz").read_bytes())
    return {key: tuple(shape) for key, shape in json.loads(text).items()}


def shapes_of(module: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def known_names() -> list[str]:
    return sorted(path.name.removesuffix(".json.gz") for path in FIXTURES.glob("*.json.gz"))


def header_of(shapes: Mapping[str, tuple[int, ...]], **metadata: str) -> Header:
    """A header without a file. Dots in a metadata key are written "__"."""
    tensors = {name: TensorInfo("F16", shape, 0) for name, shape in shapes.items()}
    words = {key.replace("__", "."): value for key, value in metadata.items()}
    return Header(Path("file.safetensors"), tensors, words)


def write_zeros(path: Path, shapes: Mapping[str, tuple[int, ...]], **metadata: str) -> Path:
    """A sparse float16 safetensors file of zeros: it takes no room on disk, whatever its sizes."""
    entries: dict[str, object] = {}
    if metadata:
        entries["__metadata__"] = {k.replace("__", "."): v for k, v in metadata.items()}
    end = 0
    for name, shape in shapes.items():
        begin = end
        size = 2
        for length in shape:
            size *= length
        end += size
        entries[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(entries).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return path


def write_gguf(
    path: Path, shapes: Mapping[str, tuple[int, ...]], form: int = 12, **own: str
) -> Path:
    """The header of a GGUF file whose tensors are of the format number `form`, without them."""

    def text(value: str) -> bytes:
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    parts = [b"GGUF", struct.pack("<IQQ", 3, len(shapes), len(own))]
    for key, value in own.items():
        parts += [text(key.replace("__", ".")), struct.pack("<I", 8), text(value)]
    for name, shape in shapes.items():
        sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape[::-1])
        parts += [text(name), sizes, struct.pack("<IQ", 12, 0)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))
    return path
