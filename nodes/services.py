"""What nodes may ask for beside their inputs: progress, cancelling, models, spaces, output files.

A node names a service as a keyword-only parameter; the worker hands it in. Tests hand in their own.
"""

from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any, NamedTuple

import numpy

from diffusion.denoiser import Denoiser
from diffusion.loaded_upscaler import LoadedUpscaler
from diffusion.loaded_vae import LoadedVae
from diffusion.spaces import LatentSpace
from diffusion.text_join import TextEncoders
from graph.definition import Axis
from graph.files import FileFacts
from graph.node import Service
from graph.widgets import ModelFile
from nodes.sockets import Clip, Image, Latent, Model, S, T, Upscaler, Vae


class Facts(Service):
    """What is known of a model file from its header."""

    def of(self, file: ModelFile) -> FileFacts:
        """The parts and spaces of the file. Raises `BadFile` where it cannot be used."""
        raise NotImplementedError


class BadFile(ValueError):
    """A model file that cannot be used; the message says why and what to do."""


class Models(Service):
    """Loads weights, keeps them while there is memory, and gives them back ready to use."""

    def denoiser(self, model: Model[T, S]) -> Denoiser:
        """The diffusion model that the recipe names."""
        raise NotImplementedError

    def text_encoder(self, clip: Clip[T]) -> TextEncoders:
        """The text encoders that the recipe names."""
        raise NotImplementedError

    def vae(self, vae: Vae[S]) -> LoadedVae:
        """The VAE that the recipe names."""
        raise NotImplementedError

    def upscaler(self, model: Upscaler) -> LoadedUpscaler:
        """The network that the recipe names."""
        raise NotImplementedError


class Progress(Service):
    """Tells people how far a node is."""

    def step(self, step: int, steps: int, label: str = "") -> None:
        """The node has done `step` of `steps`; `label` says what it does, if that is not plain."""
        raise NotImplementedError

    def preview(self, step: int, make: Callable[[], numpy.ndarray]) -> None:
        """Show what there is so far; `make` gives uint8 (height, width, 3) and is called only when
        the last preview is long enough ago."""
        raise NotImplementedError


class Interrupt(Service):
    """Lets a person cancel a node that takes long."""

    def check(self) -> None:
        """Raise if the run was cancelled; to be called in every loop that may take a second."""
        raise NotImplementedError


class Outputs(Service):
    """Where pictures go that people are to see."""

    def save(
        self,
        image: Image,
        file_name: str,
        format: str = "png",
        quality: int = 90,
        metadata: bool = True,
    ) -> None:
        """Write each picture into the output folder, with the workflow that made it.

        `format` is one of `nodes.picture_formats.FORMATS`, `quality` 1 to 100. Without `metadata`
        the file does not say what made it. Raises `CannotWrite`.
        """
        raise NotImplementedError

    def save_latent(self, latent: Latent[S], file_name: str) -> None:
        """Write the latents into one file in the output folder, with the workflow."""
        raise NotImplementedError

    def preview(self, image: Image) -> None:
        """Write each picture into the temporary folder."""
        raise NotImplementedError

    def tell(self, text: str) -> None:
        """Show a text at the node."""
        raise NotImplementedError

    def behind(self) -> Mapping[str, Mapping[str, Any]]:
        """The nodes that the inputs were computed from, as `nodes.provenance` has them."""
        raise NotImplementedError

    def workflow(self) -> Mapping[str, Any] | None:
        """The saved workflow that runs, where there is one."""
        raise NotImplementedError


class Side(NamedTuple):
    """One of two things that must live in one space: what it is called, its space's id or "".

    `socket`: the input that it came in by; `file`: where its weights lie, if it has any.
    """

    name: str
    space: str
    socket: str = ""
    file: PathLike[str] | None = None


class WrongSpace(ValueError):
    """Two things were put together that live in different spaces."""


class UnknownSpace(LookupError):
    """A space that no model file here declares and that is not one of the known ones."""


class Spaces(Service):
    """What is known of latent spaces, and which mistakes a person has insisted on."""

    def latent(self, space: str) -> LatentSpace:
        """The latent space with this id. Raises `UnknownSpace`."""
        raise NotImplementedError

    def agree(self, axis: Axis, one: Side, other: Side) -> None:
        """Raise `WrongSpace` where the two are known to differ and no wire says otherwise."""
        raise NotImplementedError
