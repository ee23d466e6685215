"""How a workflow looks is kept to the last field, and no part of it changes what runs."""

import json
from typing import Any

from graph.migrations import load, load_text
from graph.plan import plan
from graph.workflow import VERSION, Workflow
from tests.graph.checking import checked
from tests.graph.small_world import DEFINITIONS, SHELF, text_to_image

LOOK: dict[str, Any] = {
    "layout": {
        "nodes": {
            "sampler": {"x": 8, "y": -16.5, "width": 320, "collapsed": True, "pinned": True},
            "decode": {"x": 400, "y": 0, "fixed": ["seed"]},
        },
        "reroutes": {
            "dot": {"x": 300, "y": 40},
            "dot_2": {"x": 340, "y": 40, "after": "dot"},
        },
        "wires": {"decode": {"latent": {"via": "dot_2"}}},
        "zoom": 1,
    },
    "groups": [
        {"id": "g", "title": "Sampling", "colour": "green", "x": 0, "y": 0, "width": 700,
         "height": 400.25, "locked": True},
    ],
    "notes": [
        {"id": "n", "text": "# Steps\n*Few* are enough.", "colour": "", "x": 0, "y": 420,
         "width": 200, "height": 120},
    ],
}  # fmt: skip


def looking() -> Workflow:
    return load({**text_to_image().to_json(), **LOOK}).workflow


def test_reroutes_groups_and_notes_survive_saving_with_fields_of_later_versions() -> None:
    saved = json.loads(looking().to_text())
    dot = {"x": 300, "y": 40, "after": None}
    layout = {**LOOK["layout"], "reroutes": {**LOOK["layout"]["reroutes"], "dot": dot}}
    assert {name: saved[name] for name in LOOK} == {**LOOK, "layout": layout}
    assert load_text(looking().to_text()).workflow == looking()


def test_whole_pixels_are_written_without_a_point() -> None:
    text = looking().to_text()
    assert '"x": 8,' in text
    assert '"y": -16.5,' in text


def test_the_look_changes_no_answer_of_the_checker_and_no_key_of_the_plan() -> None:
    plain, dressed = text_to_image(), looking()
    assert checked(dressed) == checked(plain)

    def keys(flow: Workflow) -> object:
        bindings = checked(flow).bindings
        return plan(flow, DEFINITIONS, bindings, files=SHELF, engine="e", nonce="n").keys

    assert keys(dressed) == keys(plain)


def test_a_file_from_before_reroutes_groups_and_notes_is_read_as_it_is() -> None:
    old = {"version": 1, "nodes": {}, "layout": {"nodes": {"a": {"x": 1, "y": 2}}}}
    found = load(old)
    assert not found.read_only
    assert found.workflow.version == VERSION
    assert found.workflow.layout.reroutes == {}
    assert found.workflow.groups == found.workflow.notes == []


def test_a_route_through_a_dot_that_is_gone_is_no_reason_to_refuse_the_file() -> None:
    flow = load({"layout": {"wires": {"gone": {"v": {"via": "nowhere"}}}}}).workflow
    assert flow.layout.wires["gone"]["v"].via == "nowhere"
