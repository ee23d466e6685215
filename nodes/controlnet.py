"""Nodes for ControlNets: typed, so that one meets no model of another family.

This version recognises ControlNets and cannot run them yet: the checker says so before a run, and
these functions say it where they are called all the same.
"""

from typing import Annotated, Generic, NamedTuple, NoReturn

from pydantic import Field

from graph.node import node
from nodes.services import BadFile, Facts
from nodes.sockets import Conditioning, ControlNet, ControlNetFile, Image, Model, S, T


class Steered(NamedTuple, Generic[T, S]):
    """The model, and both prompts with what steers it."""

    model: Model[T, S]
    positive: Conditioning[T]
    negative: Conditioning[T]


@node(title="Load ControlNet", category="loaders")
def load_controlnet(file: ControlNetFile[T, S], *, facts: Facts) -> ControlNet[T, S]:
    """A ControlNet from models/controlnet. It is recognised and typed, and cannot be run yet."""
    facts.of(file)  # raises where it cannot be used
    _cannot_run(file.name)


@node(title="Apply ControlNet", category="conditioning")
def apply_controlnet(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    control: ControlNet[T, S],
    image: Image,
    strength: Annotated[float, Field(ge=0, le=10)] = 1.0,
) -> Steered[T, S]:
    """Steer a model by lines, depths or poses. It cannot be run yet."""
    _cannot_run("The ControlNet")


def _cannot_run(name: str) -> NoReturn:
    raise BadFile(f"{name} cannot be run by this version yet: take the ControlNet out.")
