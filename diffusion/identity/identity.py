"""What a model file was found to be, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from diffusion.families.family import Kind, Noise, Prediction
from diffusion.identity.nearest import Candidate
from diffusion.spaces import LatentSpace, TextSpace

Certainty = Literal["certain", "likely", "assumed", "unknown"]


@dataclass(frozen=True)
class Identity:
    """What a file is. Several candidates in a space mean that the header cannot tell them apart.

    `parts` of a checkpoint are of "model", "clip", "vae"; of a text encoder its encoder's id.
    `conditioning` are the rows that make the denoiser's inputs, `network` is the kind of its VAE,
    `model_space` a scale of its own: all are explained at `Family` and `Variant`.
    `nearest` is what an unknown file or denoiser comes closest to. `prefixes` maps a part to what
    its tensor names begin with in this file, `layout` is the naming scheme of the model or of the
    single part. `certainty` is that of the spaces.
    """

    kind: Kind
    family: str | None = None
    variant: str | None = None
    title: str = ""
    latent_spaces: tuple[str, ...] = ()
    text_spaces: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    certainty: Certainty = "unknown"
    layout: str = "original"
    prefixes: Mapping[str, str] = field(default_factory=dict)
    prediction: Prediction | None = None
    noise: Noise | None = None
    conditioning: tuple[str, ...] = ()
    model_space: LatentSpace | None = None
    network: str = "kl"
    runnable: bool = False
    latent_space_declared: LatentSpace | None = None
    text_space_declared: TextSpace | None = None
    nearest: tuple[Candidate, ...] = ()
