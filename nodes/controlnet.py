"""Nodes for ControlNets, which steer a model of their own family by lines, depths or poses."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from diffusion.edges import canny
from graph.node import node
from nodes.loaders import recipe
from nodes.services import Facts
from nodes.sockets import BadValue, ControlNet, ControlNetFile, Image, Model, S, Steering, T


@node(title="Load ControlNet", category="loaders")
def load_controlnet(file: ControlNetFile[T, S], *, facts: Facts) -> ControlNet[T, S]:
    """A ControlNet from models/controlnet: one of SD 1.x, SD 2.x or SDXL."""
    network: ControlNet[T, S] = recipe(ControlNet, file, facts.of(file))
    return network


@node(title="Apply ControlNet", category="conditioning")
def apply_controlnet(
    model: Model[T, S],
    control: ControlNet[T, S],
    image: Image,
    strength: Annotated[float, Field(ge=0, le=10)] = 1.0,
    start: Annotated[float, Field(ge=0, le=1, description="0 is the beginning, pure noise.")] = 0.0,
    end: Annotated[float, Field(ge=0, le=1, description="1 is the finished picture.")] = 1.0,
) -> Model[T, S]:
    """Steer a model by a picture of what the ControlNet was made for, such as lines or depths.

    Several can be applied, one after the other.
    """
    if start >= end:
        raise BadValue(
            f"The ControlNet would never steer: its start, {start:g}, is not before its end, "
            f"{end:g}."
        )
    steering = Steering(control, image.pixels, strength, start, end)
    return replace(model, steering=(*model.steering, steering))


@node(title="Canny Edges", category="image")
def canny_edges(
    image: Image,
    low: Annotated[float, Field(ge=0, le=1, description="An edge goes on down to this.")] = 0.1,
    high: Annotated[float, Field(ge=0, le=1, description="An edge begins above this.")] = 0.3,
) -> Image:
    """White lines where brightness changes, for ControlNets and models that follow lines."""
    return Image(canny(image.pixels, min(low, high), high))
