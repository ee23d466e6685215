"""Nodes that give one value to many widgets, and put texts together."""

from typing import Annotated

from pydantic import Field

from graph.node import node
from graph.widgets import Multiline, Seed

LARGEST = 2**53 - 1
"""Whole numbers up to this one are exact wherever JSON is read."""


@node(title="Whole Number", category="utilities")
def whole_number(value: Annotated[int, Field(ge=-LARGEST, le=LARGEST)] = 0) -> int:
    """A whole number for several widgets at once: wire it to them."""
    return value


@node(title="Number", category="utilities")
def number(value: Annotated[float, Field(ge=-1e12, le=1e12)] = 0.0) -> float:
    """A number for several widgets at once: wire it to them."""
    return value


@node(title="Seed", category="utilities")
def seed(seed: Seed = 0) -> int:
    """One seed for several samplers."""
    return seed


@node(title="Switch", category="utilities")
def switch(on: bool = True) -> bool:
    """On or off, for several widgets at once: wire it to them."""
    return on


@node(title="Text", category="utilities")
def text(text: Multiline = "") -> str:
    """A text for several widgets at once, such as the prompt of two models."""
    return text


@node(title="Join Text", category="utilities")
def join_text(
    first: Multiline = "", second: Multiline = "", third: Multiline = "", separator: str = ", "
) -> str:
    """Several texts as one, with something between them; empty ones are left out."""
    return separator.join(part for part in (first, second, third) if part)
