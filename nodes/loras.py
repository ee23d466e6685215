"""Nodes that change a model's weights by a LoRA, which must be of the model's own spaces."""

from dataclasses import replace
from typing import Annotated, Generic, NamedTuple

from pydantic import Field

from diffusion.lora import Lora
from graph.node import node
from nodes.services import Facts
from nodes.sockets import Clip, LoraFile, Model, S, T

Strength = Annotated[
    float,
    Field(ge=-100, le=100, description="1 is as trained, 0 nothing, below 0 the other way."),
]


class Changed(NamedTuple, Generic[T, S]):
    """The model and its text encoders with the LoRA in their weights."""

    model: Model[T, S]
    clip: Clip[T]


@node(title="Load LoRA", category="loaders")
def load_lora(
    model: Model[T, S],
    clip: Clip[T],
    file: LoraFile[T, S],
    strength_model: Strength = 1.0,
    strength_clip: Strength = 1.0,
    *,
    facts: Facts,
) -> Changed[T, S]:
    """Change a model and its text encoders by a LoRA from models/loras. Several may follow."""
    facts.of(file)  # raises where it cannot be used
    loras = _with(clip.loras, file, strength_clip)
    return Changed(_changed(model, file, strength_model), replace(clip, loras=loras))


@node(title="Load LoRA (Model Only)", category="loaders")
def load_lora_model_only(
    model: Model[T, S], file: LoraFile[T, S], strength: Strength = 1.0, *, facts: Facts
) -> Model[T, S]:
    """Change a model by a LoRA from models/loras, and leave its text encoders as they are."""
    facts.of(file)
    return _changed(model, file, strength)


def _changed(model: Model[T, S], file: LoraFile[T, S], strength: float) -> Model[T, S]:
    return replace(model, loras=_with(model.loras, file, strength))


def _with(loras: tuple[Lora, ...], file: LoraFile[T, S], strength: float) -> tuple[Lora, ...]:
    """The LoRAs with one more; one of no strength changes nothing and is left out."""
    return (*loras, Lora(file.path, file.content, strength)) if strength else loras
