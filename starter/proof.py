"""Prove the shipped starter model: prompts never trained on, measured by pixels, through the app's
own engine.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from diffusion.engine import Engine
from diffusion.sample import sample
from starter.captions import plain_caption
from starter.export import CHECKPOINT, SECOND_VAE
from starter.measure import Verdict, judge, unseen_scenes
from starter.pictures import draw
from starter.scenes import RELATIONS, Scene, random_scene

STEPS = 20  # this and the next three as in workflows/text-to-image.json
CFG = 4.0
SAMPLER = "dpmpp_2m"
SCHEDULE = "karras"
BATCH = 10


class Tokens(NamedTuple):
    """A conditioning of several prompts at once, (batch, tokens, width)."""

    tokens: Tensor


class Shown(NamedTuple):
    """A prompt's scene and the picture that the model made of it, uint8 (128, 128, 3)."""

    scene: Scene
    picture: NDArray[np.uint8]
    verdict: Verdict


def show(
    engine: Engine,
    scenes: list[Scene],
    *,
    cfg: float = CFG,
    sampler: str = SAMPLER,
    schedule: str = SCHEDULE,
) -> Iterator[Shown]:
    """Samples each scene's plain caption, picture k from seed k, and judges the pictures."""
    denoiser, vae = engine.denoiser(CHECKPOINT), engine.vae(CHECKPOINT)
    encoder = engine.text_encoder(CHECKPOINT)
    empty = encoder.encode("")
    for start in range(0, len(scenes), BATCH):
        part = scenes[start : start + BATCH]
        prompts = [plain_caption(scene) for scene in part]
        positive = Tokens(torch.cat([encoder.encode(prompt).tokens for prompt in prompts]))
        latent = torch.zeros(len(part), 4, 16, 16)
        for progress in sample(
            denoiser,
            latent,
            positive,
            empty,
            seed=start,
            steps=STEPS,
            cfg=cfg,
            sampler=sampler,
            schedule=schedule,
        ):
            if progress.latent is not None:
                latent = progress.latent
        pictures = vae.decode(latent).mul(255).round().byte().numpy()
        for scene, picture in zip(part, pictures, strict=True):
            yield Shown(scene, picture, judge(picture, scene))


def unseen_pictures(number: int) -> Tensor:
    """Drawn pictures never trained on, float32 (number, 128, 128, 3) in 0…1."""
    rng = random.Random("proof of the VAE")
    drawn = [draw(random_scene(rng, held_out=True), rng) for _ in range(number)]
    return torch.from_numpy(np.stack(drawn)).float() / 255


def psnr(pictures: Tensor, others: Tensor) -> float:
    """Mean over pictures in 0…1 of the peak signal-to-noise ratio, in dB."""
    squared = (pictures - others).square().flatten(1).mean(dim=1)
    return float((-10 * torch.log10(squared)).mean())


def round_trip(engine: Engine, number: int, path: Path = CHECKPOINT) -> float:
    """PSNR in dB of unseen pictures that were encoded and decoded."""
    vae, pictures = engine.vae(path), unseen_pictures(number)
    return psnr(vae.decode(vae.encode(pictures)), pictures)


def wrong_vae(engine: Engine, number: int) -> float:
    """PSNR in dB of starter latents decoded by starter-b's VAE, against the right pictures."""
    raw = engine.vae(CHECKPOINT).encode(unseen_pictures(number))
    right, wrong = (engine.vae(path).decode(raw) for path in (CHECKPOINT, SECOND_VAE))
    return psnr(wrong, right)


def seconds_of_one(engine: Engine) -> float:
    """Seconds for one picture of 20 steps with everything loaded, prompt to pixels."""
    scenes = unseen_scenes(1)
    list(show(engine, scenes))  # loads
    begin = time.perf_counter()
    list(show(engine, scenes))
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--cfg", type=float, default=CFG)
    parser.add_argument("--sampler", default=SAMPLER)
    parser.add_argument("--schedule", default=SCHEDULE)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--sheet", type=Path, help="a PNG of all pictures")
    asked = parser.parse_args()
    engine = Engine(device="cpu", precision=asked.precision)
    options = {"cfg": asked.cfg, "sampler": asked.sampler, "schedule": asked.schedule}
    shown = list(show(engine, unseen_scenes(asked.pictures), **options))
    for index, item in enumerate(shown):
        if not item.verdict.colours or item.verdict.order is False:
            print(f"{index}: {plain_caption(item.scene)}: {item.verdict}")
    verdicts = [item.verdict for item in shown]
    pairs = [verdict for verdict in verdicts if verdict.order is not None]
    shapes = [right for verdict in verdicts for right in verdict.shapes]
    print(f"{asked.sampler} {asked.schedule}, cfg {asked.cfg}, {STEPS} steps, {engine.describe()}")
    print(f"shape and background colours right: {sum(v.colours for v in verdicts)}/{len(verdicts)}")
    print(f"order right: {sum(bool(v.order) for v in pairs)}/{len(pairs)}")
    for relation in RELATIONS:
        orders = [s.verdict.order for s in shown if s.scene.relation == relation]
        print(f"  {relation}: {sum(map(bool, orders))}/{len(orders)}")
    print(f"shapes right by best outline: {sum(shapes)}/{len(shapes)}")
    print(f"VAE round trip: {round_trip(engine, 64):.2f} dB")
    if SECOND_VAE.exists():
        print(f"starter-b round trip: {round_trip(engine, 64, SECOND_VAE):.2f} dB")
        print(f"starter latents through starter-b: {wrong_vae(engine, 64):.2f} dB")
    print(f"one picture: {seconds_of_one(engine):.2f} s on {torch.get_num_threads()} threads")
    if asked.sheet:
        rows = [
            np.concatenate([item.picture for item in shown[start : start + 10]], axis=1)
            for start in range(0, len(shown) // 10 * 10, 10)
        ]
        Image.fromarray(np.concatenate(rows)).save(asked.sheet)


if __name__ == "__main__":
    main()
