"""Textual inversions (Gal et al. 2022): which vectors a file holds, and which spaces they suit.

A vector stands in the place of a word's own, so it must be as wide as the words of the encoder that
reads it.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from diffusion.families.signature import Shape, Shapes
from diffusion.spaces import TEXT_SPACES, TextSpace

WIDTHS: Mapping[str, int] = MappingProxyType(
    {"clip_l": 768, "clip_h": 1024, "clip_g": 1280, "t5xxl": 4096}
)
"""How many numbers a word's vector has in the encoders that embeddings are made for."""

_ENCODERS = {width: encoder for encoder, width in WIDTHS.items()}
_NAMED = {**{encoder: encoder for encoder in WIDTHS}, "t5": "t5xxl"}
_ALONE = re.compile(r"emb_params|<.+>|\*|string_to_param\.\*")
"""The names of the one tensor of a file: A1111's, diffusers', and those of converted pickles."""

_WORDS = re.compile(r"(?:^|\.)token_embedding\.weight$")
"""The table of words in every CLIP text model, whoever saved it."""

_MADE_FOR = {
    frozenset(["clip_l"]): "sd15",
    frozenset(["clip_h"]): "sd2",
    frozenset(["clip_g"]): "sdxl_refiner",
    frozenset(["clip_l", "clip_g"]): "sdxl",
    frozenset(["clip_l", "t5xxl"]): "flux1",
    frozenset(["clip_l", "clip_g", "t5xxl"]): "sd3",
}
"""The family whose encoders are those that a file has vectors for."""

_READ_BY = re.compile(r"text_([lgh])")
"""Widgets of prompts for one encoder alone; others are called as the encoder is."""


class Vectors(NamedTuple):
    """The vectors for one encoder: `tokens` of `width` numbers, in the file's tensor of this name.

    `encoder` is "" where the file has one tensor that names none: it is for whichever has words of
    that width.
    """

    encoder: str
    tensor: str
    tokens: int
    width: int


def vectors_in(shapes: Shapes) -> tuple[Vectors, ...]:
    """The vectors of an embedding's file, by its tensors' shapes; none where it is something else.

    A tensor of one dimension is one vector.
    """
    named = bool(shapes) and all(name in _NAMED for name in shapes)
    alone = len(shapes) == 1 and all(_ALONE.fullmatch(name) for name in shapes)
    if not (named or alone) or not all(_is_table(shape) for shape in shapes.values()):
        return ()
    return tuple(
        Vectors(_NAMED[name] if named else "", name, 1 if len(shape) == 1 else shape[0], shape[-1])
        for name, shape in shapes.items()
    )


def words_in(shapes: Shapes) -> int:
    """How many numbers a word has in a file's text encoder; 0 where it has none, or several."""
    widths = [shape[1] for name, shape in shapes.items() if _WORDS.search(name) and len(shape) == 2]
    return widths[0] if len(widths) == 1 else 0


def family_of(vectors: Sequence[Vectors]) -> str | None:
    """The family that the embedding was made for, as far as its widths tell."""
    published = all(_width_of(item.encoder, item.width) == item.width for item in vectors)
    return _MADE_FOR.get(_encoders(vectors)) if published else None


def reader_of(prompt: str) -> str | None:
    """The one encoder that reads the prompt in a widget of this name; None where all of them do."""
    short = _READ_BY.fullmatch(prompt)
    name = f"clip_{short[1]}" if short else prompt
    return name if any(name in (*one.required, *one.optional) for one in _SPACES) else None


_SPACES = tuple(TEXT_SPACES.values())


def takes(space: TextSpace, reader: str | None = None) -> tuple[int, ...]:
    """The widths of the words that an embedding stands among; () where none is known or can be.

    `reader`: the one encoder that the prompt is for.
    """
    need = needed(space, reader)
    if need is None:
        return space.width if len(space.width) == 1 else ()
    return tuple(WIDTHS[encoder] for encoder in need if encoder in WIDTHS)


def needed(space: TextSpace, reader: str | None = None) -> tuple[str, ...] | None:
    """The encoders that an embedding must have vectors for; None of a space that a file declares.

    Where any encoder of a space may be absent, the CLIPs are those that count: embeddings for T5
    are rare, and it reads the rest of the prompt all the same.
    """
    if not space.required and not space.optional:
        return None
    if reader is not None:
        return (reader,)
    return space.required or tuple(name for name in space.optional if name.startswith("clip"))


def suits(vectors: Sequence[Vectors], space: TextSpace, reader: str | None = None) -> bool:
    """Whether the encoders of the space, or the `reader` among them, can take the vectors.

    A space that a file declares without saying how wide its words are can take any: then it shows
    when the prompt is read.
    """
    need = needed(space, reader)
    if need is None:
        widths = {item.width for item in vectors}
        return len(space.width) != 1 or widths == set(space.width)
    return set(need) <= _encoders(vectors)


def for_encoder(vectors: Sequence[Vectors], encoder: str, width: int | None) -> Vectors | None:
    """The vectors that an encoder of this id takes, whose words are so wide."""
    named = [item for item in vectors if item.encoder in (encoder, "") and item.width == width]
    return named[0] if named else None


def _encoders(vectors: Sequence[Vectors]) -> frozenset[str]:
    """The encoders that there are vectors for; an unknown width is for none that is known."""
    return frozenset(item.encoder or _ENCODERS.get(item.width, "") for item in vectors)


def _width_of(encoder: str, width: int) -> int | None:
    """How wide the encoder's words are; that of the file's only tensor is found by its width."""
    return WIDTHS.get(encoder or _ENCODERS.get(width, ""))


def _is_table(shape: Shape) -> bool:
    return len(shape) in (1, 2) and all(shape)
