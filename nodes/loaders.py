"""Nodes that name model files; the weights are loaded when something is made with them."""

from dataclasses import replace
from typing import Annotated, Any, Generic, NamedTuple

from graph.definition import Axis
from graph.files import FileFacts
from graph.node import Part, node
from graph.widgets import ModelFile
from nodes.services import Facts
from nodes.sockets import (
    CheckpointFile,
    Clip,
    DiffusionModelFile,
    Model,
    Recipe,
    S,
    T,
    TextEncoderFile,
    Vae,
    VaeFile,
    id_of,
)


class Checkpoint(NamedTuple, Generic[T, S]):
    """What a checkpoint may hold; a part that is not in the file is absent."""

    model: Annotated[Model[T, S] | None, Part("model")]
    clip: Annotated[Clip[T] | None, Part("clip")]
    vae: Annotated[Vae[S] | None, Part("vae")]


@node(title="Load Checkpoint", category="loaders")
def load_checkpoint(file: CheckpointFile[T, S], *, facts: Facts) -> Checkpoint[T, S]:
    """The model, the text encoders and the VAE of a checkpoint file in models/checkpoints."""
    known = facts.of(file)

    def part(name: str, kind: type[Recipe]) -> Any:
        return recipe(kind, file, known) if name in known.parts else None

    return Checkpoint(part("model", Model), part("clip", Clip), part("vae", Vae))


@node(title="Load Diffusion Model", category="loaders")
def load_diffusion_model(file: DiffusionModelFile[T, S], *, facts: Facts) -> Model[T, S]:
    """A diffusion model from a file of its own in models/diffusion_models."""
    model: Model[T, S] = recipe(Model, file, facts.of(file))
    return model


@node(title="Load CLIP", category="loaders")
def load_clip(file: TextEncoderFile[T], space: type[T], *, facts: Facts) -> Clip[T]:
    """A text encoder from models/text_encoders, for what it is wired to."""
    return _encoders(space, facts, file)


@node(title="Load Two CLIPs", category="loaders")
def load_two_clips(
    first: TextEncoderFile[T], second: TextEncoderFile[T], space: type[T], *, facts: Facts
) -> Clip[T]:
    """Two text encoders in files of their own, in any order: SDXL's, SD3's or FLUX.1's."""
    return _encoders(space, facts, first, second)


@node(title="Load Three CLIPs", category="loaders")
def load_three_clips(
    first: TextEncoderFile[T],
    second: TextEncoderFile[T],
    third: TextEncoderFile[T],
    space: type[T],
    *,
    facts: Facts,
) -> Clip[T]:
    """Three text encoders in files of their own, in any order: SD3's."""
    return _encoders(space, facts, first, second, third)


@node(title="Load VAE", category="loaders")
def load_vae(file: VaeFile[S], *, facts: Facts) -> Vae[S]:
    """A VAE from a file of its own in models/vae."""
    vae: Vae[S] = recipe(Vae, file, facts.of(file))
    return vae


@node(title="Load Tiny VAE", category="loaders")
def load_tiny_vae(
    encoder: Annotated[VaeFile[S], Part("encoder")],
    decoder: Annotated[VaeFile[S], Part("decoder")],
    *,
    facts: Facts,
) -> Vae[S]:
    """A tiny VAE (TAESD) whose encoder and decoder are two files in models/vae."""
    other = _certain(facts.of(encoder), "latent")
    vae: Vae[S] = recipe(Vae, decoder, facts.of(decoder))
    return replace(vae, encoder=encoder.path, latent_space=vae.latent_space or other)


def _encoders(space: type[T], facts: Facts, *files: TextEncoderFile[T]) -> Clip[T]:
    for file in files:
        facts.of(file)  # raises where one cannot be used
    first, *others = files
    paths = tuple(file.path for file in others)
    return Clip(first.path, first.content, text_space=id_of(space), others=paths)


def recipe(kind: type[Recipe], file: ModelFile, facts: FileFacts) -> Any:
    return kind(
        file.path,
        file.content,
        text_space=_certain(facts, "text"),
        latent_space=_certain(facts, "latent"),
    )


def _certain(facts: FileFacts, axis: Axis) -> str:
    """The one space that the file can live in, or "" where there are several or none is known."""
    candidates = facts.spaces.get(axis, ())
    return candidates[0] if len(candidates) == 1 else ""
