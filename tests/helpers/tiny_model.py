"""Model files of a few megabytes with random weights, in Stable Diffusion 1's own layout."""

import json
import string
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.text import build_text_model
from diffusion.unet import UNet, UNetConfig
from diffusion.vae import AutoencoderKL, VaeConfig

TEXT_WIDTH = 64
LENGTH = 16
END = "<|endoftext|>"
START = "<|startoftext|>"


def tiny_checkpoint(path: Path, space: str = "tiny", *, broken: str = "", seed: int = 0) -> Path:
    """A checkpoint with model, text encoder and VAE, whose spaces its metadata declare.

    `broken` names a part ("model", "vae") that answers with NaN.
    """
    torch.manual_seed(seed)
    words = vocabulary()
    parts = {
        "model.diffusion_model.": _unet(),
        "first_stage_model.": vae_module(),
        "cond_stage_model.transformer.": _text(len(words), words[END]),
    }
    tensors = {
        prefix + name: tensor
        for prefix, module in parts.items()
        for name, tensor in module.state_dict().items()
    }
    if broken:
        last = {"model": "model.diffusion_model.out.2.bias", "vae": "first_stage_model.decoder."}
        name = last[broken] + ("conv_out.bias" if broken == "vae" else "")
        tensors[name] = torch.full_like(tensors[name], float("nan"))
    metadata = {
        **_declared(space),
        "latent_loom.text_space": json.dumps({"id": f"{space}-text", "title": f"{space} text"}),
        "latent_loom.tokenizer": json.dumps({"vocab": words, "merges": []}),
    }
    return _save(path, tensors, metadata)


def tiny_vae(path: Path, space: str = "tiny-b", *, seed: int = 1) -> Path:
    """A VAE in a file of its own, of the same shape as the checkpoint's."""
    torch.manual_seed(seed)
    return _save(path, vae_module().state_dict(), _declared(space))


def _unet() -> nn.Module:
    return UNet(
        UNetConfig(
            in_channels=4,
            out_channels=4,
            stem_channels=32,
            time_width=64,
            context_width=TEXT_WIDTH,
            channels=(32, 64),
            depths=(1, 1),
            middle_depth=1,
            residual_blocks=1,
            linear_projections=False,
        )
    )


def vae_module() -> nn.Module:
    return AutoencoderKL(
        VaeConfig(
            pixel_channels=3,
            stem_channels=32,
            channels=(32, 32, 32, 32),
            encoder_blocks=1,
            decoder_blocks=2,
            latent_channels=4,
            quantised_channels=4,
        )
    )


def _text(vocabulary: int, end: int) -> nn.Module:
    prefix = "text_model."
    layer = f"{prefix}encoder.layers.0."
    shapes = {
        f"{prefix}embeddings.token_embedding.weight": (vocabulary, TEXT_WIDTH),
        f"{prefix}embeddings.position_embedding.weight": (LENGTH, TEXT_WIDTH),
        f"{layer}mlp.fc1.weight": (4 * TEXT_WIDTH, TEXT_WIDTH),
    }
    module = build_text_model(shapes, end=end).to_empty(device="cpu")
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.1)
    return module


def vocabulary() -> dict[str, int]:
    """A token for every letter, within and at the end of a word, and the two special ones."""
    letters = string.ascii_lowercase
    tokens = [*letters, *(letter + "</w>" for letter in letters), START, END]
    return {token: number for number, token in enumerate(tokens)}


def _declared(space: str) -> dict[str, str]:
    stated = {"id": space, "title": space.title(), "channels": 4, "downscale": 8, "scale": 0.5}
    return {"latent_loom.latent_space": json.dumps(stated)}


def _save(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path
