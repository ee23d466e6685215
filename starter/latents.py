"""Numbered training pictures and their latents, encoded once in shards, for training the UNet."""

import argparse
import os
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.vae import AutoencoderKL
from starter import train_vae
from starter.pictures import draw
from starter.scenes import Scene, random_scene
from starter.training import RUNS, report, training_device

SHARD = 2048  # pictures
SHARDS = 19
FOLDER = RUNS / "latents"


def numbered_scene(number: int) -> Scene:
    """The scene of training picture `number`; the same on every machine."""
    return random_scene(random.Random(f"scene {number}"))


def numbered_picture(number: int) -> NDArray[np.uint8]:
    """Training picture `number`, uint8 (128, 128, 3)."""
    return draw(numbered_scene(number), random.Random(f"picture {number}"))


def pixels_of(pictures: list[NDArray[np.uint8]]) -> Tensor:
    """Pictures as float32 (batch, 3, 128, 128) in -1…1."""
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return stacked.float().div(127.5).sub(1).contiguous()


@torch.no_grad()
def encode_shard(vae: AutoencoderKL, index: int) -> Tensor:
    """Raw latents, float16 (SHARD, 4, 16, 16), of the pictures of shard `index`."""
    parts = []
    for start in range(index * SHARD, (index + 1) * SHARD, 16):
        pixels = pixels_of([numbered_picture(number) for number in range(start, start + 16)])
        pixels = pixels.to(next(vae.parameters()).device)
        with torch.autocast(pixels.device.type, dtype=torch.bfloat16):
            parts.append(vae.encode(pixels).half().cpu())
    return torch.cat(parts)


def shard_path(index: int) -> Path:
    return FOLDER / f"{index:03d}.pt"


def load_shards() -> Tensor:
    """All latents encoded so far, float16 (n, 4, 16, 16), shard 0 first."""
    shards = []
    while shard_path(len(shards)).exists():
        shards.append(torch.load(shard_path(len(shards)), weights_only=True))
    if not shards:
        raise FileNotFoundError("No latents yet: run python -m starter.latents first.")
    return torch.cat(shards)


def encode(shards: Iterable[int]) -> None:
    """Encodes the shards that are not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    vae = train_vae.load("vae-starter").to(training_device())
    for index in shards:
        if shard_path(index).exists():
            continue
        part = shard_path(index).with_suffix(f".{os.getpid()}.part")
        torch.save(encode_shard(vae, index), part)
        os.replace(part, shard_path(index))
        report(f"encoded shard {index}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=SHARDS)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    encode(range(asked.first, asked.shards))


if __name__ == "__main__":
    main()
