"""Small models with FLUX.2's architecture and its real prompt widths, in files of their own."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.flux2 import Flux2, Flux2Config
from diffusion.mistral_tokenizer import TENSOR
from diffusion.qwen_tokenizer import METADATA_KEY
from diffusion.vae import AutoencoderKL, VaeConfig
from tests.diffusion.small import random_weights
from tests.diffusion.small_language import mistral, qwen, qwen_vocabulary, tekken

WIDTHS = {"flux2_dev": 15360, "flux2_klein_4b": 7680, "flux2_klein_9b": 12288}
"""How wide a prompt's tokens are, by text space: three layers of its language model."""

VAE = VaeConfig(
    pixel_channels=3,
    stem_channels=8,
    channels=(8, 8, 8, 16),
    encoder_blocks=1,
    decoder_blocks=2,
    latent_channels=32,
    quantised_channels=None,
    norm_groups=4,
    normalised=True,
)
ARCHITECTURE = {"latent_loom.architecture": json.dumps({"vae": {"norm_groups": 4}})}
LAST = {"flux2_dev": 3, "flux2_klein_4b": 27, "flux2_klein_9b": 27}
"""The last layer that prompts are read from, by text space."""

VAE_SPACE = {
    "latent_loom.latent_space": json.dumps(
        {"id": "flux2", "title": "FLUX.2", "short": "F2", "channels": 32, "downscale": 8}
    )
}


def flux2_config(space: str) -> Flux2Config:
    return Flux2Config(
        channels=32,
        width=96,
        heads=3,
        feed_forward=144,
        double_blocks=1,
        single_blocks=2,
        context_width=WIDTHS[space],
        time_width=256,
        guided=space == "flux2_dev",
    )


def small_transformer(space: str) -> dict[str, Tensor]:
    return random_weights(Flux2(flux2_config(space)), 1)


def small_vae() -> dict[str, Tensor]:
    weights = random_weights(AutoencoderKL(VAE), 2)
    weights["bn.running_var"] = weights["bn.running_var"].abs() + 0.3
    return weights


def language_model(space: str) -> Any:
    """transformers' own model, as wide as the space's, with few and narrow heads.

    It has a layer more than is read: transformers normalises what stands after the last.
    """
    wide = WIDTHS[space] // 3
    if space == "flux2_dev":
        return mistral(LAST[space] + 1, wide, head=128)
    return qwen(LAST[space] + 1, wide, head=8)


def write_transformer(folder: Path, space: str) -> Path:
    path = folder / f"{space}.safetensors"
    save_file(_half(small_transformer(space)), path)
    return path


def write_vae(folder: Path) -> Path:
    path = folder / "vae.safetensors"
    save_file(small_vae(), path, {**ARCHITECTURE, **VAE_SPACE})
    return path


def write_text_encoder(folder: Path, space: str) -> Path:
    path = folder / f"{space}_text.safetensors"
    tensors = _half(dict(language_model(space).state_dict()))
    if space == "flux2_dev":
        words = bytearray(tekken(), "utf-8")
        save_file({**tensors, TENSOR: torch.frombuffer(words, dtype=torch.uint8)}, path)
    else:
        save_file(tensors, path, {METADATA_KEY: qwen_vocabulary()})
    return path


def write_checkpoint(path: Path, space: str, encoder: str) -> Path:
    """All three in one file, as ComfyUI saves them."""
    tensors = {
        **_under("model.diffusion_model.", _half(small_transformer(space))),
        **_under("vae.", small_vae()),
        **_under(
            f"text_encoders.{encoder}.transformer.", _half(language_model(space).state_dict())
        ),
    }
    if space == "flux2_dev":
        words = bytearray(tekken(), "utf-8")
        tensors["text_encoders." + TENSOR] = torch.frombuffer(words, dtype=torch.uint8)
    said = {"latent_loom.text_space": json.dumps({"id": space}), **VAE_SPACE}
    save_file(tensors, path, {**ARCHITECTURE, **said, METADATA_KEY: qwen_vocabulary()})
    return path


def diffusers_flux2(ours: Flux2) -> nn.Module:
    """diffusers' transformer with our weights, renamed by diffusers' own conversion."""
    diffusers = pytest.importorskip("diffusers", minversion="0.37")
    from diffusers.loaders.single_file_utils import (
        convert_flux2_transformer_checkpoint_to_diffusers,
    )

    config = ours.config
    model: nn.Module = diffusers.Flux2Transformer2DModel(
        in_channels=config.channels * 4,
        num_layers=config.double_blocks,
        num_single_layers=config.single_blocks,
        attention_head_dim=config.width // config.heads,
        num_attention_heads=config.heads,
        joint_attention_dim=config.context_width,
        mlp_ratio=config.feed_forward / config.width,
        axes_dims_rope=config.axes,
        rope_theta=2000,
        guidance_embeds=config.guided,
    )
    renamed = convert_flux2_transformer_checkpoint_to_diffusers(dict(ours.state_dict()))
    model.load_state_dict(renamed, strict=True)
    return model.eval().requires_grad_(False)


def _half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.half().contiguous() for name, tensor in tensors.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}
