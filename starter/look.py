"""Sample pictures from a training's state and lay them out on one sheet, to see how it goes."""

import argparse
import random
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from diffusion.vae import AutoencoderKL
from starter import text, train_unet, train_vae
from starter.captions import plain_caption
from starter.scenes import random_scene

PROMPTS = (
    "a large red circle on a white background",
    "a green star left of a yellow square on a black background",
    "a small blue heart on a yellow background",
    "red circle, white background",
    "a purple triangle above an orange ring on a grey background",
    "a striped red square on a blue background",
    "a white moon on a blue background",
    "an orange cross below a pink diamond on a green background",
)


def denoise(
    predict: Callable[[Tensor, Tensor, Tensor], Tensor],
    context: Tensor,
    empty: Tensor,
    *,
    seed: int,
    steps: int = 20,
    cfg: float = 4.0,
) -> Tensor:
    """Model-space latents (batch, 4, 16, 16) by deterministic DDIM.

    Song et al. 2021, equation 12 with η = 0, in the form of Euler steps along σ.
    """
    sigmas = train_unet.noise_levels()
    times = torch.linspace(999, 0, steps).round().long()
    levels = torch.cat([sigmas[times], torch.zeros(1)])
    size = len(context)
    noise = [
        torch.randn(4, 16, 16, generator=torch.Generator().manual_seed(seed + index))
        for index in range(size)
    ]
    x = torch.stack(noise) * levels[0]
    contexts = torch.cat([empty.expand(size, -1, -1), context])
    for index, time in enumerate(times):
        sigma, following = levels[index], levels[index + 1]
        scaled = x / (1 + sigma**2).sqrt()
        both = predict(torch.cat([scaled, scaled]), time.expand(2 * size), contexts)
        without, with_text = both.chunk(2)
        x = x + (following - sigma) * (without + cfg * (with_text - without))
    return x


@torch.no_grad()
def pictures(prompts: list[str], *, seed: int = 0, steps: int = 20, cfg: float = 4.0) -> Tensor:
    """Pictures (batch, 3, 128, 128) in -1…1 from the training's averaged weights so far."""
    pair, state = train_unet.load()
    vae: AutoencoderKL = train_vae.load("vae-starter")
    context = text.encode(pair.text, prompts)
    empty = text.encode(pair.text, [""])
    x = denoise(pair.unet, context, empty, seed=seed, steps=steps, cfg=cfg)
    raw = train_unet.Space(state["shift"], state["scale"]).to_raw(x)
    return vae.decode(raw).clamp(-1, 1)


def sheet(batch: Tensor, columns: int = 8) -> Image.Image:
    """Pictures (batch, 3, height, width) in -1…1 side by side in rows."""
    rows = []
    for start in range(0, len(batch), columns):
        row = torch.cat([*batch[start : start + columns]], dim=2)  # (3, height, columns * width)
        missing = columns * batch.shape[3] - row.shape[2]
        rows.append(torch.nn.functional.pad(row, (0, missing), value=1))
    pixels = torch.cat(rows, dim=1).add(1).mul(127.5).round().byte().permute(1, 2, 0)
    return Image.fromarray(pixels.numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the PNG to write")
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--unseen", type=int, default=16, help="further prompts, never trained on")
    asked = parser.parse_args()
    text.quiet()
    rng = random.Random(7)
    prompts = [*PROMPTS]
    prompts += [plain_caption(random_scene(rng, held_out=True)) for _ in range(asked.unseen)]
    for index, prompt in enumerate(prompts):
        print(index, prompt)
    sheet(pictures(prompts, cfg=asked.cfg)).save(asked.out)


if __name__ == "__main__":
    main()
