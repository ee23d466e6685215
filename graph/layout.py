"""How a workflow looks: places, reroutes, groups and notes. No run depends on it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

WIDEST_EXACT = 2**53
"""From here up not every whole number is a double."""


class Part(BaseModel):
    """A record of the saved form; fields that this version does not know survive load and save."""

    model_config = ConfigDict(extra="allow")


def _plain(pixels: float) -> float | int:
    """Whole numbers as the browser writes them: 8, not 8.0."""
    return int(pixels) if pixels.is_integer() and abs(pixels) < WIDEST_EXACT else pixels


Pixels = Annotated[float, PlainSerializer(_plain)]
"""A length or a place on the canvas at zoom 1; x grows to the right, y downwards."""


class Place(Part):
    """Where a node lies; the editor adds `width`, `collapsed`, `pinned`, and of
    its seeds `fixed` and `counting` ones."""

    x: Pixels
    y: Pixels


class Reroute(Part):
    """A dot that wires of one output pass through, after the dot `after` (else right after the
    output)."""

    x: Pixels
    y: Pixels
    after: str | None = None


class Route(Part):
    """The way of one wire: the last dot before its input."""

    via: str


class Layout(Part):
    """Places by node, dots by id, and `wires[node][socket]` for the wires that pass through dots.

    A dot or node that is not there is no error: the editor draws what it finds.
    """

    nodes: dict[str, Place] = Field(default_factory=dict)
    reroutes: dict[str, Reroute] = Field(default_factory=dict)
    wires: dict[str, dict[str, Route]] = Field(default_factory=dict)


class Frame(Part):
    """A rectangle on the canvas. `colour` is a name of the editor's palette, or ""."""

    id: str
    x: Pixels
    y: Pixels
    width: Pixels
    height: Pixels
    colour: str = ""


class Group(Frame):
    """A titled frame; what lies in it moves with it."""

    title: str = ""


class Note(Frame):
    """A text in Markdown beside the nodes."""

    text: str = ""
