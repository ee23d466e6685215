"""Read textual inversions, and have their vectors stand in the place of words' in an encoder."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from diffusion.checkpoint import CheckpointTrouble, read_tensor
from diffusion.families.embeddings import vectors_in
from diffusion.header import read_header

Vectors = Mapping[str, Tensor]
"""The vectors of each embedding that a prompt names, for one encoder: (count, width)."""

NO_VECTORS: Vectors = MappingProxyType({})


class EmbeddingTrouble(CheckpointTrouble):
    """An embedding that a prompt cannot be read with; the message says why."""


@dataclass(frozen=True)
class Embedding:
    """A textual inversion. `vectors`: (count, width), float32, by the encoder that they are for.

    Those under "" are for any encoder whose words are as wide.
    """

    name: str
    vectors: Vectors

    def of(self, encoder: str, width: int | None) -> Tensor | None:
        """Its vectors for an encoder whose words have `width` numbers; None where it has none."""
        found = self.vectors.get(encoder, self.vectors.get(""))
        return found if found is not None and found.shape[-1] == width else None


Find = Callable[[str, str], Embedding]
"""The embedding of a name. The second argument is the one encoder that the prompt is for, or ""."""


def no_embeddings(name: str, encoder: str) -> Embedding:
    """The `Find` of those who have no files."""
    raise EmbeddingTrouble(f"There is no embedding {name!r} here.")


def read_embedding(path: Path) -> Embedding:
    """The embedding in a safetensors file. Raises `FileTrouble` and `EmbeddingTrouble`."""
    header = read_header(path)
    found = vectors_in(header.shapes)
    if not found:
        raise EmbeddingTrouble(f"{path.name} is no textual inversion.")
    return Embedding(
        path.stem,
        {
            item.encoder: read_tensor(header, item.tensor).reshape(item.tokens, item.width)
            for item in found
        },
    )


class Extra(NamedTuple):
    """Vectors beside a vocabulary: the ids that stand for each name's, and all of them in order."""

    ids: Mapping[str, range]
    rows: Tensor | None


def beside(vocabulary: int, vectors: Vectors) -> Extra:
    """The vectors as words more than the `vocabulary` has, whose ids end before it."""
    ids: dict[str, range] = {}
    first = vocabulary
    for name, rows in vectors.items():
        ids[name] = range(first, first + len(rows))
        first += len(rows)
    return Extra(ids, torch.cat(list(vectors.values())) if vectors else None)


@contextmanager
def standing_in(words: nn.Module, vocabulary: int, rows: Tensor | None) -> Iterator[None]:
    """Within, the table of words gives `rows` for the ids from `vocabulary` on."""
    if rows is None:
        yield
        return
    asked: list[Tensor] = []

    def known(_: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        asked.append(given[0])
        return (torch.where(given[0] < vocabulary, given[0], 0), *given[1:])

    def replaced(_: nn.Module, given: tuple[Any, ...], found: Tensor) -> Tensor:
        ids = asked.pop()
        own = ids >= vocabulary
        changed = found.clone()
        changed[own] = rows.to(found)[ids[own] - vocabulary]
        return changed

    hooks = [words.register_forward_pre_hook(known), words.register_forward_hook(replaced)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
