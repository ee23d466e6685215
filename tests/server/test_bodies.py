"""What cannot be read is refused with a sentence, whatever is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.bodies import DEEPEST, json_of
from server.errors import BadRequest


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return (opening * depth + closing * depth).encode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1,}', "line 1, column 9"),
        (b"\xff\xfe", "UTF-8"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999]", "too large"),
        (b"9" * 5000, "too long"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (nested(DEEPEST + 1), "levels deep"),
        (nested(100_000), "levels deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "levels deep"),
    ],
)
def test_bad_json_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence) as refused:
        json_of(data)
    assert str(refused.value).endswith(".")


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert json_of(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert json_of(nested(DEEPEST - 1))


values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(values)
def test_every_proper_value_is_read_as_it_was_written(value: Any) -> None:
    assert json_of(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    try:
        value = json_of(data)
    except BadRequest:
        return
    assert value == json.loads(data.decode("utf-8-sig"))
