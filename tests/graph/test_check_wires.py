"""Problems of nodes and wires."""

import pytest

from graph.edits import apply
from graph.workflow import Wire, Workflow
from tests.graph.checking import codes, mended, only, place, problems
from tests.graph.small_world import placed, text_to_image, workflow


def test_a_missing_input_is_told_with_outputs_that_fit() -> None:
    flow = text_to_image()
    decode = flow.nodes["decode"].model_copy(update={"inputs": {}})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "decode": decode}})
    latent, vae = problems(flow, "missing_input")
    assert (place(latent), place(vae)) == (("decode", "latent"), ("decode", "vae"))
    assert vae.message == "'VAE' of VAE Decode is not connected: wire a VAE to it."
    assert mended(flow, vae) == ["Connect 'VAE' of Load Checkpoint"]
    assert "Connect 'Latent' of KSampler" in mended(flow, latent)


def test_an_optional_input_may_stay_empty_and_a_variadic_one_may_not() -> None:
    image = placed("load_image", {"file": "photo.png"})
    fine = workflow(a=image, b=placed("invert", image="a.image"), s=placed("show", value="b.image"))
    assert codes(fine) == []
    empty = workflow(a=image, b=placed("batch_images"), s=placed("show", value="b.image"))
    problem = only(empty, "missing_input")
    assert place(problem) == ("b", "images")
    assert mended(empty, problem) == ["Connect 'Image' of Load Image"]
    several = placed("batch_images", images_0="a.image", images_7="a.image")
    assert codes(workflow(a=image, b=several, s=placed("show", value="b.image"))) == []


def test_a_wire_of_the_wrong_kind_names_both_sides() -> None:
    flow = text_to_image(wrong=placed("save_image", image="empty.latent"))
    problem = only(flow, "wrong_type")
    assert place(problem) == ("wrong", "image")
    assert problem.message == (
        "'Image' of Save Image (wrong) takes an Image, and 'Latent' of Empty Latent gives a Latent."
    )
    assert [(side.node, side.socket) for side in problem.because] == [
        ("empty", "latent"),
        ("wrong", "image"),
    ]
    assert mended(flow, problem) == ["Connect 'Image' of VAE Decode", "Disconnect"]


def test_a_list_is_not_a_single_value() -> None:
    image = placed("load_image", {"file": "photo.png"})
    split = placed("split_images", image="a.image")
    flow = workflow(a=image, b=split, s=placed("save_image", image="b.image"))
    assert "gives a list of Image" in only(flow, "wrong_type").message
    single = workflow(a=image, j=placed("join_images", images="a.image"))
    assert "takes a list of Image" in only(single, "wrong_type").message
    joined = placed("join_images", images="b.image")
    assert codes(workflow(a=image, b=split, j=joined, s=placed("show", value="j.image"))) == []


def test_a_plain_value_may_be_wired_into_a_widget_of_its_kind() -> None:
    flow = text_to_image(n=placed("whole_number", {"value": 8}), x=placed("number"))
    sampler = flow.nodes["sampler"]

    def with_wire(name: str, node: str, output: str) -> Workflow:
        inputs = {**sampler.inputs, name: Wire(node=node, output=output)}
        values = {"steps": "ignored", "cfg": 1} if name == "steps" else {"cfg": "ignored"}
        changed = sampler.model_copy(update={"inputs": inputs, "values": values})
        return flow.model_copy(update={"nodes": {**flow.nodes, "sampler": changed}})

    assert codes(with_wire("steps", "n", "integer")) == []
    assert codes(with_wire("cfg", "n", "integer")) == []
    assert codes(with_wire("cfg", "x", "number")) == []
    assert codes(with_wire("steps", "x", "number")) == ["wrong_type"]


@pytest.mark.parametrize("name", ["file", "nothing", "latent.0"])
def test_a_wire_into_no_input_is_told_and_can_be_disconnected(name: str) -> None:
    flow = text_to_image()
    inputs = {name: Wire(node="empty", output="latent")}
    loader = flow.nodes["checkpoint"].model_copy(update={"inputs": inputs})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "checkpoint": loader}})
    problem = only(flow, "unknown_input")
    assert place(problem) == ("checkpoint", name)
    assert mended(flow, problem) == ["Disconnect"]


@pytest.mark.parametrize(
    ("source", "words"), [("gone.image", "not in this workflow"), ("decode.nope", "no such output")]
)
def test_a_wire_from_nowhere_is_told_with_what_else_fits(source: str, words: str) -> None:
    flow = text_to_image(extra=placed("save_image", image=source))
    problem = only(flow, "unknown_output")
    assert place(problem) == ("extra", "image")
    assert words in problem.message
    assert mended(flow, problem) == ["Connect 'Image' of VAE Decode", "Disconnect"]


def test_nodes_that_wait_for_each_other_are_told_once_a_ring() -> None:
    ring = {
        f"{letter}{k}": placed("upscale_latent", latent=f"{letter}{(k + 1) % 3}.latent")
        for letter in "ab"
        for k in range(3)
    }
    flow = workflow(**ring, self=placed("upscale_latent", latent="self.latent"))
    found = problems(flow, "cycle")
    assert [item.parameters["nodes"] for item in found] == [
        ["a0", "a1", "a2"],
        ["b0", "b1", "b2"],
        ["self"],
    ]
    for problem in found:
        mended(flow, problem)


def test_rings_that_share_nodes_are_broken_by_one_fix() -> None:
    flow = workflow(
        a=placed("batch_images", images_0="b.image", images_1="c.image"),
        b=placed("batch_images", images_0="a.image", images_1="c.image"),
        c=placed("batch_images", images_0="a.image", images_1="b.image"),
    )
    problem = only(flow, "cycle")
    assert len(problem.fixes) == 1
    assert problems(apply(flow, problem.fixes[0].edits), "cycle") == []
