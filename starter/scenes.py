"""What a training picture shows, as data, and which mixtures are kept back from training."""

import hashlib
import random
from dataclasses import dataclass, replace

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (216, 36, 40),
    "green": (36, 156, 60),
    "blue": (36, 76, 216),
    "yellow": (248, 216, 40),
    "purple": (128, 44, 168),
    "orange": (248, 132, 28),
    "pink": (250, 156, 200),
    "cyan": (48, 200, 220),
    "brown": (120, 72, 36),
    "grey": (132, 132, 132),
    "white": (250, 250, 250),
    "black": (12, 12, 12),
}
SHAPES = ("circle", "square", "triangle", "star", "heart", "cross", "ring", "diamond", "moon")
SIZES = ("small", "large")
STYLES = ("striped", "dotted", "gradient")
RELATIONS = ("left of", "right of", "above", "below")

HELD_OUT_PERCENT = 8  # of the mixtures; never drawn for training


@dataclass(frozen=True)
class Thing:
    """One object: a shape in a colour, perhaps of a named size or with a pattern."""

    shape: str
    colour: str
    size: str | None = None
    style: str | None = None


@dataclass(frozen=True)
class Scene:
    """One or two things on a background; with two, `relation` says where the first one is."""

    things: tuple[Thing, ...]
    background: str
    background_style: str | None = None
    relation: str | None = None


def turned(scene: Scene) -> Scene:
    """The same picture in other words: "A right of B" as "B left of A", and so on."""
    opposites = dict(zip(RELATIONS, (RELATIONS[i] for i in (1, 0, 3, 2)), strict=True))
    if scene.relation is None:
        return scene
    return replace(scene, things=scene.things[::-1], relation=opposites[scene.relation])


def is_held_out(scene: Scene) -> bool:
    """Whether training must never see this scene's mixture of shapes and colours.

    Kept back are triples (shape, its colour, background) and pairs of coloured shapes, chosen by
    a hash of their words, so that the choice is the same on every machine. Order, sizes and
    patterns do not matter: a kept-back pair is kept back in every arrangement.
    """
    triples = [f"{thing.shape} {thing.colour} {scene.background}" for thing in scene.things]
    names = sorted(f"{thing.shape} {thing.colour}" for thing in scene.things)
    pairs = [" / ".join(names)] if len(names) == 2 else []
    return any(_percent(words) < HELD_OUT_PERCENT for words in triples + pairs)


def random_scene(rng: random.Random, *, held_out: bool = False) -> Scene:
    """A scene for training, or with `held_out` one that training never sees."""
    while True:
        scene = _any_scene(rng)
        if is_held_out(scene) == held_out:
            return scene


def _any_scene(rng: random.Random) -> Scene:
    number = 2 if rng.random() < 0.5 else 1
    *colours, background = rng.sample(list(COLOURS), number + 1)
    things = tuple(
        Thing(
            shape=rng.choice(SHAPES),
            colour=colour,
            size=rng.choice(SIZES) if rng.random() < (0.5 if number == 1 else 0.25) else None,
            style=rng.choice(STYLES) if rng.random() < 0.15 else None,
        )
        for colour in colours
    )
    return Scene(
        things,
        background,
        background_style=rng.choice(STYLES) if rng.random() < 0.07 else None,
        relation=rng.choice(RELATIONS) if number == 2 else None,
    )


def _percent(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4]) % 100
