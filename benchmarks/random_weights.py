"""Write a checkpoint of full size with random weights: real names and shapes, pictures of noise.

    python benchmarks/random_weights.py sd15 FILE.safetensors
    python benchmarks/random_weights.py sdxl FILE.safetensors

The names and shapes are those of the published file, as its header in diffusion/identity/headers
has them, the numbers float16: normal with deviation 1/√inputs, 1 where a normalisation scales and 0
in biases. They depend on the tensor's name alone, so that every machine gets the same file (2.1 and
6.9 GB).
"""

import argparse
import gzip
import json
import math
import os
import string
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # processes that set themselves up before torch import this module
    from torch import Tensor

FAMILIES = ("sd15", "sdxl")
HEADERS = Path(__file__).parent.parent / "diffusion" / "identity" / "headers"

EMBEDDING = 0.02
"""Deviation of a word's vector, about that of CLIP's."""

WORDS = 49_408
"""Tokens of CLIP."""

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(family: str) -> Shapes:
    """Every tensor of the family's published checkpoint, with its shape."""
    text = gzip.decompress((HEADERS / f"checkpoint_{family}.json.gz").read_bytes())
    return {name: tuple(shape) for name, shape in json.loads(text).items()}


def tensor(name: str, shape: tuple[int, ...]) -> "Tensor":
    """The tensor of that name: float16, the same numbers at every call."""
    import torch

    if len(shape) < 2:
        return torch.full(shape, 0.0 if name.endswith("bias") else 1.0, dtype=torch.float16)
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    deviation = EMBEDDING if "embedding" in name else 1 / math.sqrt(math.prod(shape[1:]))
    return (torch.randn(shape, generator=generator) * deviation).half()


def write(family: str, path: Path) -> None:
    """Write the file, tensor by tensor: it takes the memory of the largest one."""
    shapes = shapes_of(family)
    header: dict[str, object] = {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8, as safetensors asks
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    with temporary.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            file.write(tensor(name, shape).numpy().tobytes())
    os.replace(temporary, path)


def write_vocabulary(models: Path) -> None:
    """A vocabulary of CLIP's size, letters and words of noise, for a folder that has none."""
    folder = models / "tokenizers" / "clip"
    if (folder / "vocab.json").exists():
        return
    letters = list(string.ascii_lowercase) + [f"{letter}</w>" for letter in string.ascii_lowercase]
    fillers = [f"noise{number}</w>" for number in range(WORDS - 2 - len(letters))]
    words = [*letters, *fillers, "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    numbers = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(numbers), "utf-8")


def ensured(family: str, folder: Path) -> Path:
    """The family's file in the folder, written now if it is not there."""
    path = folder / f"{family}-random.safetensors"
    if not path.exists():
        print(f"Writing {path} …", flush=True)
        write(family, path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    write(options.family, options.file)


if __name__ == "__main__":
    main()
