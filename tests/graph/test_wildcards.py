"""Choices in a text are made with a seed, and a text that cannot be drawn is refused in words."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.wildcards import BadWildcard, drawn, has_choices

LISTS = {
    "colour": ["red", "# a comment", "", "blue "],
    "thing": ["{small|large} __colour__ ball"],
    "loop": ["__loop__"],
    "empty": ["  "],
}


def words(name: str) -> list[str]:
    if name not in LISTS:
        raise BadWildcard(f"There is no list {name!r}.")
    return LISTS[name]


def many(text: str, count: int = 400) -> Counter[str]:
    draw = random.Random(1)
    return Counter(drawn(text, draw, words) for _ in range(count))


def test_every_choice_comes_up_about_equally_often() -> None:
    found = many("a {red|green|blue} ball")
    assert set(found) == {"a red ball", "a green ball", "a blue ball"}
    # 400 draws: 133 each are expected, with a deviation of 9.4; five deviations are 47.
    assert all(abs(count - 400 / 3) < 47 for count in found.values())


def test_weights_shift_the_odds_and_nothing_may_be_chosen() -> None:
    found = many("{3::x|}")
    assert set(found) == {"x", ""}
    assert abs(found["x"] - 300) < 45  # five standard deviations of 8.7


def test_choices_and_lists_hold_each_other() -> None:
    assert set(many("a {__colour__ cat|dog}")) == {"a red cat", "a blue cat", "a dog"}
    assert set(many("{a|{b|c}}")) == {"a", "b", "c"}
    expected = {
        f"{size} {colour} ball" for size in ("small", "large") for colour in ("red", "blue")
    }
    assert set(many("__thing__")) == expected


def test_the_same_seed_makes_the_same_choices() -> None:
    text = "{a|b|c} __colour__ {1|2|3}"
    assert drawn(text, random.Random(7), words) == drawn(text, random.Random(7), words)
    assert len({drawn(text, random.Random(seed), words) for seed in range(30)}) > 5


def test_a_backslash_takes_the_next_sign_as_it_is() -> None:
    assert drawn(r"\{a\|b\} \_\_colour\_\_ {x\|y}", random.Random(0), words) == (
        "{a|b} __colour__ x|y"
    )
    assert not has_choices(r"\{a|b\}")
    assert has_choices("__colour__")


@given(st.text(st.characters(exclude_characters="{}_\\", exclude_categories=["Co", "Cs"])))
def test_a_text_without_choices_stays_as_it_is(text: str) -> None:
    assert drawn(text, random.Random(0), words) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a {b", "no partner"),
        ("a b}", "no partner"),
        ("__nothing__", "no list 'nothing'"),
        ("__empty__", "no lines"),
        ("__loop__", "without end"),
        ("{0::a|0::b}", "weight 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(text: str, reason: str) -> None:
    with pytest.raises(BadWildcard, match=reason):
        drawn(text, random.Random(0), words)
