"""Train the starter's UNet and text encoder together on encoded pictures and their captions."""

import argparse
import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from diffusion.unet import UNet, UNetConfig
from starter import latents, text
from starter.captions import caption
from starter.optimiser import Muon
from starter.scenes import turned
from starter.training import (
    RUNS,
    Average,
    Budget,
    load_state,
    report,
    save_state,
    training_device,
)

CONFIG = UNetConfig(
    in_channels=4,
    out_channels=4,
    stem_channels=64,
    time_width=256,
    context_width=text.WIDTH,
    channels=(64, 128, 160),
    depths=(0, 1, 1),  # attention at the picture's full 16x16 latent costs more than it teaches
    middle_depth=1,
    residual_blocks=1,
    linear_projections=False,
    heads=4,
    norm_groups=8,
)
BATCH = 64
RATE = 4e-3
EMPTY_CAPTIONS = 0.1
STATE = RUNS / "unet.pt"


class Pair(nn.Module):
    """The two parts that are trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = UNet(CONFIG)
        self.text = text.new_encoder()


@dataclass(frozen=True)
class Space:
    """How raw latents become model-space ones: (raw - shift) * scale, about unit variance."""

    shift: Tensor  # (4,)
    scale: float

    @classmethod
    def of(cls, raw: Tensor) -> Self:
        """The numbers measured on raw latents (n, 4, height, width)."""
        shift = raw.float().mean(dim=(0, 2, 3))
        deviation = (raw.float() - shift[:, None, None]).std()
        return cls(shift, round(float(1 / deviation), 5))

    def to_model(self, raw: Tensor) -> Tensor:
        return (raw.float() - self.shift[:, None, None]) * self.scale

    def to_raw(self, model: Tensor) -> Tensor:
        return model / self.scale + self.shift[:, None, None]


def noise_levels() -> Tensor:
    """σ of the 1,000 timesteps of Stable Diffusion: √β linear from √0.00085 to √0.012."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = torch.cumprod(1 - betas, dim=0)
    return ((1 - kept) / kept).sqrt().float()


def loss_weights(sigmas: Tensor) -> Tensor:
    """Weights of the squared noise error, by noise level.

    At low noise min-SNR-5 (Hang et al. 2023, equation 8); at high noise the error in the picture
    that the noise error stands for counts, as in v-prediction (Salimans & Ho 2022, appendix D),
    up to a limit: flat backgrounds are decided there, and plain noise loss hardly sees them.
    """
    snr = sigmas**-2
    return torch.clamp(5 / snr, max=1) * torch.clamp(1 + sigmas**2, max=30)


def initialise(pair: Pair) -> None:
    """Signal-preserving weights, and every residual branch beginning at zero."""
    for module in pair.unet.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for name, weight in pair.unet.named_parameters():
        last = ("out_layers.3.weight", "proj_out.weight", "out.2.weight")
        if name.endswith(last) or name == "out.2.weight":
            nn.init.zeros_(weight)


class Data:
    """Batches of model-space latents and captions; new shards join while they are encoded."""

    def __init__(self) -> None:
        self.raw = latents.load_shards()
        self.space = Space.of(self.raw[: 4 * latents.SHARD])

    def refresh(self) -> None:
        if latents.shard_path(len(self.raw) // latents.SHARD).exists():
            self.raw = latents.load_shards()

    def batch(
        self, rng: random.Random, size: int, reversed_share: float
    ) -> tuple[Tensor, list[str]]:
        """Latents (size, 4, 16, 16) and their captions, of which this share says right or below."""
        numbers = [rng.randrange(len(self.raw)) for _ in range(size)]
        captions = []
        for number in numbers:
            scene = latents.numbered_scene(number)
            if (scene.relation in ("right of", "below")) != (rng.random() < reversed_share):
                scene = turned(scene)
            captions.append("" if rng.random() < EMPTY_CAPTIONS else caption(scene, rng))
        return self.space.to_model(self.raw[numbers]), captions


def reversed_share(progress: float) -> float:
    """How many captions of two things say "right of" or "below", by the training's progress.

    None at first: with all four relations at once neither the order of the words nor the relation
    tells by itself which thing is where, and the model learns neither. The first half of training
    teaches "the first one is left or above", the second half when to turn that round.
    """
    return 0.0 if progress < 0.5 else 0.3


def loss_of(
    pair: Pair, x: Tensor, captions: list[str], sigmas: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The weighted loss, and the plain noise loss of each quarter of the timesteps, low first."""
    # one timestep from each of equal slices of 0…999: every batch covers all noise levels
    size = len(x)
    slices = (torch.arange(size) + torch.rand(size, generator=generator)) / size
    steps = (slices * 1000).long().clamp(max=999)
    weights = loss_weights(sigmas[steps]).to(x.device)
    sigma = sigmas[steps][:, None, None, None].to(x.device)
    noise = torch.randn(x.shape, generator=generator).to(x.device)
    noisy = (x + sigma * noise) / (1 + sigma**2).sqrt()
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        context = text.encode(pair.text, captions)
        predicted = pair.unet(noisy, steps.to(x.device), context).float()
    squared = (predicted - noise).square().mean(dim=(1, 2, 3))  # (batch,)
    return (weights * squared).mean(), squared.detach().unflatten(0, (4, -1)).mean(1)


def attention_for(device: torch.device) -> AbstractContextManager[None]:
    """On a processor the plain form is faster than the fused one, for heads this small."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def train(minutes: float, steps: int | None, seed: int = 1) -> None:
    """Trains, or goes on training; the state lies in starter/runs."""
    text.quiet()
    torch.manual_seed(seed)
    pair = Pair()
    initialise(pair)
    device = training_device()
    pair.to(device)
    average = Average(pair, decay=0.998)
    others = ("unet.input_blocks.0.0", "unet.out.2", "text.embeddings")
    optimiser = Muon(pair, others=others)
    budget = Budget(minutes, steps)
    data = Data()
    if state := load_state(STATE):
        _restore(state, pair, average, optimiser, budget, data)
    report(f"{sum(p.numel() for p in pair.parameters()) / 1e6:.2f} M parameters")
    sigmas = noise_levels()
    smooth: Tensor | None = None
    while budget.progress < 1:
        rng = random.Random(f"unet {seed} {budget.step}")
        generator = torch.Generator().manual_seed(seed * 1_000_003 + budget.step)
        x, captions = data.batch(rng, BATCH, reversed_share(budget.progress))
        with attention_for(device):
            loss, parts = loss_of(pair, x.to(device), captions, sigmas, generator)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(pair.parameters(), 1.0)
        optimiser.step(budget.rate(RATE))
        budget.advance()
        average.update(pair, budget.step)
        now = torch.tensor([float(loss.detach()), *parts.tolist()])
        smooth = now if smooth is None else smooth.lerp(now, 0.02)
        if budget.step % 50 == 0:
            data.refresh()
            levels = " ".join(f"{value:.4f}" for value in smooth[1:].tolist())
            report(
                f"unet step {budget.step} {budget.seconds:.0f}s loss {smooth[0]:.4f} "
                f"noise loss by quarter {levels} ({len(data.raw)} pictures)"
            )
        if budget.step % 250 == 0:
            _save(pair, average, optimiser, budget, data)
    _save(pair, average, optimiser, budget, data)
    report(f"unet done: {budget.step} steps, {budget.seconds:.0f}s")


def _save(pair: Pair, average: Average, optimiser: Muon, budget: Budget, data: Data) -> None:
    state: dict[str, Any] = {
        "pair": pair.state_dict(),
        "average": average.module.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": budget.step,
        "seconds": budget.seconds,
        "shift": data.space.shift,
        "scale": data.space.scale,
    }
    save_state(STATE, state)


def _restore(
    state: dict[str, Any],
    pair: Pair,
    average: Average,
    optimiser: Muon,
    budget: Budget,
    data: Data,
) -> None:
    pair.load_state_dict(state["pair"])
    average.module.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    budget.step, budget.seconds = state["step"], state["seconds"]
    data.space = Space(state["shift"], state["scale"])


def load(path: Path = STATE) -> tuple[Pair, dict[str, Any]]:
    """The averaged weights of the training so far, and the state they came in."""
    state = load_state(path)
    if state is None:
        raise FileNotFoundError("The UNet is not trained yet: run python -m starter.train_unet")
    pair = Pair()
    pair.load_state_dict(state["average"])
    return pair.eval().requires_grad_(False), state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--steps", type=int, default=None, help="instead of minutes")
    asked = parser.parse_args()
    train(asked.minutes, asked.steps)


if __name__ == "__main__":
    main()
