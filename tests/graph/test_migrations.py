"""Old, newer, unknown and malformed workflow files."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.migrations import Loaded, WorkflowError, load, load_text
from graph.workflow import VERSION, Workflow
from tests.graph.small_world import text_to_image


def test_a_saved_workflow_is_read_as_it_was() -> None:
    workflow = text_to_image()
    assert load_text(workflow.to_text()) == Loaded(workflow)


def test_unknown_nodes_and_fields_survive_reading_and_writing() -> None:
    data = {
        "version": VERSION,
        "nodes": {
            "a": {
                "type": "pack.gone",
                "version": 7,
                "values": {"deep": {"list": [1, None]}},
                "inputs": {"x": {"node": "b", "output": "y", "colour": "red"}},
                "mood": "good",
            }
        },
        "layout": {"nodes": {"a": {"x": 1, "y": 2, "tilt": 3}}},
        "author": {"name": "somebody"},
    }
    saved = load(data).workflow.to_json()
    assert saved["author"] == {"name": "somebody"}
    assert saved["nodes"]["a"]["mood"] == "good"
    assert saved["nodes"]["a"]["inputs"]["x"]["colour"] == "red"
    assert saved["nodes"]["a"]["values"] == {"deep": {"list": [1, None]}}
    assert saved["layout"]["nodes"]["a"]["tilt"] == 3
    assert load(saved).workflow.to_json() == saved


def test_a_newer_file_opens_read_only_with_a_warning() -> None:
    loaded = load({"version": VERSION + 1, "nodes": {}, "hologram": [1]})
    assert loaded.read_only
    (problem,) = loaded.problems
    assert (problem.code, problem.severity) == ("newer_file", "warning")
    assert "update the program" in problem.message
    assert loaded.workflow.to_json()["hologram"] == [1]
    assert loaded.workflow.version == VERSION + 1


def test_a_newer_file_that_cannot_be_read_says_that_it_is_newer() -> None:
    with pytest.raises(WorkflowError, match="newer version"):
        load({"version": VERSION + 1, "nodes": [1, 2]})


def test_older_forms_are_migrated_one_version_at_a_time() -> None:
    def second(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "nodes": data.pop("boxes")}

    def third(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "a": "migrated"}

    old = {"version": 1, "boxes": {"a": {"type": "invert"}}}
    loaded = load(old, forms={1: second, 2: third}, version=3)
    assert loaded.workflow.version == 3
    assert loaded.workflow.nodes["a"].type == "invert"
    assert loaded.workflow.to_json()["a"] == "migrated"
    assert old == {"version": 1, "boxes": {"a": {"type": "invert"}}}


def test_a_version_without_a_migration_is_told() -> None:
    with pytest.raises(WorkflowError, match="version 1 of the workflow form"):
        load({"version": 1}, forms={}, version=2)


def test_a_file_that_lies_about_its_version_is_told() -> None:
    def second(data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "nodes": data["boxes"]}

    with pytest.raises(WorkflowError, match="does not have the form of version 1"):
        load({"version": 1}, forms={1: second}, version=2)


def test_nodes_are_migrated_by_type_and_version_and_may_be_renamed() -> None:
    def rename_value(node: dict[str, Any]) -> dict[str, Any]:
        values = dict(node["values"])
        return {**node, "values": {"cfg": values.pop("guidance"), **values}}

    def rename_type(node: dict[str, Any]) -> dict[str, Any]:
        return {**node, "type": "k_sampler", "version": 1}

    table = {"k_sampler": {1: rename_value}, "sampler_of_old": {3: rename_type}}
    data = {
        "nodes": {
            "a": {"type": "k_sampler", "values": {"guidance": 3}},
            "b": {"type": "sampler_of_old", "version": 3, "values": {"guidance": 4}},
            "c": {"type": "k_sampler", "version": 2, "values": {"guidance": 5}},
        }
    }
    nodes = load(data, nodes=table).workflow.nodes
    assert [(node.type, node.version, node.values) for node in nodes.values()] == [
        ("k_sampler", 2, {"cfg": 3}),
        ("k_sampler", 2, {"cfg": 4}),
        ("k_sampler", 2, {"guidance": 5}),
    ]


FRAME = {"id": "f", "x": 0, "y": 0, "width": 8, "height": 8}


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        ([], "", "is a list"),
        (None, "", "is null"),
        ("{}", "", "is a text"),
        ({"version": "1"}, "version", "whole number"),
        ({"version": True}, "version", "whole number"),
        ({"version": 0}, "version", "whole number"),
        ({"nodes": []}, "nodes", "must be an object, and is a list"),
        ({"nodes": {"a": 3}}, "nodes.a", "must be an object, and is a number"),
        ({"nodes": {"a": {}}}, "nodes.a.type", "is missing"),
        ({"nodes": {"a": {"type": 3}}}, "nodes.a.type", "must be a text, and is a number"),
        ({"nodes": {"a": {"type": "x", "mode": "off"}}}, "nodes.a.mode", "'bypass'"),
        ({"nodes": {"a": {"type": "x", "values": []}}}, "nodes.a.values", "an object"),
        (
            {"nodes": {"a": {"type": "x", "inputs": {"v": ["b", 0]}}}},
            "nodes.a.inputs.v",
            "must be an object, and is a list",
        ),
        (
            {"nodes": {"a": {"type": "x", "inputs": {"v": {"node": "b"}}}}},
            "nodes.a.inputs.v.output",
            "is missing",
        ),
        (
            {"nodes": {"a": {"type": "x", "inputs": {"v": {"node": 1, "output": "o"}}}}},
            "nodes.a.inputs.v.node",
            "must be a text",
        ),
        ({"groups": {}}, "groups", "must be a list"),
        ({"groups": [FRAME | {"x": "left"}]}, "groups.0.x", "must be a number"),
        ({"notes": [{**FRAME, "text": 5}]}, "notes.0.text", "must be a text"),
        ({"layout": {"nodes": {"a": {"x": 1}}}}, "layout.nodes.a.y", "is missing"),
        ({"layout": {"wires": {"a": {"v": "dot"}}}}, "layout.wires.a.v", "must be an object"),
        (
            {"nodes": {"a": {"type": "x", "values": {"v": float("nan")}}}},
            "nodes.a.values.v",
            "finite",
        ),
        ({"nodes": {"a": {"type": "\ud800"}}}, "nodes.a.type", "half a character"),
    ],
)
def test_a_malformed_workflow_names_the_place_in_words(data: Any, place: str, words: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        load(data)
    assert caught.value.place == place
    assert words in caught.value.message
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "in line 1, column 2"),
        (b"\xff\xfe\x00\x00 nonsense", "no"),
        ("[" * 100_000, "nested too deeply"),
        ('{"notes": ' + "[" * 500 + "]" * 500 + "}", "nested too deeply"),
        ('{"version": ' + "1" * 5000 + "}", "too many digits"),
    ],
)
def test_a_text_that_is_no_workflow_is_refused_in_words(text: str | bytes, words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        load_text(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = ["version", "nodes", "subgraphs", "app", "layout", "groups", "notes", "a"]
NODE_FIELDS = ["type", "version", "title", "mode", "values", "inputs", "b"]
NODES = st.dictionaries(st.sampled_from(NODE_FIELDS), JSON | st.just("run"), max_size=5)
WORKFLOWS = st.dictionaries(
    st.sampled_from(FIELDS), JSON | st.just(1) | st.dictionaries(st.text(max_size=2), NODES)
)


@settings(max_examples=300, deadline=None)
@given(data=JSON | WORKFLOWS)
def test_any_json_is_a_workflow_or_a_domain_error_and_what_was_read_can_be_saved(data: Any) -> None:
    try:
        loaded = load(data)
    except WorkflowError:
        return
    text = loaded.workflow.to_text()
    again = load_text(text.encode())
    assert again.workflow.to_text() == text


def test_an_empty_object_is_an_empty_workflow() -> None:
    assert load({}).workflow == Workflow()


def test_what_was_read_is_plain_json_again() -> None:
    workflow = load({"nodes": {"a": {"type": "k_sampler", "values": {"seed": 2**64 - 1}}}}).workflow
    assert json.loads(workflow.to_text())["nodes"]["a"]["values"] == {"seed": str(2**64 - 1)}
