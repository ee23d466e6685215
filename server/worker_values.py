"""Turn a value that a node gave into something that a page can show."""

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy
from torch import Tensor

from diffusion.latent_view import channels_of, statistics
from diffusion.preview import preview
from graph.definition import Json
from nodes.new_files import replace
from nodes.outputs import to_bytes
from nodes.picture_formats import write_png
from nodes.sockets import Conditioning, Image, Latent, Mask
from server.catalogue import Catalogue
from server.settings import Settings
from server.worker_questions import AskValue

CHANNEL_PIXELS = 256
"""About how wide a channel's map is drawn."""

MOST_PICTURES = 64
"""Of a larger batch only so many are shown."""


class Shown(NamedTuple):
    """The fields of the same names in `worker_messages.Value`."""

    kind: Literal["image", "latent", "number", "text", "boolean", "about"]
    file: str
    data: Json


def describe_value(value: Any, settings: Settings, catalogue: Catalogue, asked: AskValue) -> Shown:
    """The value as a picture in the temp folder, or as plain data; its repr where nothing fits."""
    if asked.view == "about":
        return Shown("about", "", about(value))
    match value:
        case bool():
            return Shown("boolean", "", value)
        case int() | float():
            return Shown("number", "", value)
        case str():
            return Shown("text", "", value)
        case Image():
            return Shown("image", _written(to_bytes(value), settings, asked), None)
        case Mask():
            grey = Image(value.values[..., None].expand(-1, -1, -1, 3).contiguous())
            return Shown("image", _written(to_bytes(grey), settings, asked), None)
        case Latent() if asked.view == "channels":
            space = catalogue.latent_space(value.space)
            normal = space.normalise(value.samples[:1]) if space else value.samples[:1]
            maps = channels_of(normal[0], max(1, CHANNEL_PIXELS // value.samples.shape[-1]))
            return Shown("latent", _written(to_bytes(Image(maps[None])), settings, asked), None)
        case Latent() if space := catalogue.latent_space(value.space):
            pictures = [preview(one, space) for one in space.normalise(value.samples)[:, None]]
            # As large as the picture will be; an element of a latent is a block of pixels.
            large = numpy.stack(pictures).repeat(space.downscale, 1).repeat(space.downscale, 2)
            return Shown("latent", _written(large, settings, asked), None)
    return Shown("text", "", _words(value))


def about(value: Any) -> dict[str, Json]:
    """What can be told of the value in numbers: its kind, its sizes, how its numbers lie."""
    told: dict[str, Json] = {"kind": type(value).__name__}
    match value:
        case Image():
            batch, height, width, _ = value.pixels.shape
            told |= {"batch": batch, "width": width, "height": height}
        case Mask():
            batch, height, width = value.values.shape
            told |= {"batch": batch, "width": width, "height": height}
        case Latent():
            batch, channels, height, width = value.samples.shape
            told |= {"batch": batch, "channels": channels, "width": width, "height": height}
            told |= {"space": value.space, "masked": value.mask is not None}
            told |= _finite(statistics(value.samples)._asdict())
        case Conditioning():
            batch, tokens, width = value.tokens.shape
            told |= {"batch": batch, "tokens": tokens, "width": width, "space": value.space}
            told["pooled"] = None if value.pooled is None else value.pooled.shape[-1]
            told["extras"] = sorted(value.extras)
            told["prompts"] = 1 + len(value.others)
            lengths = value.tokens[0].norm(dim=-1).tolist()
            told["lengths"] = [round(length, 4) for length in lengths if math.isfinite(length)]
        case bool() | int() | float() | str():
            told["value"] = value
        case _:
            told["words"] = _words(value)
    return told


def _finite(numbers: Mapping[str, float]) -> dict[str, Json]:
    return {name: round(number, 4) for name, number in numbers.items() if math.isfinite(number)}


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in the value: in the fields of records, in lists and in mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, Mapping):
        yield from tensors_in(list(value.values()))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_in(getattr(value, field.name))


def sheet(pictures: numpy.ndarray) -> numpy.ndarray:
    """One picture, uint8 (height, width, 3), of several (batch, height, width, 3), row by row."""
    pictures = pictures[:MOST_PICTURES]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    _, height, width, _ = pictures.shape
    empty = numpy.zeros((rows * columns - len(pictures), height, width, 3), numpy.uint8)
    grid = numpy.concatenate([pictures, empty]).reshape(rows, columns, height, width, 3)
    return grid.swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def _written(pictures: numpy.ndarray, settings: Settings, asked: AskValue) -> str:
    name = hashlib.sha256(f"{asked.node}\0{asked.output}\0{asked.view}".encode()).hexdigest()[:32]
    file = f"values/{asked.run}/{name}.png"
    path = settings.temp / file
    if not path.exists():  # a run's values do not change
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, lambda out: write_png(out, sheet(pictures), 100, {}), durable=False)
    return file


def _words(value: Any) -> str:
    shapes = [tuple(tensor.shape) for tensor in tensors_in(value)]
    kind = type(value).__name__
    return f"{kind} of shape {', '.join(map(str, shapes))}" if shapes else f"{kind}: {value}"
