"""Build empty networks for a file's tensors: one row for each kind that families name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from diffusion.architecture import Architecture
from diffusion.families.family import Network
from diffusion.families.signature import Shapes
from diffusion.families.text import Part
from diffusion.flux import Flux, FluxConfig
from diffusion.flux2 import Flux2, Flux2Config
from diffusion.layouts import clip_names
from diffusion.mmdit import Mmdit, MmditConfig
from diffusion.origins import Names, shapes_at
from diffusion.t5 import T5Encoder, build_t5, t5_names
from diffusion.t5_tokenizer import T5Tokenizer, t5_tokenizer_for
from diffusion.text import TextEncoder, build_text_model
from diffusion.text_join import PromptEncoder
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from diffusion.tokenizer import Tokenizer, tokenizer_for
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


class EncoderKind(NamedTuple):
    """How one kind of text encoder is made.

    `tokenizer(metadata, folders)` finds its vocabulary, `build(shapes, part, told, tokenizer)`
    makes the module, and `reader(module, tokenizer, part)` what encodes prompts with both. `large`:
    it takes gigabytes, and computes in `Precision.large_text`.
    """

    tokenizer: Callable[[Mapping[str, str], Sequence[Path]], Any]
    build: Callable[[Shapes, Part, Architecture, Any], Built]
    reader: Callable[[Any, Any, Part], PromptEncoder]
    large: bool = False


def _unet(shapes: Shapes, network: Network, told: Architecture) -> Built:
    weights = {name: shape for name, shape in shapes.items() if name not in MARKERS}
    config = UNetConfig.from_shapes(
        weights,
        heads=told.unet_heads or network.heads,
        norm_groups=told.unet_norm_groups or 32,
        head_width=None if told.unet_heads else network.head_width,
    )
    with torch.device("meta"):
        return Built(UNet(config), {name: name for name in weights})


def _mmdit(shapes: Shapes, network: Network, told: Architecture) -> Built:
    with torch.device("meta"):
        module = Mmdit(MmditConfig.from_shapes(shapes, heads=network.heads))
    return Built(module, {name: name for name in shapes})


def _flux(shapes: Shapes, network: Network, told: Architecture) -> Built:
    with torch.device("meta"):
        return Built(Flux(FluxConfig.from_shapes(shapes)), {name: name for name in shapes})


def _flux2(shapes: Shapes, network: Network, told: Architecture) -> Built:
    with torch.device("meta"):
        return Built(Flux2(Flux2Config.from_shapes(shapes)), {name: name for name in shapes})


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


def _clip(activation: str) -> EncoderKind:
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
        return TextEncoder(module, tokenizer, pad=part.pad, clip_skip=part.skip, norm=part.norm)

    return EncoderKind(tokenizer_for, build, reader)


def _t5_tokenizer(metadata: Mapping[str, str], folders: Sequence[Path]) -> T5Tokenizer:
    # T5's words lie beside CLIP's.
    return t5_tokenizer_for(metadata, [folder.with_name("t5") for folder in folders])


def _t5(shapes: Shapes, part: Part, told: Architecture, tokenizer: T5Tokenizer) -> Built:
    names = t5_names(shapes)
    return Built(build_t5(shapes_at(names, shapes)), names)


def _t5_reader(module: Any, tokenizer: T5Tokenizer, part: Part) -> T5Encoder:
    return T5Encoder(module, tokenizer, least=part.least)


DENOISERS: dict[str, Callable[[Shapes, Network, Architecture], Built]] = {
    "unet": _unet,
    "mmdit": _mmdit,
    "flux": _flux,
    "flux2": _flux2,
}
"""Denoisers by `Network.kind`. The shapes' names lack the prefix."""

AUTOENCODERS: dict[str, Callable[[Shapes, Architecture], Built]] = {"kl": _kl, "tiny": _tiny}
"""VAEs by `Family.vae` and `Look.network`. The module is a `diffusion.loaded_vae.Autoencoder`."""

ENCODERS: dict[str, EncoderKind] = {
    "clip_l": _clip("quick_gelu"),
    "clip_h": _clip("gelu"),
    "clip_g": _clip("gelu"),
    "t5xxl": EncoderKind(_t5_tokenizer, _t5, _t5_reader, large=True),
}
"""Text encoders by the id that `diffusion.families.text.Part.encoder` names them by."""
