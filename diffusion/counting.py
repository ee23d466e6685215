"""Count the tokens of a prompt as text encoders do, without loading their weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from diffusion.encoders import ENCODERS
from diffusion.families.embeddings import Vectors, for_encoder
from diffusion.families.text import Part
from diffusion.layouts import clip_names
from diffusion.opened import Opened, protocol_of
from diffusion.origins import shapes_at
from diffusion.prompt import Segment, Special, Token, chunked, segments
from diffusion.t5 import SHARED, t5_names

POSITIONS = "text_model.embeddings.position_embedding.weight"
WORDS = "text_model.embeddings.token_embedding.weight"


class Piece(NamedTuple):
    """A token of a prompt: the characters it stands for, its weight, and its chunk, from 0."""

    start: int
    end: int
    weight: float
    chunk: int


class Named(NamedTuple):
    """An embedding that a prompt names: its characters, its name, and how many tokens it takes."""

    start: int
    end: int
    name: str
    tokens: int


class Count(NamedTuple):
    """What one text encoder makes of a prompt.

    `tokens`: how many there are, start, end and padding left out. `room`: so many fit into a chunk,
    None where the encoder knows none. `pieces` are empty where a tokenizer tells no places; each
    vector of an embedding is one.
    """

    encoder: str
    tokens: int
    room: int | None
    chunks: int
    pieces: tuple[Piece, ...]
    embeddings: tuple[Named, ...] = ()


NO_EMBEDDINGS: Mapping[str, Sequence[Vectors]] = MappingProxyType({})


@dataclass(frozen=True)
class Counter:
    """One encoder's tokenizer. `length`: the tokens of a chunk, start and end included.

    `width`: how many numbers the vector of a word has, None where it takes no embeddings.
    """

    encoder: str
    tokenizer: Any
    length: int | None
    weighted: bool
    width: int | None = None

    def count(
        self, prompt: str, embeddings: Mapping[str, Sequence[Vectors]] = NO_EMBEDDINGS
    ) -> Count:
        """The prompt's tokens, in the chunks that the encoder would cut them into.

        `embeddings`: what the files of those that it names hold.
        """
        parts = segments(prompt) if self.weighted else [Segment(prompt, 1.0)]
        places: list[tuple[int, int, float]] = []
        groups: list[list[Token]] = []
        named: list[Named] = []
        at, told = 0, True
        for part in parts:
            begin = begin_of(part.text, prompt, at)
            spans = self._spans(part, embeddings)
            told = told and spans is not None
            found = spans if spans is not None else [(0, 0)] * len(self.tokenizer.ids(part.text))
            if part.embedding:
                end = begin + len(part.text)
                named.append(Named(begin, end, part.embedding, len(found)))
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
        shown = tuple(pieces) if told else ()
        return Count(self.encoder, len(places), room, len(cut), shown, tuple(named))

    def _spans(
        self, part: Segment, embeddings: Mapping[str, Sequence[Vectors]]
    ) -> list[tuple[int, int]] | None:
        """The characters of each token of the part; None where the tokenizer does not tell."""
        if not part.embedding:
            return spans_of(self.tokenizer, part.text)
        held = for_encoder(embeddings.get(part.embedding, ()), self.encoder, self.width)
        return [(0, len(part.text))] * (held.tokens if held else 0)

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
    length = width = None
    shapes = file.shapes(prefix)
    if part.encoder.startswith("clip"):
        found = shapes_at(clip_names(shapes, projected=part.projected), shapes)
        length, width = found[POSITIONS][0], found[WORDS][1]
    elif part.encoder == "t5xxl":
        names = t5_names(shapes)
        width = shapes_at(names, shapes)[SHARED][1] if SHARED in names else None
    return Counter(part.encoder, tokenizer, length, part.reading is None, width)
