"""Show what a sampler is about: by the colours of its latents, or decoded by a VAE."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, cast

import numpy
from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.preview import ColouredSpace, decoded, preview
from diffusion.spaces import LatentSpace
from graph.node import Part, node
from nodes.services import Models
from nodes.sockets import Model, S, T, Vae

Show = Callable[[Tensor], numpy.ndarray]


@node(title="Preview With VAE", category="sampling")
def preview_with_vae(model: Model[T, S], vae: Annotated[Vae[S], Part("decoder")]) -> Model[T, S]:
    """Have previews of the model's work decoded by this VAE; a tiny one keeps that quick."""
    return replace(model, previewer=vae)


def shown(models: Models, model: Model[Any, Any], denoiser: Denoiser) -> Show:
    """What makes a picture, uint8 (height, width, 3), of a model-space batch's first latent."""
    if model.previewer is None:
        colours = cast(ColouredSpace, denoiser.space)
        return lambda latent: preview(latent, colours)
    space = cast(LatentSpace, denoiser.space)
    vae = models.vae(model.previewer).within(space)
    return lambda latent: decoded(latent, space, vae)
