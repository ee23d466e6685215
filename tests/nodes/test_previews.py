"""Previews show a latent's colours, or what a VAE that was asked for makes of it."""

from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from diffusion.denoiser import Denoiser
from diffusion.levels import FlowLevels
from diffusion.loaded_vae import LoadedVae
from diffusion.prediction import PREDICTIONS
from diffusion.preview import preview
from diffusion.spaces import LATENT_SPACES
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from nodes.previews import preview_with_vae, shown
from nodes.sockets import Model
from tests.helpers.services import Models, recipe

MODEL: Model[Any, Any] = Model(Path("x"), "content", "flux1", "flux1")
SPACE = LATENT_SPACES["flux1"]
DENOISER = Denoiser(nn.Identity(), PREDICTIONS["flow"], FlowLevels(), SPACE)


def latents() -> Tensor:
    return torch.randn(2, 16, 3, 5, generator=torch.Generator().manual_seed(0))


def test_without_a_vae_a_preview_is_the_latents_colours() -> None:
    made = shown(Models(), MODEL, DENOISER)(latents())
    assert numpy.array_equal(made, preview(latents(), SPACE))


def test_a_tiny_vae_decodes_the_preview_in_the_models_scale() -> None:
    torch.manual_seed(0)
    tiny = TinyAutoencoder(TinyConfig(latent_channels=16, width=16)).eval()
    vae = LoadedVae(tiny, None, lambda check: tiny)
    model = preview_with_vae(MODEL, recipe(""))
    made = shown(Models(vae=vae), model, DENOISER)(latents())
    with torch.no_grad():
        pixels = tiny.decode(latents()[:1])[0].movedim(0, -1) / 2 + 0.5
    assert made.shape == (24, 40, 3)
    assert made.dtype == "uint8"
    difference = numpy.abs(made.astype(float) - pixels.clamp(0, 1).numpy() * 255)
    # rounding to whole numbers, and float32's in scaling the latent there and back
    assert difference.max() < 0.6
