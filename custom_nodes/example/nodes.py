"""An example pack: one node that changes a picture, and one that measures it."""

from typing import Annotated, NamedTuple

from pydantic import Field

from graph.node import node
from graph.widgets import Slider
from nodes.services import Interrupt
from nodes.sockets import Image


@node(title="Invert Image", category="example")
def invert_image(
    image: Image,
    strength: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 1.0,
) -> Image:
    """Turn light into dark. At strength 0 the picture stays as it is."""
    inverted = 1 - image.pixels  # values are shared: never change one in place
    return Image(image.pixels + (inverted - image.pixels) * strength)


class Statistics(NamedTuple):
    """What Picture Statistics gives; each field is an output."""

    mean: float
    width: int
    height: int
    summary: str


@node(title="Picture Statistics", category="example")
def picture_statistics(image: Image, *, interrupt: Interrupt) -> Statistics:
    """The mean brightness (0…1) and the size of pictures."""
    total = 0.0
    for picture in image.pixels:
        interrupt.check()  # a person may cancel between two pictures
        total += float(picture.mean())
    batch, height, width, _ = image.pixels.shape
    mean = total / batch
    return Statistics(mean, width, height, f"{width} x {height}, mean {mean:.3f}")
