"""Build empty networks for a file's tensors: one row for each kind that families name."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from diffusion.architecture import Architecture
from diffusion.denoiser_names import denoiser_names
from diffusion.families.family import Network
from diffusion.families.signature import Shapes
from diffusion.flux import Flux, FluxConfig
from diffusion.flux2 import Flux2, Flux2Config
from diffusion.mmdit import Mmdit, MmditConfig
from diffusion.origins import Names, shapes_at
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from diffusion.unet import UNet, UNetConfig
from diffusion.vae import AutoencoderKL, VaeConfig
from diffusion.vae_names import tiny_names, vae_layout, vae_names

MARKERS = frozenset(
    ("v_pred", "ztsnr", "edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min")
)
"""Tensors beside a denoiser that say how it was trained; they are no weights."""


class Built(NamedTuple):
    """A module on the meta device, and where in the file each of its tensors comes from.

    The file's names lack the prefix of the part.
    """

    module: nn.Module
    names: Names


def _unet(shapes: Shapes, network: Network, told: Architecture) -> Built:
    names = denoiser_names("unet", [name for name in shapes if name not in MARKERS])
    config = UNetConfig.from_shapes(
        shapes_at(names, shapes),
        heads=told.unet_heads or network.heads,
        norm_groups=told.unet_norm_groups or 32,
        head_width=None if told.unet_heads else network.head_width,
    )
    with torch.device("meta"):
        return Built(UNet(config), names)


def _mmdit(shapes: Shapes, network: Network, told: Architecture) -> Built:
    names = denoiser_names("mmdit", shapes)
    config = MmditConfig.from_shapes(shapes_at(names, shapes), heads=network.heads)
    with torch.device("meta"):
        return Built(Mmdit(config), names)


def _flux(shapes: Shapes, network: Network, told: Architecture) -> Built:
    names = denoiser_names("flux", shapes)
    config = FluxConfig.from_shapes(shapes_at(names, shapes))
    with torch.device("meta"):
        return Built(Flux(config), names)


def _flux2(shapes: Shapes, network: Network, told: Architecture) -> Built:
    names = denoiser_names("flux2", shapes)
    config = Flux2Config.from_shapes(shapes_at(names, shapes))
    with torch.device("meta"):
        return Built(Flux2(config), names)


def _kl(shapes: Shapes, told: Architecture) -> Built:
    names = vae_names(shapes, vae_layout(shapes))
    config = VaeConfig.from_shapes(shapes_at(names, shapes), norm_groups=told.vae_norm_groups or 32)
    with torch.device("meta"):
        return Built(AutoencoderKL(config), names)


def _tiny(shapes: Shapes, told: Architecture) -> Built:
    names = tiny_names(shapes)
    config = TinyConfig.from_shapes(shapes_at(names, shapes))
    with torch.device("meta"):
        return Built(TinyAutoencoder(config), names)


DENOISERS: dict[str, Callable[[Shapes, Network, Architecture], Built]] = {
    "unet": _unet,
    "mmdit": _mmdit,
    "flux": _flux,
    "flux2": _flux2,
}
"""Denoisers by `Network.kind`. The shapes' names lack the prefix."""

AUTOENCODERS: dict[str, Callable[[Shapes, Architecture], Built]] = {"kl": _kl, "tiny": _tiny}
"""VAEs by `Family.vae` and `Look.network`. The module is a `diffusion.loaded_vae.Autoencoder`."""
