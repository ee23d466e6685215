"""Prompts name embeddings by `embedding:name`, as people write it for other programs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion.mentions import file_names, mentions, short_name, spelled
from diffusion.prompt import Segment, segments


def names(text: str) -> list[str]:
    return [mention.name for mention in mentions(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("embedding:inky", ["inky"]),
        ("a cat, embedding:inky, on a mat", ["inky"]),
        ("embedding:inky.safetensors", ["inky.safetensors"]),
        ("(embedding:inky:1.2)", ["inky"]),
        ("((embedding:inky))", ["inky"]),
        ("(embedding:42)", ["42"]),
        ("(embedding:1.5:0.8)", ["1.5"]),
        ("embedding:styles/inky", ["styles/inky"]),
        ("embedding:styles\\inky", ["styles/inky"]),
        ("embedding:one embedding:two", ["one", "two"]),
        ("by embedding:inky.", ["inky"]),
        ("embedding:inky.v2!", ["inky.v2"]),
        ("embedding:inky\\(2\\)", ["inky(2)"]),
        ('embedding:"two words, one name"', ["two words, one name"]),
        ('embedding:"two \\(words\\)" here', ["two (words)"]),
        ("{embedding:one|embedding:two}", ["one", "two"]),
        ("embedding:\nnothing", []),
        ("embedding: nothing", []),
        ("embedding:...", []),
        ("an embedding of words", []),
        ("myembedding:inky", []),
    ],
)
def test_the_names_in_a_prompt(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_a_mention_says_where_it_stands() -> None:
    text = 'a cat, (embedding:inky.:1.2) and embedding:"two words" too'
    found = [text[one.start : one.end] for one in mentions(text)]
    assert found == ["embedding:inky", 'embedding:"two words"']


def test_an_embedding_is_a_part_of_its_own_with_the_weight_of_its_brackets() -> None:
    assert segments("a cat (embedding:inky:1.2), embedding:b on (a mat)") == [
        Segment("a cat ", 1.0),
        Segment("embedding:inky", 1.2, "inky"),
        Segment(",", 1.0),
        Segment("embedding:b", 1.0, "b"),
        Segment("on", 1.0),
        Segment("a mat", 1.1),
    ]


def test_a_name_that_looks_like_a_number_is_no_weight() -> None:
    assert segments("(embedding:42)") == [Segment("embedding:42", 1.1, "42")]
    assert segments("(embedding:42:0.5)") == [Segment("embedding:42", 0.5, "42")]
    assert segments("(embeddings:1.3)") == [Segment("embeddings", 1.3)]


PIECES = st.sampled_from(
    ["embedding:", "ink", " ", ",", "(", ")", "\\(", "\\)", ":1.2", ".", '"', "/", "\\", "|", "7"]
)


@settings(max_examples=1000)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_what_encoders_read_is_what_is_found_in_the_text(text: str) -> None:
    assert [part.embedding for part in segments(text) if part.embedding] == names(text)


LETTERS = st.characters(blacklist_characters='\\"', blacklist_categories=("C", "Z"))


@given(st.text(LETTERS | st.just(" "), min_size=1))
def test_what_is_offered_names_the_file_again(name: str) -> None:
    assert names(f"a {spelled(name)}, b") == [name]


def test_a_files_ending_may_be_left_out() -> None:
    assert file_names("inky")[0] == "inky.safetensors"
    assert file_names("inky.pt")[:2] == ("inky.pt", "inky.pt.safetensors")
    assert short_name("styles/inky.v2.safetensors") == "styles/inky.v2"
