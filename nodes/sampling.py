"""Nodes that denoise in one piece: KSampler, and the one that can do a part of the steps."""

from typing import Annotated

from pydantic import Field

from diffusion.noise import SCHEMES
from diffusion.sample import sample
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES
from graph.node import node
from graph.widgets import OneOf, Seed
from nodes.sampling_run import mask_of, one_space, parts_of, scheme_of, walked
from nodes.services import Interrupt, Models, Progress, Spaces
from nodes.sockets import Conditioning, Latent, Model, S, T

SamplerName = Annotated[str, OneOf(SAMPLERS)]
SchedulerName = Annotated[str, OneOf(SCHEDULES)]
NoiseScheme = Annotated[
    str,
    OneOf(SCHEMES),
    Field(description='How a batch draws its noise; "comfyui" repeats pictures made there.'),
]
Cfg = Annotated[float, Field(ge=0, le=100)]
Steps = Annotated[int, Field(ge=1, le=10_000)]
StepIndex = Annotated[int, Field(ge=0, le=10_000)]


@node(title="KSampler", category="sampling")
def k_sampler(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    latent: Latent[S],
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    cfg: Cfg = 7.0,
    sampler: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    denoise: Annotated[float, Field(ge=0, le=1)] = 1.0,
    noise: NoiseScheme = "loom",
    *,
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Latent[S]:
    """Denoise `latent` towards `positive` and away from `negative`."""
    one_space(spaces, model, latent, {"positive prompt": positive, "negative prompt": negative})
    denoiser = models.denoiser(model)
    walk = sample(
        denoiser,
        latent.samples,
        parts_of(positive),
        parts_of(negative),
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        schedule=scheduler,
        denoise=denoise,
        noise_scheme=scheme_of(noise),
        mask=mask_of(latent),
        check_cancel=interrupt.check,
    )
    return walked(walk, model, denoiser, latent, models, progress).output


@node(title="KSampler (Advanced)", category="sampling")
def k_sampler_advanced(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    latent: Latent[S],
    add_noise: Annotated[
        bool, Field(description="Off where an earlier sampler left its noise in the latent.")
    ] = True,
    seed: Seed = 0,
    steps: Steps = 20,
    cfg: Cfg = 8.0,
    sampler: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    start_at_step: StepIndex = 0,
    end_at_step: StepIndex = 10_000,
    return_with_leftover_noise: Annotated[
        bool, Field(description="On where a later sampler shall go on from the last step.")
    ] = False,
    noise: NoiseScheme = "loom",
    *,
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Latent[S]:
    """Do some of the steps of a run, so that another sampler can do the rest."""
    one_space(spaces, model, latent, {"positive prompt": positive, "negative prompt": negative})
    denoiser = models.denoiser(model)
    walk = sample(
        denoiser,
        latent.samples,
        parts_of(positive),
        parts_of(negative),
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        schedule=scheduler,
        noise_scheme=scheme_of(noise),
        mask=mask_of(latent),
        add_noise=add_noise,
        start=start_at_step,
        end=end_at_step,
        leave_noise=return_with_leftover_noise,
        check_cancel=interrupt.check,
    )
    return walked(walk, model, denoiser, latent, models, progress).output
