"""Nodes that need no model, for tests of the worker."""

import os
import time
from typing import NamedTuple

import torch

from graph.node import node
from nodes.services import Interrupt, Progress
from nodes.sockets import Image, Mask


@node(category="test")
def number(value: int = 1) -> int:
    """The number itself."""
    return value


@node(category="test")
def add(left: int = 0, right: int = 0) -> int:
    """The sum."""
    return left + right


class Everything(NamedTuple):
    whole: int
    part: float
    words: str
    truth: bool
    picture: Image
    mask: Mask


@node(category="test")
def everything() -> Everything:
    """One value of each kind that a page can show."""
    return Everything(
        7, 0.5, "words", True, Image(torch.full((3, 8, 16, 3), 0.25)), Mask(torch.ones(1, 8, 8))
    )


@node(category="test", output=True, cache=False)
def show(value: int) -> None:
    """An output node."""


@node(category="test", output=True, cache=False)
def wait(seconds: float = 60.0, *, progress: Progress, interrupt: Interrupt) -> None:
    """Takes its time, and can be cancelled."""
    progress.step(1, 2, "waiting")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        interrupt.check()
        time.sleep(0.01)


@node(category="test", output=True, cache=False)
def die() -> None:
    """Takes the process with it."""
    os._exit(5)


@node(category="test", output=True, cache=False)
def fail(message: str = "The mask is empty.") -> None:
    """Raises a sentence."""
    raise ValueError(message)


@node(category="test", output=True, cache=False)
def stumble() -> None:
    """Raises what Python raises at a bug."""
    raise KeyError("x")


@node(category="test")
def not_a_number() -> Image:
    """A picture without numbers."""
    return Image(torch.full((1, 2, 2, 3), float("nan")))
