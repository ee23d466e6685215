"""Draw a scene as a picture: 128x128 RGB, drawn at twice the size and averaged down."""

import math
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from starter.scenes import COLOURS, Scene, Thing

SIDE = 128
SCALE = 2  # drawing scale; averaging it away smooths the edges
RADII = {  # pixels, by number of things and size word
    1: {"small": (19, 25), None: (24, 46), "large": (42, 50)},
    2: {"small": (16, 19), None: (19, 27), "large": (26, 29)},
}
PERIOD = 18  # pixels between stripes or dots: coarse enough for latents of 8 pixels

Box = tuple[float, float, float, float]
Rgb = tuple[int, int, int]


def draw(scene: Scene, rng: random.Random) -> NDArray[np.uint8]:
    """The scene as uint8 (128, 128, 3); `rng` settles what the words leave open."""
    side = SIDE * SCALE
    picture = _fill(scene.background, scene.background_style, (0, 0, side, side))
    for thing, (x, y, radius) in zip(scene.things, places(scene, rng), strict=True):
        x, y, radius = x * SCALE, y * SCALE, radius * SCALE
        box = (x - radius, y - radius, x + radius, y + radius)
        picture.paste(_fill(thing.colour, thing.style, box), (0, 0), outline(thing.shape, box))
    return np.asarray(picture.reduce(SCALE))


def places(scene: Scene, rng: random.Random) -> list[tuple[float, float, float]]:
    """Centre x, y and radius of each thing, in pixels of the finished picture."""
    radii = [_radius(thing, len(scene.things), rng) for thing in scene.things]
    middle = SIDE / 2
    if len(radii) == 1:
        spread = min(12.0, middle - radii[0] - 4)
        x, y = (middle + rng.uniform(-spread, spread) for _ in "xy")
        return [(x, y, radii[0])]
    # two things keep to their own halves; the other axis may drift
    found = []
    first_is_low = scene.relation in ("left of", "above")
    for index, radius in enumerate(radii):
        low = first_is_low == (index == 0)
        along = (32 if low else 96) + rng.uniform(-2, 2)
        across = middle + rng.uniform(-8, 8)
        sideways = scene.relation in ("left of", "right of")
        x, y = (along, across) if sideways else (across, along)
        found.append((x, y, radius))
    return found


def outline(shape: str, box: Box) -> Image.Image:
    """The filled shape as a mask (white on black) of the drawing's size."""
    mask = Image.new("L", (SIDE * SCALE, SIDE * SCALE), 0)
    pen = ImageDraw.Draw(mask)
    match shape:
        case "circle":
            pen.ellipse(box, fill=255)
        case "ring":
            pen.ellipse(box, fill=255)
            pen.ellipse(_around(box, 0.52), fill=0)
        case "moon":
            pen.ellipse(box, fill=255)
            bite = Image.new("L", mask.size, 0)
            ImageDraw.Draw(bite).ellipse(_around(box, 0.8, shift=(0.5, -0.15)), fill=255)
            mask = ImageChops.subtract(mask, bite)
        case _:
            pen.polygon([_within(box, x, y) for x, y in POLYGONS[shape]], fill=255)
    return mask


def _star() -> list[tuple[float, float]]:
    corners = []
    for index in range(10):
        angle = math.pi * (index / 5 - 0.5)
        length = 1.05 if index % 2 == 0 else 0.45
        corners.append((length * math.cos(angle), length * math.sin(angle) + 0.05))
    return corners


def _heart() -> list[tuple[float, float]]:
    corners = []
    for index in range(48):
        t = 2 * math.pi * index / 48
        x = math.sin(t) ** 3
        y = (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16
        corners.append((x, -y - 0.1))
    return corners


POLYGONS: dict[str, list[tuple[float, float]]] = {  # in units of the radius, y downwards
    "square": [(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
    "diamond": [(0, -1.05), (0.8, 0), (0, 1.05), (-0.8, 0)],
    "triangle": [(0, -1), (1.05, 0.85), (-1.05, 0.85)],
    "cross": [
        *((-0.33, -1), (0.33, -1), (0.33, -0.33), (1, -0.33), (1, 0.33), (0.33, 0.33)),
        *((0.33, 1), (-0.33, 1), (-0.33, 0.33), (-1, 0.33), (-1, -0.33), (-0.33, -0.33)),
    ],
    "star": _star(),
    "heart": _heart(),
}


def _radius(thing: Thing, number: int, rng: random.Random) -> float:
    return rng.uniform(*RADII[number][thing.size])


def _within(box: Box, x: float, y: float) -> tuple[float, float]:
    left, top, right, bottom = box
    return (
        (left + right) / 2 + x * (right - left) / 2,
        (top + bottom) / 2 + y * (bottom - top) / 2,
    )


def _around(box: Box, size: float, shift: tuple[float, float] = (0, 0)) -> Box:
    left, top = _within(box, shift[0] - size, shift[1] - size)
    right, bottom = _within(box, shift[0] + size, shift[1] + size)
    return (left, top, right, bottom)


def shade(colour: Rgb) -> Rgb:
    """A clearly lighter tone of a dark colour, a clearly darker one of a light colour."""
    bright = 0.3 * colour[0] + 0.6 * colour[1] + 0.1 * colour[2] > 150
    target, amount = (0, 0.35) if bright else (255, 0.45)
    red, green, blue = (round(part + amount * (target - part)) for part in colour)
    return red, green, blue


def _fill(colour: str, style: str | None, box: Box) -> Image.Image:
    """A whole picture of one colour, or of a pattern that starts at the box's corner."""
    side = SIDE * SCALE
    base, other = COLOURS[colour], shade(COLOURS[colour])
    picture = Image.new("RGB", (side, side), base)
    left, top, right, bottom = box
    period = PERIOD * SCALE
    pen = ImageDraw.Draw(picture)
    if style == "striped":
        for y in _grid(top + period / 2, bottom, period):
            pen.rectangle((left, y, right, y + period / 2), fill=other)
    elif style == "dotted":
        radius = 0.28 * period
        for y in _grid(top + period / 2, bottom, period):
            for x in _grid(left + period / 2, right, period):
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=other)
    elif style == "gradient":
        share = np.clip((np.arange(side) - top) / (bottom - top), 0, 1)[:, None]  # (side, 1)
        column = np.array(base) * (1 - share) + np.array(other) * share  # (side, 3)
        rows = np.repeat(column[:, None].round().astype(np.uint8), side, axis=1)
        picture = Image.fromarray(rows)
    return picture


def _grid(start: float, stop: float, step: float) -> list[float]:
    return [start + step * index for index in range(max(0, math.ceil((stop - start) / step)))]
