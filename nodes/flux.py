"""Nodes for FLUX, whose guidance is an input of the network, and FLUX.2's noise levels."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from diffusion import conditioning as extra
from diffusion.flux2_schedule import flux2_sigmas
from graph.node import node
from graph.types import TextSpace
from graph.widgets import Multiline
from nodes.custom_sampling import Sigmas
from nodes.sampling import Steps
from nodes.services import Interrupt, Models
from nodes.sockets import Clip, Conditioning, T

Edge = Annotated[int, Field(ge=16, le=16384)]
"""Pixels along one edge of a picture."""

Guidance = Annotated[float, Field(ge=0, le=100)]


class Flux1(TextSpace, id="flux1"):
    """T5, and CLIP-L where it is there, as FLUX.1 reads them."""


@node(title="FLUX Guidance", category="conditioning")
def flux_guidance(
    conditioning: Conditioning[T], guidance: Guidance = extra.DISTILLED_GUIDANCE
) -> Conditioning[T]:
    """State how closely FLUX shall follow the prompt. Its negative prompt needs a cfg above 1."""
    return _guided(conditioning, guidance)


@node(title="CLIP Text Encode Flux", category="conditioning")
def clip_text_encode_flux(
    clip: Clip[Flux1],
    clip_l: Multiline = "",
    t5xxl: Multiline = "",
    guidance: Guidance = extra.DISTILLED_GUIDANCE,
    *,
    models: Models,
    interrupt: Interrupt,
) -> Conditioning[Flux1]:
    """Encode a prompt for each of FLUX.1's encoders, and state how closely it shall be followed."""
    prompts = {"clip_l": clip_l, "t5xxl": t5xxl}
    made = models.text_encoder(clip).encode(prompts, interrupt.check)
    encoded = Conditioning[Flux1](made.tokens, made.pooled, clip.text_space, made.extras)
    return _guided(encoded, guidance)


@node(title="Flux 2 Scheduler", category="sampling")
def flux2_scheduler(steps: Steps = 20, width: Edge = 1024, height: Edge = 1024) -> Sigmas:
    """FLUX.2's own noise levels for a picture of this size and so many steps."""
    return Sigmas(flux2_sigmas(steps, width, height))


def _guided(conditioning: Conditioning[T], guidance: float) -> Conditioning[T]:
    return conditioning.each(
        lambda one: replace(one, extras={**one.extras, extra.GUIDANCE: guidance})
    )
