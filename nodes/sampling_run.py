"""What all nodes that denoise do around the engine: check the spaces, tell of the steps."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Generic, NamedTuple, cast

from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.noise import Scheme
from diffusion.regions import Part
from diffusion.sample import Progress as Step
from nodes.previews import shown
from nodes.services import Models, Progress, Side, Spaces
from nodes.sockets import Conditioning, Latent, Model, S


class Denoised(NamedTuple, Generic[S]):
    """The result of the steps, and the last estimate of the picture without any noise."""

    output: Latent[S]
    denoised_output: Latent[S]


def one_space(
    spaces: Spaces,
    model: Model[Any, Any],
    latent: Latent[Any],
    prompts: Mapping[str, Conditioning[Any]],
) -> None:
    """Raise `WrongSpace` where the latent, a prompt by its name, or its picture is of another."""
    latents = Side("model", model.latent_space, file=model.path)
    texts = Side("model", model.text_space, file=model.path)
    spaces.agree("latent", Side("latent", latent.space, "latent"), latents)
    for name, whole in prompts.items():
        socket = name.partition(" ")[0]
        for prompt in whole.every():
            spaces.agree("text", Side(name, prompt.space, socket), texts)
            shown = Side(f"picture beside the {name}", prompt.beside, socket)
            spaces.agree("latent", shown, latents)


def parts_of(prompt: Conditioning[Any]) -> tuple[Part, ...]:
    """The prompts that one is made of, for the sampler."""
    return tuple(Part(one, one.where) for one in prompt.every())


def mask_of(latent: Latent[Any]) -> Tensor | None:
    """Where the latent shall be made anew; None for everywhere."""
    return None if latent.mask is None else latent.mask.values


def scheme_of(name: str) -> Scheme:
    """The noise scheme of this name, which a widget has checked already."""
    return cast(Scheme, name)


def walked(
    walk: Iterator[Step],
    model: Model[Any, S],
    denoiser: Denoiser,
    latent: Latent[S],
    models: Models,
    progress: Progress,
) -> Denoised[S]:
    """Take every step of the walk, telling of each."""
    show = shown(models, model, denoiser)
    output = clean = latent.samples
    for done in walk:
        progress.step(done.step, done.steps)
        if done.latent is None:
            progress.preview(done.step, partial(show, done.denoised))
        else:
            output = done.latent
            clean = output if done.clean is None else done.clean
    space = latent.space or model.latent_space
    return Denoised(Latent(output, space, latent.mask), Latent(clean, space, latent.mask))
