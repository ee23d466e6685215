"""Where a dragged wire may go."""

from time import process_time

import pytest

from graph.check import check, targets
from graph.edits import apply
from graph.problem import Connect
from graph.targets import NoSuchSocket, Targets
from graph.workflow import Wire, Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image, workflow
from tests.graph.test_check_size import chain


def dragged(flow: Workflow, node: str, **socket: str) -> Targets:
    return targets(flow, DEFINITIONS, SHELF, node, **socket)


def codes(found: Targets) -> dict[tuple[str, str], str]:
    return {(item.node, item.socket): item.code for item in found.targets}


def test_an_output_may_go_where_its_kind_and_its_space_fit() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    found = dragged(flow, "sampler", output="latent")
    told = codes(found)
    assert told["decode", "latent"] == "space_mismatch"
    assert told["decode", "vae"] == "wrong_type"
    assert told["sampler", "latent"] == "cycle"
    assert told["positive", "clip"] == "wrong_type"
    reasons = {(item.node, item.socket): item.reason for item in found.targets}
    assert reasons["decode", "latent"] == "This is SD 1.x, and VAE Decode needs SDXL."
    assert reasons["decode", "vae"] == "This takes a VAE, not a Latent."


def test_the_wire_that_is_there_is_taken_out_before_the_new_one_is_judged() -> None:
    flow = text_to_image("sd15.safetensors", right=placed("load_vae", {"file": "sd1.safetensors"}))
    flow = flow.model_copy(
        update={"nodes": {**flow.nodes, "wrong": placed("load_vae", {"file": "sdxl.safetensors"})}}
    )
    told = codes(dragged(flow, "wrong", output="vae"))
    assert told["decode", "vae"] == "space_mismatch"
    broken = apply(
        flow, [Connect(node="decode", socket="vae", wire=Wire(node="wrong", output="vae"))]
    )
    assert codes(dragged(broken, "right", output="vae"))["decode", "vae"] == ""
    assert codes(dragged(broken, "wrong", output="vae"))["decode", "vae"] == "space_mismatch"
    other = text_to_image("sd15.safetensors", "sdxl.safetensors", spare=placed("empty_latent"))
    assert codes(dragged(other, "spare", output="latent"))["decode", "latent"] == ""


def test_a_second_model_may_take_an_empty_latent_from_the_sampler_that_had_it() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        other=placed("load_checkpoint", {"file": "sdxl.safetensors"}),
        second=placed("k_sampler", model="other.model"),
    )
    assert codes(dragged(flow, "empty", output="latent"))["second", "latent"] == "space_mismatch"
    assert codes(dragged(flow, "sampler", output="latent"))["second", "latent"] == "space_mismatch"
    fresh = flow.model_copy(update={"nodes": {**flow.nodes, "free": placed("empty_latent")}})
    assert codes(dragged(fresh, "free", output="latent"))["second", "latent"] == ""


def test_an_input_may_come_from_outputs_that_fit() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        other=placed("load_vae", {"file": "sdxl.safetensors"}),
        bare=placed("load_checkpoint", {"file": "no-vae.safetensors"}),
    )
    told = codes(dragged(flow, "decode", input="vae"))
    assert told["checkpoint", "vae"] == ""
    assert told["checkpoint", "model"] == "wrong_type"
    assert told["other", "vae"] == "space_mismatch"
    assert told["bare", "vae"] == "missing_part"
    told = codes(dragged(flow, "sampler", input="latent"))
    assert told["empty", "latent"] == ""
    assert told["sampler", "latent"] == "cycle"


def test_widgets_that_take_wires_and_free_places_of_variadic_inputs_are_targets() -> None:
    flow = workflow(
        photo=placed("load_image", {"file": "photo.png"}),
        batch=placed("batch_images", images_0="photo.image", images_3="photo.image"),
        number=placed("whole_number"),
        empty=placed("empty_latent"),
    )
    told = codes(dragged(flow, "photo", output="image"))
    assert told["batch", "images.4"] == ""
    told = codes(dragged(flow, "number", output="integer"))
    assert told["empty", "width"] == ""
    assert told["number", "value"] == "cycle"
    assert codes(dragged(flow, "batch", input="images"))["photo", "image"] == ""
    assert codes(dragged(flow, "batch", input="images.0"))["photo", "image"] == ""


def test_unknown_types_fit_everywhere_but_what_is_known_must_agree() -> None:
    flow = text_to_image("mystery.safetensors", "sdxl.safetensors")
    told = codes(dragged(flow, "checkpoint", output="vae"))
    assert told["decode", "vae"] == ""
    told = codes(dragged(text_to_image(), "decode", output="image"))
    assert told["save", "image"] == ""


def test_node_types_are_ranked_what_fits_first() -> None:
    flow = text_to_image("sd15.safetensors")
    found = dragged(flow, "sampler", output="latent").types
    names = [item.type for item in found]
    assert {(item.type, item.socket) for item in found} >= {
        ("vae_decode", "latent"),
        ("k_sampler", "latent"),
        ("show", "value"),
    }
    assert "invert" not in names
    assert names.index("vae_decode") < names.index("show") < names.index("sharpen_sdxl")
    assert [item.ok for item in found if item.type == "sharpen_sdxl"] == [False]
    named = dragged(text_to_image("sdxl.safetensors"), "sampler", output="latent").types
    assert named[0].ok
    assert {item.type for item in named[:2]} == {"add_noise", "sharpen_sdxl"}, "made for SDXL first"
    givers = [item.type for item in dragged(flow, "decode", input="vae").types]
    assert givers == ["load_checkpoint", "load_tiny_vae", "load_vae"]


def test_what_is_offered_is_what_the_checker_then_accepts_and_the_other_way_round() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        "sdxl.safetensors",
        other=placed("load_checkpoint", {"file": "starter.safetensors"}),
        up=placed("upscale_latent"),
        noise=placed("add_noise", latent="empty.latent"),
        photo=placed("load_image", {"file": "photo.png"}),
        encode=placed("vae_encode", image="photo.image", vae="other.vae"),
    )
    errors = {"space_mismatch", "wrong_type", "cycle", "missing_part"}
    for node in flow.nodes:
        for output in DEFINITIONS[flow.nodes[node].type].outputs:
            for target in dragged(flow, node, output=output.name).targets:
                wire = Wire(node=node, output=output.name)
                edit = Connect(node=target.node, socket=target.socket, wire=wire)
                cut = [item for item in flow.nodes[target.node].inputs if item != target.socket]
                kept = {name: flow.nodes[target.node].inputs[name] for name in cut}
                bare = flow.nodes[target.node].model_copy(update={"inputs": kept})
                without = flow.model_copy(update={"nodes": {**flow.nodes, target.node: bare}})
                before = check(without, DEFINITIONS, SHELF).problems
                after = check(apply(without, [edit]), DEFINITIONS, SHELF).problems
                told = [sum(item.code in errors for item in found) for found in (before, after)]
                assert target.ok == (told[1] <= told[0]), (node, output.name, target)


def test_a_drag_from_nowhere_is_an_error_in_words() -> None:
    with pytest.raises(NoSuchSocket, match="no output 'x' at node 'sampler'"):
        dragged(text_to_image(), "sampler", output="x")
    with pytest.raises(NoSuchSocket, match="no input 'file' at node 'checkpoint'"):
        dragged(text_to_image(), "checkpoint", input="file")
    with pytest.raises(ValueError, match="one of them"):
        targets(text_to_image(), DEFINITIONS, SHELF, "sampler")


def test_the_answer_is_in_the_form_that_the_api_gives() -> None:
    answer = dragged(text_to_image(), "sampler", output="latent").to_json()
    assert set(answer) == {"targets", "types"}
    assert answer["targets"][0].keys() == {"node", "socket", "ok", "code", "reason"}
    assert answer["types"][0].keys() == {"type", "socket", "ok"}


def test_a_drag_over_ten_thousand_nodes_is_judged() -> None:
    flow = chain(10_000)
    flow.nodes["other"] = placed("load_vae", {"file": "sdxl.safetensors"})
    begun = process_time()
    told = codes(dragged(flow, "other", output="vae"))
    assert told["decode", "vae"] == ""  # an Empty Latent at the other end may be anything
    assert process_time() - begun < 5  # about 0.4 s on one core of a laptop
