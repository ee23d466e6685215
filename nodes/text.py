"""Nodes that turn words into what a model is steered by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from diffusion import conditioning as extra
from graph.node import node
from graph.types import TextSpace
from graph.widgets import Multiline, OneOf
from nodes.services import Interrupt, Models
from nodes.sockets import Clip, Conditioning, T

Pixels = Annotated[int, Field(ge=0, le=16384)]
"""A length in pixels; 0 stands for the picture's own."""


class Sdxl(TextSpace, id="sdxl"):
    """CLIP-L and CLIP-G, as SDXL reads them."""


class Sd3(TextSpace, id="sd3"):
    """CLIP-L, CLIP-G and T5, any of which may be absent, as SD3 reads them."""


class SdxlRefiner(TextSpace, id="sdxl_refiner"):
    """CLIP-G, as the SDXL refiner reads it."""


@node(title="CLIP Text Encode", category="conditioning")
def clip_text_encode(
    clip: Clip[T], text: Multiline = "", *, models: Models, interrupt: Interrupt
) -> Conditioning[T]:
    """Encode a prompt. (word:1.2) stresses a word, (word:0.8) plays it down; FLUX.2 reads both as
    they are written."""
    return _encoded(clip, text, models, interrupt)


@node(title="CLIP Set Last Layer", category="conditioning")
def clip_set_last_layer(
    clip: Clip[T],
    layer: Annotated[int, Field(ge=-24, le=-1, description="-1 is the last layer.")] = -2,
) -> Clip[T]:
    """Take a prompt's tokens from an earlier layer of CLIP: "CLIP skip 2" elsewhere is -2."""
    return replace(clip, clip_skip=-layer)


@node(title="CLIP Text Encode SDXL", category="conditioning")
def clip_text_encode_sdxl(
    clip: Clip[Sdxl],
    text_l: Multiline = "",
    text_g: Multiline = "",
    width: Pixels = 0,
    height: Pixels = 0,
    crop_width: Pixels = 0,
    crop_height: Pixels = 0,
    target_width: Pixels = 0,
    target_height: Pixels = 0,
    *,
    models: Models,
    interrupt: Interrupt,
) -> Conditioning[Sdxl]:
    """Encode a prompt for each of SDXL's encoders, and state the sizes that the model shall see.

    A size of 0 is the picture's own, and for the target the stated size.
    """
    sizes = {
        extra.WIDTH: width,
        extra.HEIGHT: height,
        extra.CROP_WIDTH: crop_width,
        extra.CROP_HEIGHT: crop_height,
        extra.TARGET_WIDTH: target_width,
        extra.TARGET_HEIGHT: target_height,
    }
    prompts = {"clip_l": text_l, "clip_g": text_g}
    return _encoded(clip, prompts, models, interrupt, _stated(sizes))


@node(title="CLIP Text Encode SDXL Refiner", category="conditioning")
def clip_text_encode_sdxl_refiner(
    clip: Clip[SdxlRefiner],
    text: Multiline = "",
    aesthetic_score: Annotated[float, Field(ge=0, le=1000)] = extra.SCORE,
    width: Pixels = 0,
    height: Pixels = 0,
    *,
    models: Models,
    interrupt: Interrupt,
) -> Conditioning[SdxlRefiner]:
    """Encode a prompt for the SDXL refiner, with the score of the pictures that it shall recall."""
    sizes = _stated({extra.WIDTH: width, extra.HEIGHT: height})
    extras = {**sizes, extra.AESTHETIC_SCORE: aesthetic_score}
    return _encoded(clip, text, models, interrupt, extras)


@node(title="CLIP Text Encode SD3", category="conditioning")
def clip_text_encode_sd3(
    clip: Clip[Sd3],
    clip_l: Multiline = "",
    clip_g: Multiline = "",
    t5xxl: Multiline = "",
    empty_padding: Annotated[str, OneOf(("none", "empty_prompt"))] = "none",
    *,
    models: Models,
    interrupt: Interrupt,
) -> Conditioning[Sd3]:
    """Encode a prompt for each of SD3's encoders. One without words is left out, as if its file
    were not there, or with "empty_prompt" reads the empty prompt.
    """
    prompts = {"clip_l": clip_l, "clip_g": clip_g, "t5xxl": t5xxl}
    silent = [name for name, text in prompts.items() if not text and empty_padding == "none"]
    made = models.text_encoder(clip).encode(prompts, interrupt.check, left_out=silent)
    return Conditioning(made.tokens, made.pooled, clip.text_space, made.extras)


def _encoded(
    clip: Clip[Any],
    text: str | Mapping[str, str],
    models: Models,
    interrupt: Interrupt,
    extras: extra.Extras | None = None,
) -> Conditioning[Any]:
    made = models.text_encoder(clip).encode(text, interrupt.check)
    return Conditioning(
        made.tokens, made.pooled, clip.text_space, {**made.extras, **(extras or {})}
    )


def _stated(sizes: Mapping[str, int]) -> Mapping[str, float]:
    return {name: float(size) for name, size in sizes.items() if size}
