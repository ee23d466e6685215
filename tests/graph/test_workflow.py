"""The saved form: what is written is what is read, names everywhere, exact integers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.layout import Layout, Place
from graph.workflow import EXACT_INTEGER, VERSION, PlacedNode, Wire, Workflow
from tests.graph.small_world import text_to_image


def written(value: Any) -> Any:
    """What a widget's value is in the file."""
    flow = Workflow(nodes={"a": PlacedNode(type="x", values={"v": value})})
    return json.loads(flow.to_text())["nodes"]["a"]["values"]["v"]


def test_the_file_the_request_and_the_queue_hold_the_same_json() -> None:
    flow = text_to_image()
    assert json.loads(flow.to_text()) == flow.to_json()
    assert Workflow.model_validate_json(flow.to_text()) == flow
    assert flow.to_json()["version"] == VERSION


def test_a_wire_is_stored_at_its_input_so_that_two_into_one_cannot_be_written() -> None:
    saved = text_to_image().to_json()["nodes"]["decode"]
    assert saved["inputs"] == {
        "latent": {"node": "sampler", "output": "latent"},
        "vae": {"node": "checkpoint", "output": "vae"},
    }


@pytest.mark.parametrize("number", [0, 1, -1, EXACT_INTEGER - 1, 1 - EXACT_INTEGER])
def test_an_integer_that_every_reader_keeps_is_written_as_a_number(number: int) -> None:
    assert written(number) == number


@pytest.mark.parametrize("number", [EXACT_INTEGER, -EXACT_INTEGER, 2**63, 2**64 - 1])
def test_an_integer_that_doubles_would_round_is_written_as_a_text(number: int) -> None:
    assert written(number) == str(number)
    assert written([1, {"deep": number}]) == [1, {"deep": str(number)}]


@pytest.mark.parametrize("value", [True, False, None, 1.5, "text", [], {}])
def test_other_values_are_written_as_they_are(value: Any) -> None:
    assert written(value) == value
    assert type(written(value)) is type(value)


def test_an_overruled_wire_keeps_both_spaces_and_others_have_no_such_field() -> None:
    wire = Wire(node="a", output="b", allow=("sd1", "sdxl"))
    flow = Workflow(nodes={"c": PlacedNode(type="x", inputs={"d": wire})})
    assert flow.to_json()["nodes"]["c"]["inputs"]["d"]["allow"] == ["sd1", "sdxl"]
    assert Workflow.model_validate_json(flow.to_text()) == flow


@given(
    title=st.text(max_size=20),
    values=st.dictionaries(
        st.text(max_size=8), st.booleans() | st.integers(0, 2**53 - 1) | st.text()
    ),
    place=st.floats(allow_nan=False, allow_infinity=False),
)
def test_titles_values_and_layout_survive_saving(
    title: str, values: dict[str, Any], place: float
) -> None:
    node = PlacedNode(type="x", title=title, values=values)
    flow = Workflow(nodes={"a": node}, layout=Layout(nodes={"a": Place(x=place, y=0)}))
    assert Workflow.model_validate_json(flow.to_text()) == flow
