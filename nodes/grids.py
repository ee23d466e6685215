"""Nodes that lay pictures out beside each other, and that try settings against each other."""

import json
from collections.abc import Sequence
from typing import Annotated

import numpy
import torch
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont
from pydantic import Field
from torch import Tensor

from diffusion.pictures import in_grid
from diffusion.samplers import SAMPLERS
from diffusion.schedules import SCHEDULES
from graph.expand import HERE, Expansion
from graph.node import node
from graph.types import Variadic
from graph.widgets import Multiline, OneOf, Seed
from graph.workflow import PlacedNode, Wire, Workflow
from nodes.sampling import Cfg, SamplerName, SchedulerName
from nodes.sockets import Conditioning, Image, Latent, Model, S, T, Vae

GAP = 8
"""White pixels between two pictures of a grid."""

MOST = 100
"""Cells of a grid at most."""

AXES = ("cfg", "steps", "seed", "denoise", "sampler", "scheduler")
NAMES = {"sampler": tuple(SAMPLERS), "scheduler": tuple(SCHEDULES)}
WHOLE = ("steps", "seed")


class BadAxis(ValueError):
    """The values along an axis cannot be used; the message says why."""


@node(title="Image Grid", category="image")
def image_grid(
    images: Variadic[Image],
    columns: Annotated[int, Field(ge=0, le=MOST, description="0: about as many as rows.")] = 0,
    column_titles: Multiline = "",
    row_titles: Multiline = "",
) -> Image:
    """Lay pictures out in rows as one picture, with a title over each column and before each row.

    Titles are one a line.
    """
    pictures = [picture for image in images for picture in image.pixels]
    wide = columns or round(len(pictures) ** 0.5)
    sheet = in_grid(pictures, min(wide, len(pictures)), GAP)
    high = -(-len(pictures) // wide)
    above, before = column_titles.splitlines(), row_titles.splitlines()
    return Image(_titled(sheet, above[:wide], before[:high], wide, high)[None])


@node(title="X/Y Grid", category="sampling")
def xy_grid(
    model: Model[T, S],
    positive: Conditioning[T],
    negative: Conditioning[T],
    latent: Latent[S],
    vae: Vae[S],
    x: Annotated[str, OneOf(AXES)] = "cfg",
    x_values: Annotated[str, Field(description="Values with commas between them.")] = "2, 4, 8",
    y: Annotated[str, OneOf(AXES)] = "steps",
    y_values: Annotated[str, Field(description="Values with commas between them.")] = "5, 20",
    seed: Seed = 0,
    steps: Annotated[int, Field(ge=1, le=1000)] = 20,
    cfg: Cfg = 7.0,
    sampler: SamplerName = "euler",
    scheduler: SchedulerName = "normal",
    denoise: Annotated[float, Field(ge=0, le=1)] = 1.0,
) -> Image:
    """Sample once for each pair of values, as a picture of columns (x) and rows (y).

    Each cell is kept by itself: another value along an axis computes only its own cells.
    """
    across, down = values_of(x, x_values), values_of(y, y_values)
    if x == y:
        raise BadAxis(f"Both axes are {x}: choose another setting for one of them.")
    if len(across) * len(down) > MOST:
        raise BadAxis(
            f"{len(across)} x {len(down)} pictures are more than the {MOST} that a grid may have."
        )
    usual = {
        "seed": seed,
        "steps": steps,
        "cfg": cfg,
        "sampler": sampler,
        "scheduler": scheduler,
        "denoise": denoise,
    }
    nodes: dict[str, PlacedNode] = {}
    cells: dict[str, Wire] = {}
    for value_y in down:
        for value_x in across:
            cell = f"{value_x} {value_y}"
            samples, decoded = f"sample {cell}", f"decode {cell}"
            wires = {
                name: Wire(node=HERE, output=name)
                for name in ("model", "positive", "negative", "latent")
            }
            nodes[samples] = PlacedNode(
                type="k_sampler", inputs=wires, values={**usual, x: value_x, y: value_y}
            )
            picture = {
                "latent": Wire(node=samples, output="latent"),
                "vae": Wire(node=HERE, output="vae"),
            }
            nodes[decoded] = PlacedNode(type="vae_decode", inputs=picture)
            cells[f"images.{len(cells)}"] = Wire(node=decoded, output="image")
    titles = {
        "columns": len(across),
        "column_titles": "\n".join(f"{x} {value}" for value in across),
        "row_titles": "\n".join(f"{y} {value}" for value in down),
    }
    nodes["grid"] = PlacedNode(type="image_grid", inputs=cells, values=titles)
    whole = Workflow(nodes=nodes)
    wire = Wire(node="grid", output="image")
    return Expansion(whole, {"image": wire})  # type: ignore[return-value]  # becomes the picture


def values_of(axis: str, text: str) -> list[int | float | str]:
    """The values along an axis, from text with commas between them. Raises `BadAxis`."""
    words = [word.strip() for word in text.replace("\n", ",").split(",") if word.strip()]
    if not words:
        raise BadAxis(f"There are no values for {axis}: write some with commas between them.")
    return list(dict.fromkeys(_value(axis, word) for word in words))


def _value(axis: str, word: str) -> int | float | str:
    if axis in NAMES:
        if word not in NAMES[axis]:
            raise BadAxis(f"{word!r} is no {axis}; there are {', '.join(NAMES[axis])}.")
        return word
    try:
        number = json.loads(word)
    except ValueError:
        number = None
    fits = isinstance(number, int if axis in WHOLE else int | float)
    if not fits or isinstance(number, bool):
        kind = "a whole number" if axis in WHOLE else "a number"
        raise BadAxis(f"{word!r} is not {kind}, as values for {axis} must be.")
    value: int | float = number
    return value


def _titled(
    sheet: Tensor, above: Sequence[str], before: Sequence[str], columns: int, rows: int
) -> Tensor:
    """The grid with room for its titles, black on white"""
    if not above and not before:
        return sheet
    height, width = sheet.shape[:2]
    cell = ((height + GAP) // rows, (width + GAP) // columns)
    size = max(10, min(cell) // 10)
    font = ImageFont.load_default(size)
    # An empty drawing measures as any other.
    measure = ImageDraw.Draw(Pictures.new("RGB", (1, 1)))
    longest = max((measure.textlength(text, font=font) for text in before), default=0)
    top = 2 * size if above else 0
    left = round(longest) + size if before else 0
    page = Pictures.new("RGB", (left + width, top + height), "white")
    draw = ImageDraw.Draw(page)
    for index, text in enumerate(above):
        middle = left + index * cell[1] + (cell[1] - GAP) / 2
        draw.text((middle, top / 2), text, "black", font, anchor="mm")
    for index, text in enumerate(before):
        middle = top + index * cell[0] + (cell[0] - GAP) / 2
        draw.text((left - size / 2, middle), text, "black", font, anchor="rm")
    whole = torch.from_numpy(numpy.asarray(page, dtype=numpy.float32) / 255)
    whole[top:, left:] = sheet  # the pictures themselves are not rounded
    return whole
