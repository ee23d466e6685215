"""Read a prompt's brackets as weights, and cut its tokens into the chunks that an encoder takes.

    a (small:0.8) cat, (fluffy), \\(not a weight\\)

`(words)` count 1.1 times, `(words:1.3)` exactly 1.3 times whatever brackets are around them, and a
backslash makes a bracket a character. `embedding:name` stands for vectors from a file
(`diffusion.mentions`).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from diffusion.mentions import WORD, mentions

NESTED = 1.1
"""What a bracket without a number multiplies the weight by."""

WHOLE_WORDS = 8
"""A segment of fewer tokens than this is moved to the next chunk rather than cut."""

_ESCAPES = {"\\(": "\x01", "\\)": "\x02"}


class Segment(NamedTuple):
    """A part of a prompt, and how much it counts: 1 is normal.

    `embedding`: the name of the one that the text stands for, "" where it is words.
    """

    text: str
    weight: float
    embedding: str = ""


class Token(NamedTuple):
    """A token's id in its vocabulary, and how much it counts."""

    id: int
    weight: float = 1.0


class Special(NamedTuple):
    """The ids of the tokens around and behind a chunk's text."""

    start: int
    end: int
    pad: int


def segments(prompt: str) -> list[Segment]:
    """The prompt's parts in order. A bracket without its partner is a character like any other."""
    for escape, stand_in in _ESCAPES.items():
        prompt = prompt.replace(escape, stand_in)
    found: list[Segment] = []
    waiting = [(part, 1.0) for part in reversed(_parts(prompt))]  # the next one last
    while waiting:
        part, weight = waiting.pop()
        if len(part) >= 2 and part[0] == "(" and part[-1] == ")":
            inner, weight = _weighted(part[1:-1], weight)
            waiting += [(piece, weight) for piece in reversed(_parts(inner))]
        else:
            found += _apart(part, weight)
    return found


def _apart(part: str, weight: float) -> list[Segment]:
    """A part without brackets: its words, and the embeddings that it names."""
    found: list[Segment] = []
    begin = 0
    for mention in mentions(part):
        if words := part[begin : mention.start].strip():
            found.append(Segment(_plain(words), weight))
        named = part[mention.start : mention.end]
        found.append(Segment(_plain(named), weight, _plain(mention.name)))
        begin = mention.end
    rest = part[begin:]
    if not found or rest.strip():
        found.append(Segment(_plain(rest.strip() if found else rest), weight))
    return found


def _parts(text: str) -> list[str]:
    """The text cut before and after every outermost bracket."""
    parts: list[str] = []
    depth = begin = 0
    for position, character in enumerate(text):
        if character == "(":
            if depth == 0:
                parts.append(text[begin:position])
                begin = position
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0:
                parts.append(text[begin : position + 1])
                begin = position + 1
    parts.append(text[begin:])
    return [part for part in parts if part]


def _weighted(inner: str, weight: float) -> tuple[str, float]:
    """A bracket's text and weight: its own number if it ends in one, else 1.1 × the outer."""
    text, colon, number = inner.rpartition(":")
    if text == WORD or text.endswith((f" {WORD}", f",{WORD}")):  # a name that looks like a number
        return inner, weight * NESTED
    try:
        stated = float(number)
    except ValueError:
        stated = math.nan
    if colon and text and math.isfinite(stated):
        return text, stated
    return inner, weight * NESTED


def _plain(text: str) -> str:
    for escape, stand_in in _ESCAPES.items():
        text = text.replace(stand_in, escape[1:])
    return text


def chunked(groups: Sequence[Sequence[Token]], length: int, special: Special) -> list[list[Token]]:
    """The groups' tokens, a group per segment, as one or more chunks of `length` tokens.

    A chunk is start, up to `length` - 2 tokens, end, padding. A group that does not fit begins a
    new chunk if it is short, and is cut at the border otherwise. Special tokens count 1.
    """
    room = length - 2
    chunks: list[list[Token]] = [[]]
    for group in groups:
        rest = list(group)
        while rest:
            free = room - len(chunks[-1])
            if len(rest) > free and len(group) < min(WHOLE_WORDS, room + 1):
                chunks.append([])
                free = room
            chunks[-1] += rest[:free]
            rest = rest[free:]
            if rest:
                chunks.append([])
    return [_framed(chunk, length, special) for chunk in chunks]


def _framed(tokens: list[Token], length: int, special: Special) -> list[Token]:
    padding = [Token(special.pad)] * (length - 2 - len(tokens))
    return [Token(special.start), *tokens, Token(special.end), *padding]
