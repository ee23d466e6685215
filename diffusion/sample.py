"""Make a latent: noise it, walk it down the levels with guidance, and give it back raw.

for progress in sample(denoiser, latent, positive, negative, seed=7, steps=20, cfg=7.0,
                       sampler="euler", schedule="normal"):
    ...
progress.latent  # the result
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from diffusion.denoiser import Denoiser
from diffusion.guidance import Between, Estimates, Guided, Prompt, guided, nothing
from diffusion.levels import NoiseLevels
from diffusion.noise import Noise, Scheme, StepNoise
from diffusion.samplers import SAMPLERS, Sampler
from diffusion.schedules import sigmas_for


class Progress(NamedTuple):
    """A run after `step` of `steps` (1-based; 0 of 0 where there was nothing to do).

    `denoised`: the latest estimate, in the model's own scale, what a preview shows. `latent`: the
    raw result, float32 on the CPU, on the last record only; `clean`, likewise, is the estimate,
    which differs from the result where noise is left in it.
    """

    step: int
    steps: int
    sigma: float
    denoised: Tensor
    latent: Tensor | None = None
    clean: Tensor | None = None


class NotFinite(ArithmeticError):
    """A network answered with NaN or infinity."""

    def __init__(self, step: int, steps: int, dtype: torch.dtype) -> None:
        super().__init__(
            f"The model's answer in step {step} of {steps} holds numbers that are not finite "
            f"(NaN), so there is no picture. It computes in {str(dtype).removeprefix('torch.')}: "
            "try --precision float32; if that gives the same, the model file is damaged."
        )


def sample(
    denoiser: Denoiser,
    latent: Tensor,
    positive: Prompt,
    negative: Prompt,
    *,
    seed: int,
    steps: int,
    cfg: float,
    sampler: str = "euler",
    schedule: str = "normal",
    denoise: float = 1.0,
    noise_scheme: Scheme = "loom",
    mask: Tensor | None = None,
    add_noise: bool = True,
    start: int = 0,
    end: int | None = None,
    leave_noise: bool = False,
    check_cancel: Callable[[], None] = nothing,
) -> Iterator[Progress]:
    """Denoise `latent` towards `positive` and away from `negative`, a record after every step.

    `denoise`, `start`, `end`, `leave_noise`: see `schedules.sigmas_for`; the rest as in
    `sample_along`.
    """
    sigmas = sigmas_for(
        denoiser.levels,
        schedule,
        steps,
        denoise=denoise,
        discard_penultimate=SAMPLERS[sampler].discard_penultimate,
        start=start,
        end=end,
        leave_noise=leave_noise,
    )
    return sample_along(
        denoiser,
        latent,
        positive,
        negative,
        sigmas,
        seed=seed,
        cfg=cfg,
        sampler=sampler,
        noise_scheme=noise_scheme,
        mask=mask,
        add_noise=add_noise,
        check_cancel=check_cancel,
    )


def sample_along(
    denoiser: Denoiser,
    latent: Tensor,
    positive: Prompt,
    negative: Prompt,
    sigmas: Tensor,
    *,
    seed: int,
    cfg: float,
    between: Between | None = None,
    sampler: str = "euler",
    noise_scheme: Scheme = "loom",
    mask: Tensor | None = None,
    add_noise: bool = True,
    check_cancel: Callable[[], None] = nothing,
) -> Iterator[Progress]:
    """Denoise `latent` along `sigmas`, float32 (steps + 1,) descending, a record after every step.

    `latent`: raw, (batch, channels, height, width). `mask`: (1 or batch, height, width), any size,
    in 0…1, where 1 is made anew. `add_noise` False takes up a latent that an earlier run left
    noisy. `between`: see `guidance.guided`. `check_cancel` is called before every call of the
    network, and raises to stop. Raises `NotFinite`.
    """
    row = SAMPLERS[sampler]
    clean = _normalised(denoiser, latent)
    if len(sigmas) < 2:
        unchanged = latent.float().cpu()
        yield Progress(0, 0, 0.0, clean, unchanged, unchanged)
        return

    noise = Noise(seed, latent.shape, noise_scheme)
    first = noise.start().to(clean) if add_noise else torch.zeros_like(clean)
    x = _start(denoiser, clean, first, float(sigmas[0]))
    step_noise, sigmas = _step_noise(row, noise, denoiser, sigmas)

    denoised_by = guided(denoiser, positive, negative, cfg, check_cancel, between=between)
    if mask is not None:
        if row.fresh_keep_noise and noise_scheme == "comfyui":
            first = Noise(seed + 1, latent.shape, noise_scheme).start().to(clean)
        denoised_by = _keeping(denoised_by, denoiser, clean, first, mask)

    for step in row.walk(denoised_by, x, sigmas, step_noise):
        if not torch.isfinite(step.denoised).all():
            raise NotFinite(step.index, step.steps, denoiser.dtype)
        made = Progress(step.index, step.steps, step.sigma, step.denoised)
        if step.index == step.steps:
            raw = _raw(denoiser, step.x, float(sigmas[-1]))
            made = made._replace(latent=raw, clean=denoiser.space.denormalise(step.denoised).cpu())
        yield made


def _normalised(denoiser: Denoiser, latent: Tensor) -> Tensor:
    """The latent in the model's scale, float32 on its device."""
    raw = latent.to(denoiser.device, torch.float32)
    # All zeros means "nothing there yet" and stays zero; in a space with a shift it would not.
    return denoiser.space.normalise(raw) if raw.any() else raw


def _raw(denoiser: Denoiser, x: Tensor, sigma: float) -> Tensor:
    return denoiser.space.denormalise(denoiser.prediction.finished(x, sigma)).cpu()


def _start(denoiser: Denoiser, clean: Tensor, noise: Tensor, sigma: float) -> Tensor:
    return denoiser.prediction.noised(clean, noise, sigma, pure=_is_last(denoiser.levels, sigma))


def _is_last(levels: NoiseLevels, sigma: float) -> bool:
    """Is σ the training's highest level, or above it?"""
    return sigma >= levels.sigma_max * (1 - 1e-5)  # as near as float32 tables of two programs agree


def _step_noise(
    row: Sampler, noise: Noise, denoiser: Denoiser, sigmas: Tensor
) -> tuple[StepNoise, Tensor]:
    """The sampler's noise and levels: a flow's SDE cannot begin at σ = 1, where its λ is -∞."""
    flow, levels = denoiser.prediction.flow, denoiser.levels
    middle = (levels.at(0.8), levels.at(0.2))
    if row.noise == "brownian":
        # The path spans the list as it was asked for, so that its numbers are the ones of others.
        span = (float(sigmas[sigmas > 0].min()), float(sigmas.max()))
        made = noise.brownian(*span, denoiser.device, flow=flow, middle=middle)
    else:
        made = noise.per_step(denoiser.device, flow=flow, middle=middle)
    if row.below_one and flow and sigmas[0] >= 1:
        sigmas = torch.cat([torch.tensor([levels.at(1e-4)]), sigmas[1:]])
    return made, sigmas


def _keeping(
    guide: Guided, denoiser: Denoiser, clean: Tensor, noise: Tensor, mask: Tensor
) -> Guided:
    """Denoise only where the mask is 1; elsewhere the picture stays, noised to each step's level.

    After RePaint (Lugmayr et al. 2022, eq. 8), with one fixed noise and a soft mask.
    """
    if mask.ndim == 2:
        mask = mask[None]
    size = (clean.shape[-2], clean.shape[-1])
    new = interpolate(mask[:, None].to(clean), size=size, mode="bilinear")

    def entered(x: Tensor, sigma: float) -> Tensor:
        there = denoiser.prediction.noised(clean, noise, sigma)
        return x * new + there * (1 - new)

    def kept(denoised: Tensor) -> Tensor:
        return denoised * new + clean * (1 - new)

    def one(x: Tensor, sigma: float) -> Tensor:
        return kept(guide(entered(x, sigma), sigma))

    def both(x: Tensor, sigma: float) -> Estimates:
        # The other estimate only says what noise it sees, and stays the network's own everywhere.
        denoised, away = guide.both(entered(x, sigma), sigma)
        return Estimates(kept(denoised), away)

    return Guided(one, both)
