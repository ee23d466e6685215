"""Prompts are read as weighted segments and cut into chunks."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion.prompt import Special, Token, chunked, segments

START, END, PAD = 100, 101, 102
SPECIAL = Special(START, END, PAD)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a cat", [("a cat", 1.0)]),
        ("", []),
        ("()", []),
        ("a (cat)", [("a ", 1.0), ("cat", 1.1)]),
        ("a (cat:1.3) here", [("a ", 1.0), ("cat", 1.3), (" here", 1.0)]),
        ("((cat))", [("cat", 1.1 * 1.1)]),
        ("(a (cat:0.5) b)", [("a ", 1.1), ("cat", 0.5), (" b", 1.1)]),
        ("((cat:1.3):2)", [("cat", 1.3)]),
        ("(a (b):2)", [("a ", 2.0), ("b", 2.0 * 1.1)]),
        ("(cat: 1.2 )", [("cat", 1.2)]),
        ("(cat:-0.5)", [("cat", -0.5)]),
        ("(ratio 16:9:1.2)", [("ratio 16:9", 1.2)]),
        ("(note: cat)", [("note: cat", 1.1)]),
        ("(cat:nan)", [("cat:nan", 1.1)]),
        ("(cat:inf)", [("cat:inf", 1.1)]),
        ("(:1.2)", [(":1.2", 1.1)]),
        (r"a \(cat\)", [("a (cat)", 1.0)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        (r"(cat\)", [("(cat)", 1.0)]),
        ("[cat]", [("[cat]", 1.0)]),
        ("a (cat", [("a ", 1.0), ("(cat", 1.0)]),
        ("((cat)", [("(cat", 1.1)]),
        ("cat) a", [("cat) a", 1.0)]),
    ],
)
def test_brackets_become_weights(prompt: str, expected: list[tuple[str, float]]) -> None:
    found = segments(prompt)
    assert [part.text for part in found] == [text for text, _ in expected]
    assert [part.weight for part in found] == pytest.approx([weight for _, weight in expected])


def test_brackets_may_be_nested_deeper_than_python_recurses() -> None:
    [part] = segments("(" * 2000 + "cat:1.5" + ")" * 2000)
    assert (part.text, part.weight) == ("cat", 1.5)


@given(st.text(alphabet="ab():.1\\ ", max_size=30))
def test_no_letter_is_lost_whatever_the_brackets(prompt: str) -> None:
    kept = "".join(part.text for part in segments(prompt))
    for letter in "ab":
        assert kept.count(letter) == prompt.count(letter)


def group(length: int, weight: float = 1.0) -> list[Token]:
    return [Token(number, weight) for number in range(length)]


def ids(chunk: list[Token]) -> list[int]:
    return [token.id for token in chunk]


def test_an_empty_prompt_is_one_chunk_of_padding() -> None:
    [chunk] = chunked([], 77, SPECIAL)
    assert ids(chunk) == [START, END] + [PAD] * 75


def test_a_full_chunk_begins_no_second_one() -> None:
    [chunk] = chunked([group(75)], 77, SPECIAL)
    assert ids(chunk) == [START, *range(75), END]


def test_a_long_segment_is_cut_at_the_border() -> None:
    first, second = chunked([group(80)], 77, SPECIAL)
    assert ids(first) == [START, *range(75), END]
    assert ids(second) == [START, *range(75, 80), END] + [PAD] * 70


def test_a_short_segment_moves_to_the_next_chunk_whole() -> None:
    first, second = chunked([group(70), group(7, 1.3)], 77, SPECIAL)
    assert ids(first) == [START, *range(70), END] + [PAD] * 5
    assert ids(second) == [START, *range(7), END] + [PAD] * 68
    assert [token.weight for token in second] == [1.0] + [1.3] * 7 + [1.0] * 69


def test_a_segment_of_eight_tokens_is_cut() -> None:
    first, _ = chunked([group(70), group(8)], 77, SPECIAL)
    assert ids(first) == [START, *range(70), *range(5), END]


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(3, 40))
@settings(deadline=None)
def test_all_tokens_arrive_in_order_in_chunks_of_one_length(sizes: list[int], length: int) -> None:
    numbers = itertools.count(1000)
    groups = [[Token(next(numbers), 1.2) for _ in range(size)] for size in sizes]
    chunks = chunked(groups, length, SPECIAL)
    assert {len(chunk) for chunk in chunks} == {length}
    assert all(chunk[0].id == START for chunk in chunks)
    arrived = [token.id for chunk in chunks for token in chunk if token.id >= 1000]
    assert arrived == list(range(1000, 1000 + sum(sizes)))
