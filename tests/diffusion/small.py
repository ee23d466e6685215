"""A small model with SD 1.x's architecture, written as a real checkpoint file."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.text import build_text_model
from diffusion.unet import UNet, UNetConfig
from diffusion.vae import AutoencoderKL, VaeConfig

SPACE = {
    "id": "small",
    "title": "Small",
    "short": "SM",
    "channels": 4,
    "downscale": 4,
    "scale": 0.5,
    "shift": 0.25,
}
HEADS, GROUPS = 2, 8
UNET = UNetConfig(
    in_channels=4,
    out_channels=4,
    stem_channels=16,
    time_width=64,
    context_width=24,
    channels=(16, 32),
    depths=(0, 1),
    middle_depth=1,
    residual_blocks=1,
    linear_projections=False,
    heads=HEADS,
    norm_groups=GROUPS,
)
VAE = VaeConfig(
    pixel_channels=3,
    stem_channels=16,
    channels=(16, 16, 32),
    encoder_blocks=1,
    decoder_blocks=2,
    latent_channels=4,
    quantised_channels=4,
    norm_groups=GROUPS,
)
WORDS = {
    **{f"{letter}</w>": number for number, letter in enumerate("abcdefgh")},
    **{letter: 8 + number for number, letter in enumerate("abcdefgh")},
    "<|startoftext|>": 16,
    "<|endoftext|>": 17,
}
METADATA = {
    "latent_loom.latent_space": json.dumps(SPACE),
    "latent_loom.text_space": json.dumps({"id": "small", "title": "Small", "short": "SM"}),
    "latent_loom.tokenizer": json.dumps({"vocab": WORDS, "merges": []}),
    "latent_loom.architecture": json.dumps(
        {
            "unet": {"heads": HEADS, "norm_groups": GROUPS},
            "vae": {"norm_groups": GROUPS},
            "clip": {"heads": 3, "activation": "gelu"},
        }
    ),
}


def random_weights(module: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Weights of a size that keeps activations about 1, with the same numbers for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, tensor in module.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        fan = max(1, tensor[0].numel()) if tensor.ndim else 1
        weights[name] = 1 + 0.1 * noise if "norm" in name else noise / fan**0.5
    return weights


def text_weights() -> dict[str, Tensor]:
    width = 24
    layer = {
        **{f"self_attn.{part}_proj.weight": (width, width) for part in ("q", "k", "v", "out")},
        **{f"self_attn.{part}_proj.bias": (width,) for part in ("q", "k", "v", "out")},
        "mlp.fc1.weight": (48, width),
        "mlp.fc1.bias": (48,),
        "mlp.fc2.weight": (width, 48),
        "mlp.fc2.bias": (width,),
        **{f"layer_norm{n}.{part}": (width,) for n in (1, 2) for part in ("weight", "bias")},
    }
    shapes: dict[str, tuple[int, ...]] = {
        "text_model.embeddings.token_embedding.weight": (18, width),
        "text_model.embeddings.position_embedding.weight": (16, width),
        **{f"text_model.encoder.layers.0.{name}": shape for name, shape in layer.items()},
        "text_model.final_layer_norm.weight": (width,),
        "text_model.final_layer_norm.bias": (width,),
    }
    module = build_text_model(shapes, heads=3)
    return random_weights(module)


def small_vae(seed: int = 0) -> dict[str, Tensor]:
    return random_weights(AutoencoderKL(VAE), seed)


def write_checkpoint(path: Path, metadata: dict[str, str] | None = None) -> dict[str, Tensor]:
    """Write the checkpoint; gives its float32 tensors by their names in the file."""
    tensors = {
        **_under("model.diffusion_model.", random_weights(UNet(UNET))),
        **_under("first_stage_model.", small_vae()),
        **_under("cond_stage_model.transformer.", text_weights()),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    extra = {"cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(16)}
    save_file({**tensors, **extra}, path, METADATA if metadata is None else metadata)
    return tensors


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor.contiguous() for name, tensor in tensors.items()}
