"""What flows along wires: recipes of models, conditionings, latents and pictures.

Values are never changed once made, since a cache shares them between nodes and runs: a node that
wants another picture makes a new one. Every tensor is float32 on the CPU.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from diffusion.lora import Lora
from diffusion.model_sampling import Sampling
from diffusion.regions import EVERYWHERE, Where
from graph.types import LatentSpace, Socket, Space, TextSpace
from graph.widgets import ModelFile

T = TypeVar("T", bound=TextSpace)
S = TypeVar("S", bound=LatentSpace)


class BadValue(ValueError):
    """A node made a value that cannot travel along a wire; the message says what is wrong."""


@dataclass(frozen=True)
class Recipe(Socket):
    """How to come by weights: which file, and which spaces it was found to live in.

    Weights are never in here: the engine holds them as long as there is memory. `content`
    identifies what is in the file. A space that is not known is "".
    """

    path: PathLike[str]
    content: str
    text_space: str = ""
    latent_space: str = ""


@dataclass(frozen=True)
class ControlNet(Recipe, Generic[T, S]):
    """A network that steers models of its own spaces by lines, depths or poses."""


@dataclass(frozen=True, eq=False)
class Steering:
    """A ControlNet at work; see `diffusion.controlnet.Control`."""

    network: ControlNet[Any, Any]
    pictures: Tensor
    strength: float
    begin: float
    end: float


@dataclass(frozen=True)
class Model(Recipe, Generic[T, S]):
    """A diffusion model, which turns noise in the space S into a latent that suits prompts in T.

    `previewer`: what decodes previews, where they shall be more than a guess at colours.
    `sampling`: how it is sampled, where not as its file says. `loras` change its weights, in order.
    `steering`: the ControlNets that steer it. `rescale`: see `diffusion.guidance.rescaled`.
    """

    previewer: "Vae[S] | None" = None
    sampling: Sampling | None = None
    loras: tuple[Lora, ...] = ()
    steering: tuple[Steering, ...] = ()
    rescale: float = 0.0


@dataclass(frozen=True)
class Clip(Recipe, Generic[T]):
    """The text encoders of the space T.

    `others`: the files of the further encoders, where each lies in its own. `clip_skip`: 1 takes
    the tokens from the last layer, 2 from the one before; None leaves it to the space. `loras`
    change their weights, in order.
    """

    others: tuple[PathLike[str], ...] = ()
    clip_skip: int | None = None
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True)
class Vae(Recipe, Generic[S]):
    """What turns pictures into latents of the space S, and back.

    `encoder`: the file of what encodes, where it does not lie with what decodes.
    """

    encoder: PathLike[str] | None = None


@dataclass(frozen=True)
class Upscaler(Recipe):
    """A network that enlarges pictures of any model."""


@dataclass(frozen=True, eq=False)
class Conditioning(Socket, Generic[T]):
    """What a prompt became.

    `tokens`: (1 or batch, tokens, width); `pooled`: (1 or batch, width) where the space has one.
    `extras`: numbers and tensors that go along, by the names in `diffusion.conditioning`. `beside`:
    the latent space of a picture among them, "" where there is none. `where` it holds; `others`
    hold beside it.
    """

    tokens: Tensor
    pooled: Tensor | None
    space: str = ""
    extras: Mapping[str, float | Tensor] = field(default_factory=dict)
    beside: str = ""
    where: Where = EVERYWHERE
    others: "tuple[Conditioning[T], ...]" = ()

    def __post_init__(self) -> None:
        _require(self, "tokens", self.tokens, 3)
        if self.pooled is not None:
            _require(self, "pooled", self.pooled, 2)

    def every(self) -> "Iterator[Conditioning[T]]":
        """All prompts that it is made of, itself first."""
        yield replace(self, others=())
        for other in self.others:
            yield from other.every()

    def each(self, change: "Callable[[Conditioning[T]], Conditioning[T]]") -> "Conditioning[T]":
        """The same with every prompt in it changed."""
        first, *others = (change(one) for one in self.every())
        return replace(first, others=tuple(others))


@dataclass(frozen=True, eq=False)
class Mask(Socket):
    """Where something applies: (batch, height, width) in 0…1."""

    values: Tensor

    def __post_init__(self) -> None:
        _require(self, "values", self.values, 3)


@dataclass(frozen=True, eq=False)
class Latent(Socket, Generic[S]):
    """Pictures as the VAE of the space S gives them, not scaled: (batch, channels, height, width).

    `mask` says what a sampler makes anew (1) and what it keeps (0).
    """

    samples: Tensor
    space: str = ""
    mask: Mask | None = None

    def __post_init__(self) -> None:
        _require(self, "samples", self.samples, 4)


@dataclass(frozen=True, eq=False)
class Image(Socket):
    """Pictures: (batch, height, width, 3) in 0…1, sRGB."""

    pixels: Tensor

    def __post_init__(self) -> None:
        _require(self, "pixels", self.pixels, 4)
        if self.pixels.shape[-1] != 3:
            raise BadValue(
                f"An Image has 3 colour channels, last: (batch, height, width, 3); "
                f"this one is {tuple(self.pixels.shape)}."
            )


class CheckpointFile(ModelFile, Generic[T, S]):
    """A file that may hold a diffusion model, its text encoders and its VAE."""

    folder = "checkpoints"


class DiffusionModelFile(ModelFile, Generic[T, S]):
    """A file that holds a diffusion model alone."""

    folder = "diffusion_models"


class TextEncoderFile(ModelFile, Generic[T]):
    """A file that holds one text encoder of the space T."""

    folder = "text_encoders"


class ControlNetFile(ModelFile, Generic[T, S]):
    """A network that steers models of the spaces T and S by a picture."""

    folder = "controlnet"


class UpscalerFile(ModelFile):
    """A network that enlarges pictures."""

    folder = "upscale_models"


class LoraFile(ModelFile, Generic[T, S]):
    """A file of changes to the weights of a model of the spaces T and S, and to its encoders."""

    folder = "loras"


class VaeFile(ModelFile, Generic[S]):
    """A file that holds a VAE of its own."""

    folder = "vae"


def id_of(space: type[Space]) -> str:
    """The id of the space that the checker found for a parameter annotated `type[S]`.

    The executor hands in the id itself; a test may hand in a space's class.
    """
    return space if isinstance(space, str) else space.id or ""


def size_in_bytes(value: object) -> int | None:
    """The memory that the value holds, or None for one that a cache must not keep.

    Tensors count in full even where two values share one: the budget is an upper bound.
    """
    if isinstance(value, Tensor):
        # A tensor on another device is not the cache's to keep alive.
        return value.untyped_storage().nbytes() if value.device.type == "cpu" else None
    if value is None or isinstance(value, str | bytes | int | float | bool | PathLike):
        return sys.getsizeof(value)
    if isinstance(value, list | tuple):
        return _sum(value)
    if isinstance(value, Mapping):
        return _sum(value.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _sum(getattr(value, part.name) for part in dataclasses.fields(value))
    return None


def _sum(values: Any) -> int | None:
    total = 0
    for value in values:
        size = size_in_bytes(value)
        if size is None:
            return None
        total += size
    return total


def _require(owner: Socket, name: str, tensor: Any, dimensions: int) -> None:
    kind = type(owner).__name__
    if not isinstance(tensor, Tensor):
        raise BadValue(f"{kind}.{name} is a {type(tensor).__name__}, not a torch.Tensor.")
    if tensor.ndim != dimensions or tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise BadValue(
            f"{kind}.{name} must be a float32 tensor of {dimensions} dimensions on the CPU; this "
            f"one is {tensor.dtype} of shape {tuple(tensor.shape)} on {tensor.device}."
        )
