"""Nodes that denoise."""

from functools import partial
from typing import Annotated

from pydantic import Field

from diffusion.sample import sample
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES
from graph.node import node
from graph.widgets import OneOf, Seed
from nodes.previews import shown
from nodes.services import Interrupt, Models, Progress, Side, Spaces
from nodes.sockets import Conditioning, Latent, Model, S, T


@node(title="KSampler", category="sampling")
def k_sampler(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    latent: Latent[S],
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    cfg: Annotated[float, Field(ge=0, le=100)] = 7.0,
    sampler: Annotated[str, OneOf(SAMPLERS)] = "euler",
    scheduler: Annotated[str, OneOf(SCHEDULES)] = "normal",
    denoise: Annotated[float, Field(ge=0, le=1)] = 1.0,
    *,
    models: Models,
    spaces: Spaces,
    progress: Progress,
    interrupt: Interrupt,
) -> Latent[S]:
    """Denoise `latent` towards `positive` and away from `negative`."""
    spaces.agree("latent", Side("latent", latent.space), Side("model", model.latent_space))
    for name, prompt in (("positive prompt", positive), ("negative prompt", negative)):
        spaces.agree("text", Side(name, prompt.space), Side("model", model.text_space))
    denoiser = models.denoiser(model)
    show = shown(models, model, denoiser)
    walk = sample(
        denoiser,
        latent.samples,
        positive,
        negative,
        seed=seed,
        steps=steps,
        cfg=cfg,
        sampler=sampler,
        schedule=scheduler,
        denoise=denoise,
        mask=None if latent.mask is None else latent.mask.values,
        check_cancel=interrupt.check,
    )
    made = latent.samples
    for done in walk:
        progress.step(done.step, done.steps)
        if done.latent is None:
            progress.preview(done.step, partial(show, done.denoised))
        else:
            made = done.latent
    return Latent(made, latent.space or model.latent_space, latent.mask)
