"""Nodes for a sampler in parts: its noise, its guidance, its method and its noise levels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.guidance import Between
from diffusion.sample import Progress as Step
from diffusion.sample import sample_along
from diffusion.schedules import sigmas_for
from graph.node import node
from graph.types import Socket
from graph.widgets import Seed
from nodes.sampling import Cfg, NoiseScheme, SamplerName, SchedulerName, StepIndex, Steps
from nodes.sampling_run import Denoised, mask_of, one_space, parts_of, scheme_of, walked
from nodes.services import Interrupt, Models, Progress, Spaces
from nodes.sockets import BadValue, Conditioning, Latent, Model, S, T


@dataclass(frozen=True)
class Noise(Socket):
    """Where a run's random numbers come from; `start` False begins without any.

    `scheme`: see `diffusion.noise`.
    """

    seed: int
    scheme: str = "loom"
    start: bool = True


@dataclass(frozen=True, eq=False)
class Guider(Socket, Generic[T, S]):
    """A model, and where to: towards `positive` and away from `negative`, `cfg` times as far.

    `between`: a prompt on the way, which is gone to `between_cfg` times as far.
    """

    model: Model[T, S]
    positive: Conditioning[T]
    negative: Conditioning[T]
    cfg: float
    between: Conditioning[T] | None = None
    between_cfg: float = 1.0


@dataclass(frozen=True)
class Sampler(Socket):
    """The method that takes the steps, by its name in `diffusion.samplers`."""

    name: str


@dataclass(frozen=True, eq=False)
class Sigmas(Socket):
    """Noise levels to step through, descending: float32 (steps + 1,), or (0,) for no step."""

    values: Tensor

    def __post_init__(self) -> None:
        values = self.values
        if not isinstance(values, Tensor) or values.ndim != 1 or values.dtype != torch.float32:
            raise BadValue("Sigmas must be a float32 tensor of 1 dimension: the noise levels.")


class Halves(NamedTuple):
    """The levels before and after a step; both hold the level at which they meet."""

    high_sigmas: Sigmas
    low_sigmas: Sigmas


@node(title="Random Noise", category="sampling")
def random_noise(seed: Seed = 0, noise: NoiseScheme = "loom") -> Noise:
    """Noise to start from, and for samplers that add some in every step."""
    return Noise(seed, noise)


@node(title="Disable Noise", category="sampling")
def disable_noise() -> Noise:
    """Start from the latent as it is: an earlier sampler left its noise in it."""
    return Noise(0, start=False)


@node(title="CFG Guider", category="sampling")
def cfg_guider(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    cfg: Cfg = 8.0,
) -> Guider[T, S]:
    """Guide towards one prompt and away from another."""
    return Guider(model, positive, negative, cfg)


@node(title="Basic Guider", category="sampling")
def basic_guider(model: Model[T, S], conditioning: Conditioning[T]) -> Guider[T, S]:
    """Follow one prompt, for models that take their guidance as an input, such as FLUX.1."""
    return Guider(model, conditioning, conditioning, 1.0)


@node(title="Dual CFG Guider", category="sampling")
def dual_cfg_guider(
    model: Model[T, S],
    positive: Conditioning[T],
    between: Conditioning[T],
    negative: Conditioning[T],
    cfg: Annotated[
        float, Field(ge=0, le=100, description="How far to go from `between` to `positive`.")
    ] = 8.0,
    between_cfg: Annotated[
        float, Field(ge=0, le=100, description="How far to go from `negative` to `between`.")
    ] = 8.0,
) -> Guider[T, S]:
    """Guide in two stretches: with InstructPix2Pix, `between` shows the picture without words."""
    return Guider(model, positive, negative, cfg, between, between_cfg)


@node(title="KSampler Select", category="sampling")
def k_sampler_select(sampler: SamplerName = "euler") -> Sampler:
    """Choose the method that takes the steps."""
    return Sampler(sampler)


@node(title="Basic Scheduler", category="sampling")
def basic_scheduler(
    model: Model[T, S],
    scheduler: SchedulerName = "normal",
    steps: Steps = 20,
    denoise: Annotated[float, Field(ge=0, le=1)] = 1.0,
    *,
    models: Models,
) -> Sigmas:
    """The noise levels to step through, of the model's own."""
    return Sigmas(sigmas_for(models.denoiser(model).levels, scheduler, steps, denoise=denoise))


@node(title="Split Sigmas", category="sampling")
def split_sigmas(sigmas: Sigmas, step: StepIndex = 0) -> Halves:
    """Part the noise levels in two, so that two samplers can share a run."""
    return Halves(Sigmas(sigmas.values[: step + 1]), Sigmas(sigmas.values[step:]))


@node(title="Sampler Custom", category="sampling")
def sampler_custom(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    sampler: Sampler,
    sigmas: Sigmas,
    latent: Latent[S],
    add_noise: bool = True,
    seed: Seed = 0,
    cfg: Cfg = 8.0,
    noise: NoiseScheme = "loom",
    *,
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Denoised[S]:
    """Denoise `latent` by a method and along noise levels of your own."""
    guider = Guider(model, positive, negative, cfg)
    start = Noise(seed, noise, add_noise)
    return _sampled(start, guider, sampler, sigmas, latent, models, spaces, progress, interrupt)


@node(title="Sampler Custom (Advanced)", category="sampling")
def sampler_custom_advanced(
    noise: Noise,
    guider: Guider[T, S],
    sampler: Sampler,
    sigmas: Sigmas,
    latent: Latent[S],
    *,
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Denoised[S]:
    """Denoise `latent` with noise, guidance, method and noise levels of your own."""
    return _sampled(noise, guider, sampler, sigmas, latent, models, spaces, progress, interrupt)


def _sampled(
    noise: Noise,
    guider: Guider[Any, S],
    sampler: Sampler,
    sigmas: Sigmas,
    latent: Latent[S],
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Denoised[S]:
    prompts = {"positive prompt": guider.positive, "negative prompt": guider.negative}
    between = guider.between
    if between is not None:
        prompts["prompt in between"] = between
    one_space(spaces, guider.model, latent, prompts)
    denoiser: Denoiser = models.denoiser(guider.model)
    walk: Iterator[Step] = sample_along(
        denoiser,
        latent.samples,
        parts_of(guider.positive),
        parts_of(guider.negative),
        sigmas.values,
        seed=noise.seed,
        cfg=guider.cfg,
        between=None if between is None else Between(parts_of(between), guider.between_cfg),
        sampler=sampler.name,
        noise_scheme=scheme_of(noise.scheme),
        mask=mask_of(latent),
        add_noise=noise.start,
        check_cancel=interrupt.check,
    )
    return walked(walk, guider.model, denoiser, latent, models, progress)
