"""Count the tokens of a prompt as text encoders do, without loading their weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from diffusion.encoders import ENCODERS
from diffusion.families.text import Part
from diffusion.layouts import clip_names
from diffusion.opened import Opened, protocol_of
from diffusion.origins import shapes_at
from diffusion.prompt import Segment, Special, Token, chunked, segments

POSITIONS = "text_model.embeddings.position_embedding.weight"


class Piece(NamedTuple):
    """A token of a prompt: the characters it stands for, its weight, and its chunk, from 0."""

    start: int
    end: int
    weight: float
    chunk: int


class Count(NamedTuple):
    """What one text encoder makes of a prompt.

    `tokens`: how many there are, start, end and padding left out. `room`: so many fit into a chunk,
    None where the encoder knows none. `pieces` are empty where a tokenizer tells no places.
    """

    encoder: str
    tokens: int
    room: int | None
    chunks: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Counter:
    """One encoder's tokenizer. `length`: the tokens of a chunk, start and end included."""

    encoder: str
    tokenizer: Any
    length: int | None
    weighted: bool

    def count(self, prompt: str) -> Count:
        """The prompt's tokens, in the chunks that the encoder would cut them into."""
        parts = segments(prompt) if self.weighted else [Segment(prompt, 1.0)]
        places: list[tuple[int, int, float]] = []
        groups: list[list[Token]] = []
        at, told = 0, True
        for part in parts:
            begin = begin_of(part.text, prompt, at)
            spans = spans_of(self.tokenizer, part.text)
            told = told and spans is not None
            found = spans if spans is not None else [(0, 0)] * len(self.tokenizer.ids(part.text))
            # A token's number stands for its id: only how they are cut matters here.
            first = len(places)
            groups.append([Token(first + index, part.weight) for index in range(len(found))])
            places += [(begin + start, begin + end, part.weight) for start, end in found]
            at = begin + len(part.text)
        cut = [range(len(places))] if self.length is None else self._cut(groups)
        chunk_of = {token: index for index, chunk in enumerate(cut) for token in chunk}
        pieces = [
            Piece(start, end, weight, chunk_of[index])
            for index, (start, end, weight) in enumerate(places)
        ]
        room = None if self.length is None else self.length - 2
        return Count(self.encoder, len(places), room, len(cut), tuple(pieces) if told else ())

    def _cut(self, groups: Sequence[Sequence[Token]]) -> list[list[int]]:
        """The tokens' numbers, chunk by chunk."""
        beside = Special(-1, -1, -1)
        chunks = chunked(groups, self.length or 2, beside)
        return [[token.id for token in chunk if token.id >= 0] for chunk in chunks]


def begin_of(text: str, prompt: str, at: int) -> int:
    """Where in the prompt, from `at` on, a segment's text begins.

    Escaped brackets are longer in the prompt than in the segment, so that its places may be short
    of the truth by a backslash each.
    """
    for spelled in (text, text.replace("(", "\\(").replace(")", "\\)")):
        found = prompt.find(spelled, at)
        if found >= 0:
            return found
    return at


def spans_of(tokenizer: Any, text: str) -> list[tuple[int, int]] | None:
    """The characters of each token; None where the tokenizer does not tell."""
    inner = getattr(tokenizer, "_tokenizer", None)
    if inner is None:
        return None
    if hasattr(inner, "encode_batch"):  # the tokenizers library's own
        encoded = inner.encode(text, add_special_tokens=False)
        return [(start, end) for start, end in encoded.offsets]
    told = inner(text, add_special_tokens=False, return_offsets_mapping=True)
    return [(start, end) for start, end in told["offset_mapping"]]


def counters(
    paths: Sequence[Path], space: str, tokenizer_folders: Sequence[Path]
) -> tuple[Counter, ...]:
    """A counter for each text encoder that these files hold for the space.

    Raises what `Engine.text_encoder` raises where the files do not suit or a vocabulary is missing.
    """
    files = [Opened.at(path) for path in paths]
    places = {
        encoder: (file, prefix)
        for file in files
        for encoder, prefix in file.text_prefixes().items()
    }
    return tuple(
        _counter(part, *places[part.encoder], tokenizer_folders)
        for part in protocol_of(files, space, tuple(places)).parts
        if part.encoder in places
    )


def _counter(part: Part, file: Opened, prefix: str, folders: Sequence[Path]) -> Counter:
    tokenizer = ENCODERS[part.encoder].tokenizer(file.header, folders)
    length = None
    if part.encoder.startswith("clip"):
        shapes = file.shapes(prefix)
        names = clip_names(shapes, projected=part.projected)
        length = shapes_at(names, shapes)[POSITIONS][0]
    return Counter(part.encoder, tokenizer, length, weighted=part.reading is None)
