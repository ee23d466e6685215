"""Checkpoints of a few megabytes with random weights, in the layouts of SD 2.x and SDXL."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusion.controlnet import ControlNet
from diffusion.spaces import LATENT_SPACES
from diffusion.text import build_text_model
from diffusion.unet import UNet, UNetConfig
from tests.helpers.tiny_model import END, LENGTH, vae_module, vocabulary

POOLED = 48
"""The length of the vector that OpenCLIP's projection makes, unlike its width."""


@dataclass(frozen=True)
class Tiny:
    """What a family's small checkpoint is made of: its UNet, and each text encoder's place.

    `encoders` maps an encoder's id to its prefix, its width and whether it is in OpenCLIP's layout.
    """

    latent: str
    text: str
    unet: UNetConfig
    encoders: dict[str, tuple[str, int, bool]]


def _unet(context: int, **sizes: object) -> UNetConfig:
    common = {
        "in_channels": 4,
        "out_channels": 4,
        "stem_channels": 32,
        "time_width": 128,
        "context_width": context,
        "channels": (32, 64, 64),
        "depths": (0, 1, 2),
        "middle_depth": 2,
        "residual_blocks": 2,
        "linear_projections": True,
        "head_width": 64,
    }
    return UNetConfig(**{**common, **sizes})  # type: ignore[arg-type]


_FOUR_LEVELS = {"channels": (32, 64, 64, 64), "depths": (0, 1, 1, 0), "middle_depth": 1}
_SD2 = {"channels": (32, 64), "depths": (1, 1), "middle_depth": 1}
_H = {"clip_h": ("cond_stage_model.model.", 64, True)}
_LG = {
    "clip_l": ("conditioner.embedders.0.transformer.", 64, False),
    "clip_g": ("conditioner.embedders.1.model.", 128, True),
}
_G = {"clip_g": ("conditioner.embedders.0.model.", 128, True)}
_SD1 = {
    "stem_channels": 320, "channels": (320, 64), "depths": (1, 0), "middle_depth": 1,
    "residual_blocks": 1, "linear_projections": False, "heads": 8, "head_width": None,
}  # fmt: skip
_SIZES, _FIVE = POOLED + 6 * 256, POOLED + 5 * 256

STEERED = _unet(768, **_SD1)
"""As small as a UNet can be whose ControlNets are recognised as those of SD 1.x."""

TINY = {
    "sd1": Tiny("sd1", "sd1", STEERED, {"clip_l": ("cond_stage_model.transformer.", 768, False)}),
    "sd2": Tiny("sd1", "sd2", _unet(64, **_SD2), _H),
    "sd2_inpaint": Tiny("sd1", "sd2", _unet(64, **_SD2, in_channels=9), _H),
    "sd2_depth": Tiny("sd1", "sd2", _unet(64, **_SD2, in_channels=5), _H),
    "sdxl": Tiny("sdxl", "sdxl", _unet(192, vector_width=_SIZES), _LG),
    "sdxl_inpaint": Tiny("sdxl", "sdxl", _unet(192, vector_width=_SIZES, in_channels=9), _LG),
    "sdxl_edit": Tiny("sdxl", "sdxl", _unet(192, vector_width=_SIZES, in_channels=8), _LG),
    "sdxl_refiner": Tiny(
        "sdxl", "sdxl_refiner", _unet(128, vector_width=_FIVE, **_FOUR_LEVELS), _G
    ),
}


def tiny_family(
    path: Path,
    name: str,
    *,
    markers: tuple[str, ...] = (),
    metadata: dict[str, str] | None = None,
    overwrite: dict[str, Tensor] | None = None,
) -> Path:
    """A checkpoint of that row of `TINY`.

    `markers` are empty tensors beside it, `overwrite` are tensors in the place of random ones.
    """
    torch.manual_seed(0)
    tiny = TINY[name]
    tensors = {marker: torch.zeros(0) for marker in markers}
    tensors |= _under("model.diffusion_model.", UNet(tiny.unet).state_dict())
    tensors |= _under("first_stage_model.", vae_module().state_dict())
    for prefix, width, open_clip in tiny.encoders.values():
        state = text_module(width, POOLED if open_clip else None).state_dict()
        tensors |= _under(prefix, open_clip_layout(state) if open_clip else state)
    tensors |= overwrite or {}
    said = {
        "latent_loom.latent_space": json.dumps(_latent(tiny.latent)),
        "latent_loom.text_space": json.dumps({"id": tiny.text}),
        "latent_loom.tokenizer": tokenizer(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.contiguous() for key, value in tensors.items()},
        path,
        {**said, **(metadata or {})},
    )
    return path


def tiny_controlnet(path: Path) -> Path:
    """One for the row "sd1" of `TINY`, with random weights in the place of published zeros."""
    torch.manual_seed(2)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(ControlNet(STEERED).state_dict(), path)
    return path


def tokenizer() -> str:
    """The small vocabulary, as a file's metadata hold it."""
    return json.dumps({"vocab": vocabulary(), "merges": []})


def text_module(width: int, pooled: int | None, layers: int = 3) -> nn.Module:
    """A CLIP text model with random weights."""
    words = vocabulary()
    prefix = "text_model."
    shapes = {
        f"{prefix}embeddings.token_embedding.weight": (len(words), width),
        f"{prefix}embeddings.position_embedding.weight": (LENGTH, width),
    }
    for layer in range(layers):
        shapes[f"{prefix}encoder.layers.{layer}.mlp.fc1.weight"] = (2 * width, width)
    if pooled:
        shapes["text_projection.weight"] = (pooled, width)
    module = build_text_model(shapes, end=words[END]).to_empty(device="cpu")
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.2)
    return module


def open_clip_layout(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A text model's tensors under OpenCLIP's names, the reverse of what the product does."""
    inner = "text_model."
    made = {
        "positional_embedding": state[f"{inner}embeddings.position_embedding.weight"],
        "token_embedding.weight": state[f"{inner}embeddings.token_embedding.weight"],
        "text_projection": state["text_projection.weight"].T,
        "logit_scale": torch.tensor(4.6),
    }
    for kind in ("weight", "bias"):
        made[f"ln_final.{kind}"] = state[f"{inner}final_layer_norm.{kind}"]
        for layer in range(sum(name.endswith("mlp.fc1.weight") for name in state)):
            theirs, ours = f"transformer.resblocks.{layer}.", f"{inner}encoder.layers.{layer}."
            made[f"{theirs}attn.in_proj_{kind}"] = torch.cat(
                [state[f"{ours}self_attn.{letter}_proj.{kind}"] for letter in "qkv"]
            )
            made[f"{theirs}attn.out_proj.{kind}"] = state[f"{ours}self_attn.out_proj.{kind}"]
            made[f"{theirs}ln_1.{kind}"] = state[f"{ours}layer_norm1.{kind}"]
            made[f"{theirs}ln_2.{kind}"] = state[f"{ours}layer_norm2.{kind}"]
            made[f"{theirs}mlp.c_fc.{kind}"] = state[f"{ours}mlp.fc1.{kind}"]
            made[f"{theirs}mlp.c_proj.{kind}"] = state[f"{ours}mlp.fc2.{kind}"]
    return made


def _latent(id_: str) -> dict[str, object]:
    space = LATENT_SPACES[id_]
    return {
        "id": id_,
        "channels": space.channels,
        "downscale": space.downscale,
        "scale": space.scale,
        "shift": space.shift,
    }


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}
