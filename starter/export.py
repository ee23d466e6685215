"""Write the trained parts as model files: one checkpoint in SD 1.x's layout, and a VAE alone."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from diffusion.vae import AutoencoderKL
from starter import latents, text, train_unet, train_vae
from starter.train_unet import Space
from starter.vocabulary import vocabulary

MODELS = Path(__file__).parents[1] / "models"
CHECKPOINT = MODELS / "checkpoints" / "starter.safetensors"
SECOND_VAE = MODELS / "vae" / "starter-b.safetensors"

UNET = "model.diffusion_model."
VAE = "first_stage_model."
TEXT = "cond_stage_model.transformer.text_model."


def export_checkpoint(path: Path) -> None:
    """The averaged UNet and text encoder of the training so far, and the VAE, in half precision."""
    pair, state = train_unet.load()
    vae = train_vae.load("vae-starter")
    tensors = {
        **_named(pair.unet, UNET),
        **_named(vae, VAE),
        **_named(pair.text, TEXT),
    }
    space = Space(state["shift"], state["scale"])
    architecture = {
        "unet": {
            "heads": train_unet.CONFIG.heads,
            "norm_groups": train_unet.CONFIG.norm_groups,
        },
        "vae": {"norm_groups": train_vae.CONFIG.norm_groups},
        "clip": {"heads": text.HEADS, "activation": "quick_gelu"},
    }
    metadata = {
        "latent_loom.latent_space": latent_space("starter", "Starter", space, vae),
        "latent_loom.text_space": {"id": "starter", "title": "Starter", "short": "Starter"},
        "latent_loom.architecture": architecture,
        "latent_loom.tokenizer": vocabulary(),
        "modelspec.title": "Starter",
        "modelspec.description": "Latent Loom's starter: coloured shapes, 128x128, on any machine.",
        "modelspec.prediction_type": "epsilon",
        "modelspec.resolution": "128x128",
        "latent_loom.training": f"{state['step']} steps, {state['seconds']:.0f} s",
    }
    _save(tensors, metadata, path)


def export_second_vae(path: Path) -> None:
    """The VAE of the other seed: equal shapes, another latent space."""
    vae = train_vae.load("vae-starter-b")
    raw = torch.cat([_encode(vae, start) for start in range(0, 256, 32)])
    metadata = {
        "latent_loom.latent_space": latent_space("starter-b", "Starter B", Space.of(raw), vae),
        "latent_loom.architecture": {"vae": {"norm_groups": train_vae.CONFIG.norm_groups}},
        "modelspec.title": "Starter B VAE",
        "modelspec.description": "A VAE of the starter's shape that speaks another latent space.",
    }
    _save(_named(vae, ""), metadata, path)


def latent_space(id_: str, title: str, space: Space, vae: AutoencoderKL) -> dict[str, Any]:
    """The declaration of a latent space, with the linear map from its latents to colours."""
    pixels = latents.pixels_of([latents.numbered_picture(number) for number in range(256)])
    model = space.to_model(torch.cat([_encode(vae, start) for start in range(0, 256, 32)]))
    small = functional.avg_pool2d(pixels, 8)  # (256, 3, 16, 16), in -1…1
    inputs = torch.cat([model, torch.ones_like(model[:, :1])], dim=1)
    solution = torch.linalg.lstsq(_columns(inputs), _columns(small)).solution  # (4 + 1, 3)
    rows = [[round(value, 4) for value in row] for row in solution.tolist()]
    return {
        "id": id_,
        "title": title,
        "short": title,
        "channels": 4,
        "downscale": 8,
        "scale": space.scale,
        "shift": [round(value, 4) for value in space.shift.tolist()],
        "rgb_factors": rows[:-1],
        "rgb_bias": rows[-1],
    }


def _encode(vae: AutoencoderKL, start: int, number: int = 32) -> Tensor:
    """Raw latents, float32, of `number` training pictures from `start` on."""
    pictures = [latents.numbered_picture(index) for index in range(start, start + number)]
    with torch.no_grad():
        return vae.encode(latents.pixels_of(pictures))


def _columns(batch: Tensor) -> Tensor:
    """(batch, channels, height, width) as one row per pixel, (pixels, channels)."""
    return batch.movedim(1, -1).flatten(0, 2)


def _named(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {
        prefix + name: tensor.half().contiguous() for name, tensor in module.state_dict().items()
    }


def _save(tensors: dict[str, Tensor], metadata: dict[str, Any], path: Path) -> None:
    strings = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in metadata.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata=strings)
    os.replace(part, path)
    print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB, {len(tensors)} tensors")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=MODELS, help="the models folder")
    parser.add_argument("--only", choices=("checkpoint", "vae"), help="one of the two files")
    asked = parser.parse_args()
    text.quiet()
    if asked.only != "vae":
        export_checkpoint(asked.folder / "checkpoints" / CHECKPOINT.name)
    if asked.only != "checkpoint":
        export_second_vae(asked.folder / "vae" / SECOND_VAE.name)


if __name__ == "__main__":
    main()
