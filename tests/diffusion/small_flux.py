"""A small model with FLUX.1's architecture and its real prompt widths, as a real file."""

import json
from collections.abc import Collection
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from diffusion.flux import Flux, FluxConfig
from diffusion.t5_tokenizer import METADATA_KEY
from diffusion.vae import AutoencoderKL
from tests.diffusion.small import GROUPS, METADATA, random_weights
from tests.diffusion.small_sd3 import VAE, clip, t5, t5_vocabulary

ENCODERS = ("clip_l", "t5xxl")


def flux_config(beside: int = 0, guided: bool = True) -> FluxConfig:
    return FluxConfig(
        channels=16,
        beside=beside,
        width=64,
        heads=2,
        feed_forward=96,
        double_blocks=1,
        single_blocks=2,
        context_width=4096,
        pooled_width=768,
        time_width=256,
        guided=guided,
        axes=(4, 14, 14),
    )


def write_flux(
    path: Path, config: FluxConfig, encoders: Collection[str] = ENCODERS, *, bare: bool = False
) -> None:
    """Write a checkpoint with these text encoders; `bare`: the transformer alone, no prefix."""
    parts: dict[str, nn.Module] = {"" if bare else "model.diffusion_model.": Flux(config)}
    if not bare:
        parts["vae."] = AutoencoderKL(VAE)
        build = {"clip_l": lambda: clip(768, None), "t5xxl": t5}
        parts |= {f"text_encoders.{name}.transformer.": build[name]() for name in encoders}
    tensors = {
        prefix + name: tensor.half().contiguous()
        for seed, (prefix, module) in enumerate(parts.items())
        for name, tensor in random_weights(module, seed).items()
    }
    metadata = {
        "latent_loom.tokenizer": METADATA["latent_loom.tokenizer"],
        METADATA_KEY: t5_vocabulary(),
        "latent_loom.architecture": json.dumps({"vae": {"norm_groups": GROUPS}}),
    }
    save_file(tensors, path, metadata)
