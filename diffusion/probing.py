"""Run a VAE for the trial that tells whose latents it speaks; `diffusion.identity.probe` judges.

On the CPU in float32 and apart from the engine's models: it happens once for a file, beside runs.
"""

from collections.abc import Callable
from pathlib import Path

import numpy
import torch
from torch import Tensor

from diffusion.checkpoint import adopt, nothing
from diffusion.identity.trial import (
    FLATS,
    Trial,
    decoder_trial,
    encoder_trial,
    even_latents,
    picture,
)
from diffusion.loaded_vae import Autoencoder
from diffusion.networks import AUTOENCODERS
from diffusion.opened import Opened, naming
from diffusion.origins import prefixed
from diffusion.tiny_vae import TinyAutoencoder

EVEN = 6
"""Cells along the edge of an even picture or latent; those in its inner half are looked at."""


def run_trial(path: Path, check_cancel: Callable[[], None] = nothing) -> Trial | None:
    """The trial of the VAE in the file; None where it has no half that can be tried.

    Raises `FileTrouble`, `CheckpointTrouble`, and `MissingTensor` where the file is damaged.
    """
    with naming(path):
        module = _loaded(path, check_cancel)
    with torch.inference_mode():
        if isinstance(module, TinyAutoencoder) and not module.config.encodes:
            return _decoded(module)
        return _encoded(module)


def _loaded(path: Path, check_cancel: Callable[[], None]) -> Autoencoder:
    file = Opened.at(path)
    prefix = file.vae_prefix()
    built = AUTOENCODERS[file.identity.network](file.shapes(prefix), file.architecture)
    names = prefixed(built.names, prefix)
    cpu = torch.device("cpu")
    adopt(
        built.module,
        file.header,
        names,
        dtype=torch.float32,
        device=cpu,
        check_cancel=check_cancel,
    )
    module: Autoencoder = built.module  # type: ignore[assignment]  # a row of AUTOENCODERS
    return module


def _encoded(module: Autoencoder) -> Trial:
    downscale = module.config.downscale
    scaled = isinstance(module, TinyAutoencoder)

    def latent(pixels: Tensor) -> Tensor:
        own = module.encode(pixels)
        return own if scaled else module.to_wire(own, None)

    whole = torch.from_numpy(picture(downscale)).movedim(-1, 0)[None] * 2 - 1
    corners = torch.tensor(FLATS, dtype=torch.float32)
    even = corners[:, :, None, None].expand(-1, -1, EVEN * downscale, EVEN * downscale)
    flats = latent(even.contiguous())[..., 2:-2, 2:-2].mean((-2, -1))
    return encoder_trial(
        latent(whole)[0].double().numpy(),
        flats.double().numpy(),
        scaled=scaled,
        downscale=downscale,
    )


def _decoded(module: TinyAutoencoder) -> Trial | None:
    if not module.config.decodes:
        return None
    channels, downscale = module.config.latent_channels, module.config.downscale
    latents = torch.from_numpy(even_latents(channels))[:, :, None, None]
    inner = slice(2 * downscale, -2 * downscale)
    shown = [
        module.decode(part.expand(-1, -1, EVEN, EVEN).contiguous())[..., inner, inner].mean(
            (-2, -1)
        )
        for part in torch.split(latents, 16)
    ]
    colours: numpy.ndarray = torch.cat(shown).double().numpy()
    return decoder_trial(colours, channels, downscale=downscale)
