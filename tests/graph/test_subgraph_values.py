"""Values of nodes inside subgraphs, by the names that people and batches use."""

import random

import pytest

from graph.batch import BadBatch, expand
from graph.batch_axes import Recipe, Sources
from graph.interface import subgraph_of
from graph.subgraph_values import has_node, named_node, named_nodes, set_inside, titled
from graph.subgraphs import Flat
from graph.workflow import PlacedNode, Wire, Workflow
from server.headless_values import BadAssignment, assigned
from server.queue.rows import with_changes
from tests.graph.small_world import DEFINITIONS, text_to_image
from tests.helpers.packing import packed

SHOWN = {"steps": ("sampler", "steps")}


def drawing() -> Workflow:
    flow = packed(text_to_image(), ["sampler", "empty"], "draw", SHOWN)
    flow.subgraphs["draw"].title = "Draw"
    return flow


def twice() -> Workflow:
    flow = drawing()
    flow.nodes["again"] = PlacedNode(type="subgraph:draw", title="Again")
    return flow


def flat_values(flow: Workflow, node: str) -> dict[str, object]:
    return Flat(flow, DEFINITIONS).workflow.nodes[node].values


def test_nodes_inside_are_known_by_their_titles() -> None:
    titles = {one.id: one.title for one in named_nodes(Flat(drawing(), DEFINITIONS))}
    assert titles["draw"] == "Draw"
    assert titles["draw/sampler"] == "Draw / KSampler"
    assert named_node(Flat(drawing(), DEFINITIONS), "draw/gone") is None
    saved = drawing().to_json()
    assert titled(saved, "draw/sampler", DEFINITIONS) == "Draw / KSampler"
    assert has_node(saved, "draw/sampler")
    assert not has_node(saved, "decode/sampler")


def test_a_shown_value_is_set_at_the_node_that_shows_it() -> None:
    found = set_inside(
        packed(drawing(), ["draw"], "all", {"many": ("draw", "steps")}).to_json(),
        "all/draw/sampler",
        {"steps": 3},
    )
    assert found is not None
    assert found["nodes"]["all"]["values"] == {"many": 3}


def test_another_value_is_set_for_that_placed_node_alone() -> None:
    before = twice().to_json()
    kept = Workflow.model_validate(before).to_text()
    after = Workflow.model_validate(with_changes(before, {"again/sampler": {"cfg": 1.5}}))
    assert flat_values(after, "again/sampler") == {"cfg": 1.5}
    assert flat_values(after, "draw/sampler") == {}
    assert subgraph_of(after.nodes["draw"].type) == "draw"
    assert Workflow.model_validate(before).to_text() == kept, "the given one stays as it is"
    alone = Workflow.model_validate(with_changes(drawing().to_json(), {"draw/sampler": {"cfg": 2}}))
    assert list(alone.subgraphs) == ["draw"]
    assert flat_values(alone, "draw/sampler") == {"cfg": 2}


def test_what_is_inside_two_levels_is_set_for_one_of_both_alone() -> None:
    flow = packed(drawing(), ["draw"], "all")
    flow.nodes["more"] = PlacedNode(type="subgraph:all")
    found = set_inside(flow.to_json(), "all/draw/empty", {"width": 64})
    assert found is not None
    after = Workflow.model_validate(found)
    assert flat_values(after, "all/draw/empty") == {"width": 64}
    assert flat_values(after, "more/draw/empty") == {}


@pytest.mark.parametrize(
    "name", ["draw/sampler", "Draw / KSampler", "draw/ksampler", "DRAW / KSAMPLER"]
)
def test_the_command_line_reaches_into_subgraphs(name: str) -> None:
    after = assigned(drawing(), DEFINITIONS, [f"{name}.cfg=2", f"{name}.steps=5", "Draw.steps=6"])
    assert after.nodes["draw"].values == {"steps": 6}
    assert flat_values(after, "draw/sampler") == {"cfg": 2.0, "steps": 6}


def test_the_command_line_says_which_nodes_there_are_inside() -> None:
    with pytest.raises(BadAssignment, match=r"Draw / KSampler \(draw/sampler\)"):
        assigned(drawing(), DEFINITIONS, ["Draw / Sampler.cfg=2"])
    flow = drawing()
    flow.nodes["n"] = PlacedNode(type="whole_number")
    flow.nodes["draw"].inputs["steps"] = Wire(node="n", output="integer")
    with pytest.raises(BadAssignment, match="along a wire"):
        assigned(flow, DEFINITIONS, ["Draw / KSampler.steps=2"])


def test_a_batch_varies_values_inside() -> None:
    sources = Sources(str, lambda name: [])
    axes = [
        {"kind": "values", "at": {"node": "draw/sampler", "widget": "cfg"}, "values": [1.0, 2.0]},
        {
            "kind": "range",
            "at": {"node": "draw", "widget": "steps"},
            "start": 1,
            "stop": 2,
            "count": 2,
        },
    ]
    recipe = Recipe.model_validate({"axes": axes})
    found = expand(recipe, drawing(), DEFINITIONS, sources, random.Random(0))
    assert found.axes == (("CFG", ("1", "2")), ("Steps", ("1", "2")))
    last = Workflow.model_validate(with_changes(drawing().to_json(), found.cases[-1].changes))
    assert flat_values(last, "draw/sampler") == {"cfg": 2.0, "steps": 2}
    gone = Recipe.model_validate({"axes": [{**axes[0], "at": {"node": "draw/x", "widget": "cfg"}}]})
    with pytest.raises(BadBatch, match="no node 'draw/x'"):
        expand(gone, drawing(), DEFINITIONS, sources, random.Random(0))
