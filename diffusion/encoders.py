"""Build empty text encoders for a file's tensors, each with its tokenizer: one row for each."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from diffusion.architecture import Architecture
from diffusion.families.signature import Shapes
from diffusion.families.text import Part, Reading
from diffusion.header import Header
from diffusion.language_encoder import LanguageEncoder, Words
from diffusion.language_model import (
    MISTRAL_SMALL,
    QWEN3,
    Habits,
    build_language_model,
    language_names,
)
from diffusion.layouts import clip_names
from diffusion.mistral_tokenizer import TEKKEN, MistralTokenizer, mistral_tokenizer_for
from diffusion.networks import Built
from diffusion.origins import shapes_at
from diffusion.qwen_tokenizer import QWEN, QwenTokenizer, qwen_tokenizer_for
from diffusion.t5 import T5Encoder, build_t5, t5_names
from diffusion.t5_tokenizer import T5, T5Tokenizer, t5_tokenizer_for
from diffusion.text import TextEncoder, build_text_model
from diffusion.text_join import PromptEncoder
from diffusion.tokenizer import Tokenizer, tokenizer_for
from diffusion.vocabularies import Vocabulary


class EncoderKind(NamedTuple):
    """How one kind of text encoder is made.

    `tokenizer(header, folders)` finds its vocabulary, `build(shapes, part, told, tokenizer)` makes
    the module, and `reader(module, tokenizer, part)` what encodes prompts with both. `large`: it
    takes gigabytes, and computes in `Precision.large_text`.
    """

    tokenizer: Callable[[Header, Sequence[Path]], Any]
    build: Callable[[Shapes, Part, Architecture, Any], Built]
    reader: Callable[[Any, Any, Part], PromptEncoder]
    large: bool = False


def _clip(activation: str) -> EncoderKind:
    def found(header: Header, folders: Sequence[Path]) -> Tokenizer:
        return tokenizer_for(header.metadata, folders)

    def build(shapes: Shapes, part: Part, told: Architecture, tokenizer: Tokenizer) -> Built:
        names = clip_names(shapes, projected=part.projected)
        module = build_text_model(
            shapes_at(names, shapes),
            heads=told.clip_heads,
            activation=told.clip_activation or activation,
            end=tokenizer.end,
        )
        return Built(module, names)

    def reader(module: Any, tokenizer: Tokenizer, part: Part) -> TextEncoder:
        there = len(module.text_model.encoder.layers)
        skip = part.skip - (part.layers is not None and there == part.layers - 1)
        if skip < 1:
            raise ValueError("it lacks its last layer, and so CLIP skip must be 2 or more.")
        return TextEncoder(module, tokenizer, pad=part.pad, clip_skip=skip, norm=part.norm)

    return EncoderKind(found, build, reader)


def _t5() -> EncoderKind:
    def found(header: Header, folders: Sequence[Path]) -> T5Tokenizer:
        return t5_tokenizer_for(header.metadata, _beside(T5, folders))

    def build(shapes: Shapes, part: Part, told: Architecture, tokenizer: T5Tokenizer) -> Built:
        names = t5_names(shapes)
        return Built(build_t5(shapes_at(names, shapes)), names)

    def reader(module: Any, tokenizer: T5Tokenizer, part: Part) -> T5Encoder:
        return T5Encoder(module, tokenizer, least=part.least)

    return EncoderKind(found, build, reader, large=True)


def _qwen(header: Header, folders: Sequence[Path]) -> QwenTokenizer:
    return qwen_tokenizer_for(header.metadata, _beside(QWEN, folders))


def _mistral(header: Header, folders: Sequence[Path]) -> MistralTokenizer:
    return mistral_tokenizer_for(header, _beside(TEKKEN, folders))


def _language(habits: Habits, found: Callable[[Header, Sequence[Path]], Words]) -> EncoderKind:
    def build(shapes: Shapes, part: Part, told: Architecture, tokenizer: Words) -> Built:
        layers = max(_reading(part).layers)
        names = language_names(shapes, layers)
        return Built(build_language_model(shapes_at(names, shapes), layers, habits), names)

    def reader(module: Any, tokenizer: Words, part: Part) -> LanguageEncoder:
        return LanguageEncoder(module, tokenizer, _reading(part), least=part.least)

    return EncoderKind(found, build, reader, large=True)


def _reading(part: Part) -> Reading:
    if part.reading is None:
        raise ValueError(f"nothing says how {part.encoder} reads prompts.")
    return part.reading


def _beside(vocabulary: Vocabulary, folders: Sequence[Path]) -> list[Path]:
    """Where a vocabulary may lie: in a folder of its own beside each of CLIP's."""
    return [folder.with_name(vocabulary.folder) for folder in folders]


ENCODERS: dict[str, EncoderKind] = {
    "clip_l": _clip("quick_gelu"),
    "clip_h": _clip("gelu"),
    "clip_g": _clip("gelu"),
    "t5xxl": _t5(),
    "mistral_small": _language(MISTRAL_SMALL, _mistral),
    "qwen3_4b": _language(QWEN3, _qwen),
    "qwen3_8b": _language(QWEN3, _qwen),
}
"""Text encoders by the id that `diffusion.families.text.Part.encoder` names them by."""
