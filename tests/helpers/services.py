"""Services for nodes that a test calls as functions."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy

from diffusion.spaces import LATENT_SPACES, LatentSpace
from graph.cancel import Cancel
from graph.definition import Axis
from nodes import services
from nodes.services import Side, WrongSpace
from nodes.sockets import Image, Vae


class Interrupt(services.Interrupt):
    """Cancels at the look number `at`, or never."""

    def __init__(self, at: int | None = None) -> None:
        self.looks = 0
        self._at = at

    def check(self) -> None:
        self.looks += 1
        if self.looks == self._at:
            wish = Cancel()
            wish.request()
            wish.check()


class Spaces(services.Spaces):
    """The built-in spaces, and the given ones; different ones never agree."""

    def __init__(self, *more: LatentSpace) -> None:
        self._spaces = {**LATENT_SPACES, **{space.id: space for space in more}}

    def latent(self, space: str) -> LatentSpace:
        return self._spaces[space]

    def agree(self, axis: Axis, one: Side, other: Side) -> None:
        if one.space and other.space and one.space != other.space:
            raise WrongSpace(f"{one.name} {one.space}, {other.name} {other.space}")


class Progress(services.Progress):
    """Remembers everything."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.pictures: list[numpy.ndarray] = []

    def step(self, step: int, steps: int, label: str = "") -> None:
        self.steps.append((step, steps))

    def preview(self, step: int, make: Callable[[], numpy.ndarray]) -> None:
        self.pictures.append(make())


class Outputs(services.Outputs):
    """Remembers what is shown; `nodes` are what the inputs were computed from."""

    def __init__(
        self,
        nodes: Mapping[str, Mapping[str, Any]] | None = None,
        workflow: Mapping[str, Any] | None = None,
    ) -> None:
        self.pictures: list[Image] = []
        self.texts: list[str] = []
        self._nodes, self._workflow = nodes or {}, workflow

    def preview(self, image: Image) -> None:
        self.pictures.append(image)

    def tell(self, text: str) -> None:
        self.texts.append(text)

    def behind(self) -> Mapping[str, Mapping[str, Any]]:
        return self._nodes

    def workflow(self) -> Mapping[str, Any] | None:
        return self._workflow


class Models(services.Models):
    """Gives what it was made with, whatever the recipe says."""

    def __init__(self, **parts: Any) -> None:
        self._parts: Mapping[str, Any] = parts

    def denoiser(self, model: Any) -> Any:
        return self._parts["denoiser"]

    def text_encoder(self, clip: Any) -> Any:
        return self._parts["text_encoder"]

    def vae(self, vae: Any) -> Any:
        return self._parts["vae"]


def recipe(space: str = "sd1") -> Vae[Any]:
    """A VAE's recipe of the space, for `Models` above."""
    return Vae(Path("nowhere"), "content", latent_space=space)
