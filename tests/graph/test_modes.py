"""Muted and bypassed nodes: what runs, what feeds what, and what is told."""

from typing import Any

import pytest

from graph.check import CheckResult, check
from graph.edits import apply
from graph.modes import Source, active_graph
from graph.workflow import PlacedNode, Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image, workflow

PHOTO = placed("load_image", {"file": "photo.png"})
MUTED = placed("load_image", {"file": "photo.png"}, mode="mute")


def checked(flow: Workflow, **options: Any) -> CheckResult:
    return check(flow, DEFINITIONS, SHELF, **options)


def test_without_modes_every_node_runs_and_wires_are_as_they_are() -> None:
    flow = text_to_image()
    active = active_graph(flow, DEFINITIONS)
    assert list(active.nodes) == list(flow.nodes)
    assert active.source("decode", "latent") == ("sampler", "latent")
    assert active.source("checkpoint", "file") is None
    assert active.source("gone", "x") is None
    assert active.ancestors(["decode"]) == set(flow.nodes) - {"save"}


def test_a_muted_node_and_all_that_hangs_on_it_do_not_run() -> None:
    flow = workflow(
        photo=PHOTO,
        dark=placed("invert", mode="mute", image="photo.image"),
        both=placed("batch_images", images_0="photo.image", images_1="dark.image"),
        save=placed("save_image", image="both.image"),
        keep=placed("save_image", image="photo.image"),
    )
    active = active_graph(flow, DEFINITIONS)
    assert list(active.nodes) == ["photo", "keep"]
    assert active.hanging == {"both": "dark", "save": "dark"}
    result = checked(flow)
    assert result.problems == ()
    assert result.wanted == ("keep",)


def test_what_is_wrong_with_a_muted_node_is_not_told() -> None:
    flow = workflow(
        bad=placed("upscale_latent", {"scale": 99, "typo": 1}, mode="mute"),
        photo=PHOTO,
        save=placed("save_image", image="photo.image"),
    )
    assert checked(flow).problems == ()


def test_when_everything_hangs_on_a_muted_node_there_is_nothing_to_run() -> None:
    flow = workflow(
        photo=MUTED,
        save=placed("save_image", image="photo.image"),
    )
    (problem,) = checked(flow).problems
    assert problem.code == "nothing_to_run"
    assert "unmute" in problem.message


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("save", "hangs on Load Image (photo), which is muted"),
        ("photo", "is muted"),
        ("dark", "is bypassed"),
    ],
)
def test_asking_for_a_node_that_does_not_run_is_a_problem(wanted: str, words: str) -> None:
    flow = workflow(
        photo=MUTED,
        save=placed("save_image", image="photo.image"),
        other=PHOTO,
        dark=placed("invert", mode="bypass", image="other.image"),
    )
    result = checked(flow, wanted=[wanted])
    (problem,) = result.blocking
    assert (problem.code, problem.node) == ("not_running", wanted)
    assert words in problem.message


def test_a_bypassed_node_passes_the_first_input_of_its_outputs_type() -> None:
    flow = text_to_image()
    sampler = flow.nodes["sampler"].model_copy(update={"mode": "bypass"})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "sampler": sampler}})
    active = active_graph(flow, DEFINITIONS)
    assert "sampler" not in active.nodes
    assert active.source("decode", "latent") == ("empty", "latent")
    assert active.passed == {Source("sampler", "latent"): Source("empty", "latent")}
    assert active.ancestors(["save"]) == {"save", "decode", "empty", "checkpoint"}
    assert checked(flow).problems == ()


def test_bypassed_nodes_in_a_row_pass_all_the_way_also_ten_thousand_of_them() -> None:
    nodes: dict[str, PlacedNode] = {"photo": PHOTO}
    source = "photo"
    for k in range(10_000):
        nodes[f"n{k}"] = placed("invert", mode="bypass", image=f"{source}.image")
        source = f"n{k}"
    nodes["save"] = placed("save_image", image=f"{source}.image")
    nodes["middle"] = placed("save_image", image="n500.image")
    active = active_graph(Workflow(nodes=nodes), DEFINITIONS)
    assert active.source("save", "image") == ("photo", "image")
    assert active.source("middle", "image") == ("photo", "image")
    assert list(active.nodes) == ["photo", "save", "middle"]


def test_a_bypassed_batch_passes_its_first_wire_and_a_number_passes_a_widgets_wire() -> None:
    flow = workflow(
        one=PHOTO,
        two=PHOTO,
        batch=placed("batch_images", mode="bypass", images_10="one.image", images_2="two.image"),
        save=placed("save_image", image="batch.image"),
        seven=placed("whole_number", {"value": 7}),
        number=placed("whole_number", mode="bypass", value="seven.integer"),
        show=placed("show", value="number.integer"),
    )
    active = active_graph(flow, DEFINITIONS)
    assert active.source("save", "image") == ("two", "image")
    assert active.source("show", "value") == ("seven", "integer")


def test_a_bypass_that_has_nothing_to_pass_is_told_where_something_is_missing() -> None:
    flow = text_to_image()
    decode = flow.nodes["decode"].model_copy(update={"mode": "bypass"})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "decode": decode, "photo": PHOTO}})
    result = checked(flow)
    (problem,) = result.problems
    assert (problem.code, problem.node, problem.socket) == ("bypass_impossible", "save", "image")
    assert problem.message.startswith("VAE Decode is bypassed, but nothing that is wired to it")
    assert result.blocking == (problem,)
    titles = [fix.title for fix in problem.fixes]
    assert titles == ["Connect 'Image' of Load Image", "Disconnect"]
    for fix in problem.fixes:
        codes = [item.code for item in checked(apply(flow, fix.edits)).problems]
        assert "bypass_impossible" not in codes


def test_a_bypassed_node_of_an_unknown_type_passes_nothing_and_refuses_the_run() -> None:
    lost = placed("who.knows", mode="bypass", image="photo.image")
    result = checked(
        workflow(photo=PHOTO, lost=lost, save=placed("save_image", image="lost.image"))
    )
    assert sorted(item.code for item in result.problems) == ["bypass_impossible", "unknown_node"]
    assert [(item.code, item.node) for item in result.blocking] == [("bypass_impossible", "save")]
    assert not result.runnable


def test_a_bypass_between_spaces_that_exclude_each_other_is_refused_by_the_signature() -> None:
    flow = text_to_image(
        "sdxl.safetensors",
        noise=placed("add_noise", mode="bypass", latent="sampler.latent"),
    )
    decode = flow.nodes["decode"]
    inputs = {**decode.inputs, **placed("x", latent="noise.latent").inputs}
    decode = decode.model_copy(update={"inputs": inputs})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "decode": decode}})
    assert checked(flow).problems == ()


def test_bypassed_nodes_in_a_ring_pass_nothing() -> None:
    flow = workflow(
        a=placed("invert", mode="bypass", image="b.image"),
        b=placed("invert", mode="bypass", image="a.image"),
        save=placed("save_image", image="a.image"),
    )
    (problem,) = checked(flow).problems
    assert (problem.code, problem.node) == ("bypass_impossible", "save")


def test_a_muted_node_breaks_a_ring() -> None:
    flow = workflow(
        a=placed("upscale_latent", latent="b.latent"),
        b=placed("upscale_latent", mode="mute", latent="a.latent"),
    )
    assert "cycle" not in [item.code for item in checked(flow).problems]
