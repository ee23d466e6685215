"""Judge a picture of a scene by its pixels: its colours, the order of its things, its shapes."""

import random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from starter.captions import plain_caption
from starter.pictures import SCALE, SIDE, outline
from starter.scenes import COLOURS, SHAPES, Scene, random_scene

FRAME = 5  # pixels at the picture's edge that no thing reaches
LEAST_SHARE = 0.01  # of the picture: what counts as a thing at all
NAMES = list(COLOURS)


class Verdict(NamedTuple):
    """What of a prompt its picture shows. `order` is None where there is one thing only."""

    background: bool
    things: bool
    order: bool | None
    shapes: tuple[bool, ...]  # one per thing

    @property
    def colours(self) -> bool:
        return self.background and self.things


def unseen_scenes(number: int) -> list[Scene]:
    """The fixed scenes of the proof: mixtures never trained on, one thing and two in turn."""
    rng = random.Random("proof")
    scenes: list[Scene] = []
    while len(scenes) < number:
        scene = random_scene(rng, held_out=True)
        plain = not scene.background_style and not any(thing.style for thing in scene.things)
        if plain and len(scene.things) == 1 + len(scenes) % 2:
            scenes.append(scene)
    return scenes


def unseen_prompts(number: int) -> list[str]:
    return [plain_caption(scene) for scene in unseen_scenes(number)]


def judge(picture: NDArray[np.uint8], scene: Scene) -> Verdict:
    """Compares a picture, uint8 (128, 128, 3), with the scene that was asked for."""
    named = nearest_colours(picture)  # (128, 128), indices into NAMES
    frame = np.ones_like(named, dtype=bool)
    frame[FRAME:-FRAME, FRAME:-FRAME] = False
    background = NAMES[np.bincount(named[frame], minlength=len(NAMES)).argmax()]
    counts = np.bincount(named.ravel(), minlength=len(NAMES))
    counts[NAMES.index(background)] = 0
    asked = {thing.colour for thing in scene.things}
    largest = {NAMES[index] for index in counts.argsort()[::-1][: len(asked)]}
    visible = all(counts[NAMES.index(c)] >= LEAST_SHARE * named.size for c in asked)
    masks = [named == NAMES.index(thing.colour) for thing in scene.things]
    return Verdict(
        background=background == scene.background,
        things=visible and largest == asked,
        order=_in_order(masks, scene.relation) if scene.relation else None,
        shapes=tuple(
            likeliest_shape(mask) == thing.shape
            for mask, thing in zip(masks, scene.things, strict=True)
        ),
    )


def nearest_colours(picture: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The index of each pixel's nearest named colour, (height, width)."""
    palette = np.array([COLOURS[name] for name in NAMES], dtype=np.float32)  # (12, 3)
    distance = np.linalg.norm(picture[:, :, None].astype(np.float32) - palette, axis=-1)
    return distance.argmin(axis=-1)


def likeliest_shape(mask: NDArray[np.bool_]) -> str | None:
    """The shape whose outline overlaps the mask best, both scaled to their own boxes."""
    if mask.sum() < LEAST_SHARE * mask.size:
        return None
    own = _in_box(mask)
    overlaps = {}
    for shape in SHAPES:
        whole = SIDE * SCALE
        ideal = np.asarray(outline(shape, (60, 60, whole - 60, whole - 60))) > 127
        other = _in_box(ideal)
        overlaps[shape] = (own & other).sum() / (own | other).sum()
    return max(overlaps, key=lambda shape: overlaps[shape])


def _in_box(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask's filled part in a square box, 48x48; lone pixels do not widen the box."""
    rows, columns = (_extent(mask.sum(axis=axis)) for axis in (1, 0))
    side = max(rows[1] - rows[0], columns[1] - columns[0])
    corners = [(low + high - side) // 2 for low, high in (rows, columns)]
    padded = np.pad(mask, side)
    top, left = (corner + side for corner in corners)
    part = padded[top : top + side, left : left + side]
    small = Image.fromarray(part.astype(np.uint8) * 255).resize((48, 48), Image.Resampling.BOX)
    return np.asarray(small) > 127


def _extent(counts: NDArray[np.intp]) -> tuple[int, int]:
    """First and last (exclusive) place with at least two pixels."""
    places = np.flatnonzero(counts >= 2)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 1)


def _in_order(masks: list[NDArray[np.bool_]], relation: str) -> bool:
    """Whether the first mask's middle lies where the relation says, and mostly there."""
    if not all(mask.any() for mask in masks):
        return False
    (y1, x1), (y2, x2) = (np.argwhere(mask).mean(axis=0) for mask in masks)
    right, down = x2 - x1, y2 - y1
    along, across = (right, down) if relation in ("left of", "right of") else (down, right)
    if relation in ("right of", "below"):
        along = -along
    return bool(along > abs(across))
