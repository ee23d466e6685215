"""Train a small KL-VAE on drawn pictures: pixels to 4-channel latents of an eighth of the size."""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.vae import AutoencoderKL, ResidualBlock, VaeConfig, sample_posterior
from starter.optimiser import Muon
from starter.pictures import draw
from starter.scenes import random_scene
from starter.training import RUNS, Budget, load_state, report, save_state, training_device

CONFIG = VaeConfig(
    pixel_channels=3,
    stem_channels=16,
    channels=(16, 32, 64, 128),
    encoder_blocks=1,
    decoder_blocks=2,
    latent_channels=4,
    quantised_channels=4,
    norm_groups=8,  # 32 groups of one channel each would wipe out a flat picture's level
)
RATE = 2e-3
WHOLE_FROM = 0.6  # progress from which training sees whole pictures only
KL_WEIGHT = 1e-4  # per latent element, beside the mean loss per pixel


def batch(rng: random.Random, step: int, progress: float) -> Tensor:
    """A batch for training: mostly crops at first, for speed, and whole pictures at the end."""
    if progress >= WHOLE_FROM:
        return picture_batch(rng, 4)
    if step % 4 == 0:
        return picture_batch(rng, 2)
    crops = []
    for picture in picture_batch(rng, 8):
        left, top = rng.randrange(65), rng.randrange(65)
        crops.append(picture[:, top : top + 64, left : left + 64])
    return torch.stack(crops)


def initialise(vae: AutoencoderKL) -> None:
    """Weights that carry a picture's colours through the whole trunk from the first step.

    torch's default shrinks a signal at every convolution, and a VAE's trunk has no norms to
    restore it: training would spend its first thousand steps on that alone.
    """
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    for module in vae.modules():
        if isinstance(module, ResidualBlock):  # begins as the identity
            nn.init.zeros_(module.conv2.weight)
    with torch.no_grad():  # the posterior begins narrow, so that the decoder sees the mean
        vae.quant_conv.weight[CONFIG.latent_channels :] *= 0.1
        vae.quant_conv.bias[CONFIG.latent_channels :] = -6.0  # type: ignore[index]


def picture_batch(rng: random.Random, size: int, *, held_out: bool = False) -> Tensor:
    """Fresh pictures, float32 (size, 3, 128, 128) in -1…1."""
    drawn = [draw(random_scene(rng, held_out=held_out), rng) for _ in range(size)]
    pixels = torch.from_numpy(np.stack(drawn))  # (size, 128, 128, 3)
    return pixels.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def loss_of(vae: AutoencoderKL, pixels: Tensor, generator: torch.Generator) -> tuple[Tensor, float]:
    """The training loss, and the mean squared error inside it."""
    with torch.autocast(pixels.device.type, dtype=torch.bfloat16):
        moments = vae.moments(pixels)
        moments = type(moments)(moments.mean.float(), moments.log_variance.float())
        decoded = vae.decode(sample_posterior(moments, generator)).float()
    squared = functional.mse_loss(decoded, pixels)
    absolute = functional.l1_loss(decoded, pixels)
    # Kingma & Welling 2014, equation 10, per element
    divergence = 0.5 * (
        moments.mean.square() + moments.log_variance.exp() - 1 - moments.log_variance
    )
    return squared + absolute + KL_WEIGHT * divergence.mean(), float(squared.detach())


@torch.no_grad()
def psnr(vae: AutoencoderKL, pixels: Tensor) -> float:
    """Mean over pictures of the round trip's peak signal-to-noise ratio, in dB."""
    decoded = vae.decode(vae.encode(pixels)).clamp(-1, 1)
    squared = (decoded - pixels).square().mean(dim=(1, 2, 3))
    return float((10 * torch.log10(4 / squared)).mean())  # peak to peak is 2: 2^2 = 4


def train(name: str, seed: int, minutes: float, steps: int | None) -> AutoencoderKL:
    """Trains, or goes on training, the VAE called `name`; its state lies in starter/runs."""
    torch.manual_seed(seed)
    device = training_device()
    vae = AutoencoderKL(CONFIG)
    initialise(vae)
    vae.to(device)
    optimiser = Muon(vae, others=("encoder.conv_in", "decoder.conv_out"))
    budget = Budget(minutes, steps)
    path = RUNS / f"{name}.pt"
    if state := load_state(path):
        vae.load_state_dict(state["vae"])
        optimiser.load_state_dict(state["optimiser"])
        budget.step, budget.seconds = state["step"], state["seconds"]
    test = picture_batch(random.Random(99), 32, held_out=True).to(device)
    smooth = 0.0
    while budget.progress < 1:
        rng = random.Random(f"{name} {seed} {budget.step}")
        generator = torch.Generator().manual_seed(seed * 1_000_003 + budget.step)
        pixels = batch(rng, budget.step, budget.progress).to(device)
        loss, squared = loss_of(vae, pixels, generator)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step(budget.rate(RATE))
        smooth += (0.05 if budget.step else 1.0) * (float(loss.detach()) - smooth)
        budget.advance()
        if budget.step % 50 == 0:
            report(f"{name} step {budget.step} {budget.seconds:.0f}s {smooth:.4f} {squared:.5f}")
        if budget.step % 250 == 0:
            report(f"{name} step {budget.step} held-out PSNR {psnr(vae, test):.2f} dB")
            _save(path, vae, optimiser, budget)
    _save(path, vae, optimiser, budget)
    report(f"{name} done: {budget.step} steps, {budget.seconds:.0f}s, {psnr(vae, test):.2f} dB")
    return vae


def load(name: str) -> AutoencoderKL:
    """The trained VAE called `name`, from starter/runs, ready to use."""
    state = load_state(RUNS / f"{name}.pt")
    if state is None:
        raise FileNotFoundError(f"{name} is not trained yet: run python -m starter.train_vae first")
    vae = AutoencoderKL(CONFIG)
    vae.load_state_dict(state["vae"])
    return vae.eval().requires_grad_(False)


def _save(path: Path, vae: AutoencoderKL, optimiser: Muon, budget: Budget) -> None:
    save_state(
        path,
        {
            "vae": vae.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": budget.step,
            "seconds": budget.seconds,
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="starter or starter-b")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--steps", type=int, default=None, help="instead of minutes")
    asked = parser.parse_args()
    train(f"vae-{asked.name}", asked.seed, asked.minutes, asked.steps)


if __name__ == "__main__":
    main()
