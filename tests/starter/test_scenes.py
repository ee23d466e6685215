"""Scenes, captions and pictures: what is kept back, what is said, what is drawn."""

import random

import numpy as np
import pytest

from starter.captions import caption, plain_caption, words_of_captions
from starter.measure import judge, likeliest_shape, unseen_prompts, unseen_scenes
from starter.pictures import draw, outline
from starter.scenes import COLOURS, SHAPES, Scene, Thing, is_held_out, random_scene, turned

REQUIRED_COLOURS = {"red", "green", "blue", "yellow", "purple", "orange", "white", "black"}


def test_the_vocabulary_of_things_is_as_wide_as_promised() -> None:
    assert len(SHAPES) >= 8
    assert len(COLOURS) >= 10
    assert set(COLOURS) >= REQUIRED_COLOURS


def test_training_never_sees_a_kept_back_mixture() -> None:
    rng = random.Random(0)
    assert not any(is_held_out(random_scene(rng)) for _ in range(2000))


def test_what_is_kept_back_does_not_depend_on_order_size_or_pattern() -> None:
    rng = random.Random(1)
    for _ in range(200):
        scene = random_scene(rng, held_out=True)
        bare = tuple(Thing(thing.shape, thing.colour) for thing in reversed(scene.things))
        assert is_held_out(Scene(bare, scene.background, relation="above"))


def test_the_proofs_prompts_are_fixed_and_unseen() -> None:
    scenes = unseen_scenes(100)
    assert all(is_held_out(scene) for scene in scenes)
    assert sum(len(scene.things) == 2 for scene in scenes) == 50
    assert unseen_prompts(100)[:20] == unseen_prompts(20)


def test_a_turned_scene_is_the_same_picture_in_other_words() -> None:
    pair = Scene((Thing("ring", "red"), Thing("star", "blue")), "white", relation="below")
    assert plain_caption(turned(pair)) == "a blue star above a red ring on a white background"
    assert turned(turned(pair)) == pair
    drawn = draw(pair, random.Random(7))
    assert judge(drawn, turned(pair)).order is True
    single = Scene((Thing("ring", "red"),), "white")
    assert turned(single) == single


def test_captions_read_as_plain_english() -> None:
    circle = Scene((Thing("circle", "red", "large"),), "white")
    assert plain_caption(circle) == "a large red circle on a white background"
    pair = Scene((Thing("star", "green"), Thing("square", "orange")), "black", relation="left of")
    expected = "a green star left of an orange square on a black background"
    assert plain_caption(pair) == expected
    striped = Scene((Thing("ring", "blue", "small", "striped"),), "grey")
    assert plain_caption(striped) == "a small striped blue ring on a grey background"


def test_captions_vary_and_name_every_colour_that_they_can() -> None:
    scene = Scene((Thing("heart", "pink"),), "cyan")
    captions = {caption(scene, random.Random(seed)) for seed in range(300)}
    assert len(captions) > 15
    assert all("pink heart" in text for text in captions)
    assert sum("cyan" in text for text in captions) > 0.8 * len(captions)
    assert "pink heart, cyan background" in captions


def test_every_word_of_a_caption_is_in_the_list_of_words() -> None:
    rng = random.Random(2)
    words = set(words_of_captions())
    for _ in range(2000):
        text = caption(random_scene(rng), rng)
        assert set(text.replace(",", " ").split()) <= words, text


def test_the_same_die_draws_the_same_picture() -> None:
    scene = random_scene(random.Random(3))
    first, second = (draw(scene, random.Random(4)) for _ in range(2))
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)


def test_the_judge_agrees_with_the_painter() -> None:
    rng = random.Random(5)
    verdicts = [judge(draw(scene, rng), scene) for scene in unseen_scenes(100)]
    assert all(verdict.colours for verdict in verdicts)
    assert all(verdict.order is not False for verdict in verdicts)
    shapes = [right for verdict in verdicts for right in verdict.shapes]
    # the blend along an edge can pass for a third colour and disturb an outline
    assert sum(shapes) >= 0.95 * len(shapes)


def test_the_judge_sees_wrong_colours_and_wrong_order() -> None:
    red, blue = Thing("circle", "red"), Thing("star", "blue")
    drawn = draw(Scene((red, blue), "white", relation="left of"), random.Random(6))
    swapped = judge(drawn, Scene((blue, red), "white", relation="left of"))
    assert swapped.colours
    assert swapped.order is False
    assert judge(drawn, Scene((red, blue), "white", relation="above")).order is False
    assert not judge(drawn, Scene((red, blue), "yellow", relation="left of")).background
    other = Scene((Thing("circle", "green"), blue), "white", relation="left of")
    assert not judge(drawn, other).things


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_told_from_all_others(shape: str) -> None:
    mask = np.asarray(outline(shape, (80, 80, 180, 180)).reduce(2)) > 127
    assert likeliest_shape(mask) == shape
