"""Values of widgets: their schemas, their limits, and that both judges of them agree."""

import json
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from graph.describe import NodeError, adapter_of, schema_of
from graph.node import ValuesError, convert_values, definition_of, node
from graph.values import Checker, fault, unpack
from graph.widgets import ModelFile, Multiline, OneOf, Seed, Slider, is_file_name
from graph.workflow import PlacedNode
from tests.graph.small_world import k_sampler, load_image, load_vae

ANNOTATIONS: list[Any] = [
    bool,
    int,
    float,
    str,
    Seed,
    Multiline,
    Annotated[int, Field(ge=1, le=1000)],
    Annotated[int, Field(gt=-3, multiple_of=8)],
    Annotated[float, Field(ge=0, le=1)],
    Annotated[float, Field(gt=0.1, lt=0.9), Slider(step=0.1)],
    Annotated[str, Field(min_length=2, max_length=4)],
    Annotated[str, OneOf(["euler", "heun"])],
    Literal["nearest", "bilinear"],
    list[int],
    list[Annotated[float, Field(le=3)]],
    Annotated[list[str], Field(min_length=1, max_length=2)],
    list[list[bool]],
    int | None,
    Annotated[float, Field(ge=0)] | None,
    list[int] | None,
    Annotated[str, OneOf(["a", "b"])] | None,
]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-20, 1010)
    | st.integers(2**52, 2**65)
    | st.integers(2**52, 2**65).map(str)
    | st.floats()
    | st.integers(-5, 5).map(float)
    | st.sampled_from(["euler", "heun", "nearest", "a", "", "1", "1.0", "true"])
    | st.text(max_size=5)
    | st.just(10**400)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)


def accepted(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@settings(max_examples=150, deadline=None)
@given(value=VALUES)
def test_the_server_and_the_worker_judge_every_value_alike(annotation: Any, value: Any) -> None:
    adapter = adapter_of(annotation)
    schema = schema_of(adapter, [])
    value = unpack(schema, value)
    assert (fault(schema, value) is None) == accepted(adapter, value)


@pytest.mark.parametrize(
    ("schema", "value", "code", "reason"),
    [
        ({"type": "integer"}, True, "invalid_value", "must be a whole number, not true"),
        ({"type": "integer"}, 1.0, "invalid_value", "must be a whole number, not 1.0"),
        ({"type": "number"}, True, "invalid_value", "must be a number, not true"),
        ({"type": "number"}, float("nan"), "invalid_value", "must be a number, not NaN"),
        ({"type": "number", "maximum": 1}, 2, "out_of_range", "must be at most 1, not 2"),
        ({"type": "integer", "minimum": 1}, 0, "out_of_range", "must be at least 1, not 0"),
        ({"type": "integer", "multipleOf": 8}, 9, "out_of_range", "must be a multiple of 8, not 9"),
        (
            {"type": "string", "enum": ["a", "b"]},
            "c",
            "invalid_value",
            'must be one of "a", "b", not "c"',
        ),
        (
            {"type": "array", "items": {"type": "integer"}},
            [1, "x"],
            "invalid_value",
            'entry 2 must be a whole number, not "x"',
        ),
        (
            {"anyOf": [{"type": "integer", "maximum": 3}, {"type": "null"}]},
            4,
            "out_of_range",
            "must be at most 3, not 4",
        ),
    ],
)
def test_a_wrong_value_is_told_in_words(schema: Any, value: Any, code: str, reason: str) -> None:
    assert fault(schema, value) == (code, reason)


def test_equal_numbers_of_different_types_are_judged_apart_although_judgements_are_kept() -> None:
    whole = Checker({"type": "integer"})
    for value in (1, 1.0, True, 1, 0, False, 0.0):
        assert (whole.fault(value) is None) is (type(value) is int)


@pytest.mark.parametrize("seed", [0, 2**53 - 1, 2**53, 2**64 - 1])
def test_a_seed_survives_the_saved_form_digit_by_digit(seed: int) -> None:
    saved = PlacedNode(type="k_sampler", values={"seed": seed}).model_dump(mode="json")
    read = json.loads(json.dumps(saved))["values"]["seed"]
    assert isinstance(read, str) == (seed >= 2**53)
    assert convert_values(k_sampler, {"seed": read})["seed"] == seed


@pytest.mark.parametrize(
    "seed", ["7", "1e300", "018446744073709551615", "18446744073709551616", -1]
)
def test_a_seed_that_is_no_packed_integer_or_too_large_is_refused(seed: Any) -> None:
    with pytest.raises(ValuesError, match="Seed must be"):
        convert_values(k_sampler, {"seed": seed})


def test_a_large_integer_in_a_text_stays_a_text() -> None:
    assert unpack({"type": "string"}, "18446744073709551615") == "18446744073709551615"


def test_defaults_are_filled_in_and_every_wrong_value_is_named() -> None:
    assert convert_values(k_sampler, {"steps": 5}) == {
        "seed": 0,
        "steps": 5,
        "cfg": 7.0,
        "sampler": "euler",
    }
    with pytest.raises(ValuesError) as caught:
        convert_values(k_sampler, {"steps": 0, "cfg": "high", "sed": 1})
    assert caught.value.reasons == {
        "steps": "Steps must be at least 1, not 0.",
        "cfg": 'CFG must be a number, not "high".',
        "sed": "There is no value 'sed'.",
    }


def test_a_required_value_may_come_along_a_wire() -> None:
    @node(category="tests")
    def needs(count: int) -> int:
        return count

    assert convert_values(needs, {}, wired=["count"]) == {}
    with pytest.raises(ValuesError, match="Count has no value"):
        convert_values(needs, {})


def test_a_file_widget_holds_a_name_inside_its_folder() -> None:
    widget = definition_of(load_vae).widgets[0]
    assert (widget.folder, widget.control, widget.required) == ("vae", "model_file", True)
    assert convert_values(load_vae, {"file": "sd/ft.safetensors"}) == {"file": "sd/ft.safetensors"}
    image = definition_of(load_image).widgets[0]
    assert (image.folder, image.control) == ("input", "image_file")
    with pytest.raises(ValuesError, match="File must name a file inside its folder"):
        convert_values(load_vae, {"file": "../secret.safetensors"})


@pytest.mark.parametrize(
    "name", ["../a", "a/../b", "/etc/passwd", "C:/a", "a\\b", "", "a//b", ".", "a\x00b", "a/."]
)
def test_a_name_that_leaves_its_folder_is_no_file_name(name: str) -> None:
    assert not is_file_name(name)


@pytest.mark.parametrize("name", ["a.safetensors", "sd/ft mse (1).safetensors", "..a", "é?.png"])
def test_a_relative_name_is_a_file_name(name: str) -> None:
    assert is_file_name(name)


def test_a_slider_tells_the_editor_its_step_and_refuses_nothing_between() -> None:
    @node(category="tests")
    def slide(strength: Annotated[float, Field(ge=0, le=1), Slider(step=0.25)] = 1.0) -> float:
        return strength

    (widget,) = definition_of(slide).widgets
    assert widget.control == "slider"
    assert widget.schema_ == {"type": "number", "minimum": 0, "maximum": 1, "step": 0.25}
    assert convert_values(slide, {"strength": 0.3}) == {"strength": 0.3}


@pytest.mark.parametrize(
    "annotation",
    [
        bytes,
        complex,
        set[int],
        tuple[int, int],
        dict[str, int],
        int | str,
        Literal[1, 2],
        object,
        ModelFile,
        Annotated[float, Field(multiple_of=0.1)],
        Annotated[str, Field(pattern="^a")],
        Annotated[int, lambda value: value],
        Annotated[int, Field(default=3)],
        Annotated[str, Field(ge=3)],
    ],
    ids=str,
)
def test_what_json_schema_cannot_express_is_refused(annotation: Any) -> None:
    with pytest.raises(NodeError):
        adapter_of(annotation)
