"""Edits of a workflow: what a fix's button does."""

import pytest

from graph.edits import EditError, apply, fresh_id
from graph.problem import AddNode, Connect, Disconnect, RemoveNode, SetValue, UnsetValue
from graph.workflow import Wire
from tests.graph.small_world import placed, text_to_image


def test_edits_are_made_in_order_and_the_given_workflow_stays() -> None:
    flow = text_to_image()
    before = flow.to_json()
    wire = Wire(node="new", output="image")
    after = apply(
        flow,
        [
            AddNode(id="new", node=placed("load_image", {"file": "photo.png"}), near="save"),
            Connect(node="save", socket="image", wire=wire),
            SetValue(node="save", name="name", value="dog"),
            SetValue(node="sampler", name="steps", value=5),
            UnsetValue(node="sampler", name="steps"),
            Disconnect(node="decode", socket="vae"),
        ],
    )
    assert flow.to_json() == before
    assert after.nodes["save"].inputs["image"] == wire
    assert after.nodes["save"].values == {"name": "dog"}
    assert after.nodes["sampler"].values == {}
    assert list(after.nodes["decode"].inputs) == ["latent"]


def test_removing_a_node_removes_the_wires_that_leave_it() -> None:
    after = apply(text_to_image(), [RemoveNode(node="checkpoint")])
    assert "checkpoint" not in after.nodes
    assert list(after.nodes["sampler"].inputs) == ["positive", "negative", "latent"]
    assert list(after.nodes["decode"].inputs) == ["latent"]


def test_an_edit_of_a_node_that_is_gone_is_an_error_in_words() -> None:
    with pytest.raises(EditError, match="no node 'gone' any more"):
        apply(text_to_image(), [Disconnect(node="gone", socket="x")])
    with pytest.raises(EditError, match="'save' already"):
        apply(text_to_image(), [AddNode(id="save", node=placed("invert"))])


def test_a_fresh_id_is_one_that_no_node_has() -> None:
    flow = text_to_image(**{"save-2": placed("save_image")})
    assert fresh_id(flow, "new") == "new"
    assert fresh_id(flow, "save") == "save-3"
