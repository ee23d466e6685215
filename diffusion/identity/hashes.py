"""Know a file again by its content: hashes of whole files, and of the tensors however stored.

The hashes of published files are data, in known_hashes.json.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy

from diffusion.header import Header
from diffusion.identity.layers import Finding
from diffusion.identity.tensors import half_names, part_names, read_arrays
from diffusion.spaces import LATENT_SPACES

TABLE = Path(__file__).with_name("known_hashes.json")

CHUNK = 2**20
"""Bytes that are hashed between two looks whether somebody wants it to stop."""


class Known(NamedTuple):
    """A published file: whose latents it speaks, and what it is called where it is published."""

    space: str
    name: str


class Table(NamedTuple):
    """Published files by the SHA-256 of the whole file, and by `tensor_hash`."""

    files: Mapping[str, Known]
    tensors: Mapping[str, Known]


@cache
def known_hashes() -> Table:
    """The table of published files. Raises `ValueError` where it names a space that is none."""
    data = json.loads(TABLE.read_text("utf-8"))
    table = Table(*({row["sha256"]: Known(row["space"], row["name"]) for row in data[part]}
                    for part in ("files", "tensors")))  # fmt: skip
    for known in (*table.files.values(), *table.tensors.values()):
        if known.space not in LATENT_SPACES:
            raise ValueError(f"{TABLE.name} names the latent space {known.space!r}")
    return table


def file_hash(path: Path, check_cancel: Callable[[], None] = lambda: None) -> str:
    """The SHA-256 of the whole file. Raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            check_cancel()
            digest.update(chunk)
    return digest.hexdigest()


def tensor_hash(
    header: Header, prefix: str, network: str, check_cancel: Callable[[], None] = lambda: None
) -> str:
    """The SHA-256 of the half that says whose latents a VAE speaks, however it is stored.

    Over the tensors in the order of their original names, each as its name, its shape without
    ones, and its numbers in float16. A copy in float32 or float16, in diffusers' naming or inside a
    checkpoint hashes alike; one in bfloat16 lost other digits and does not. "" where there are no
    such tensors. Raises `Unreadable`, and `OSError`.
    """
    names = half_names(part_names(header, prefix, network))
    digest = hashlib.sha256()
    ordered = sorted(names)
    arrays = read_arrays(header, [names[name] for name in ordered], check_cancel)
    for name, array in zip(ordered, arrays, strict=True):
        shape = [length for length in array.shape if length != 1]
        digest.update(f"{name}\0{shape}\0".encode())
        with numpy.errstate(over="ignore"):  # what float16 cannot hold is infinite in every copy
            digest.update(array.astype("<f2").tobytes())
    return digest.hexdigest() if ordered else ""


def hash_finding(file: str, tensors: str, learned: Mapping[str, Known]) -> Finding | None:
    """What the hashes of a file's whole and of its tensors say; "" for one that is not known.

    `learned` are further hashes of tensors: those of files here that were known as a whole.
    """
    table = known_hashes()
    if whole := table.files.get(file):
        return Finding("hash", (whole.space,), "certain", f"it is the published file {whole.name}")
    if same := table.tensors.get(tensors) or learned.get(tensors):
        return Finding("hash", (same.space,), "certain", f"its tensors are those of {same.name}")
    return None
