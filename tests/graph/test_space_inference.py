"""What spaces become known: gradual types, ambiguous files, overruled wires, modes."""

from graph.files import FileFacts
from graph.migrations import load_text
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.small_world import (
    Shelf,
    checkpoint,
    placed,
    text_to_image,
    vae,
    workflow,
)
from tests.graph.spaces import (
    checked,
    conflicts,
    mended,
    moded,
    places,
    rewired,
    space,
    two_samplers,
)


def test_an_empty_latent_that_nothing_speaks_to_is_unresolved() -> None:
    flow = workflow(empty=placed("empty_latent"), s=placed("show", value="empty.latent"))
    result = checked(flow)
    (problem,) = result.problems
    assert (problem.code, problem.node) == ("unresolved_space", "empty")
    assert "nothing that it is wired to says its latent space" in problem.message
    assert result.blocking == (problem,)
    assert space(result, "empty", "latent") == (None, "unknown")


def test_an_unresolved_space_names_the_file_that_could_have_said_it() -> None:
    result = checked(text_to_image("mystery.safetensors"))
    found = {item.code: item for item in result.problems}
    assert "mystery.safetensors could not be identified" in found["unresolved_space"].message
    assert found["unidentified"].severity == "warning"


def test_one_missing_file_is_one_problem_and_not_that_of_the_empty_latent_too() -> None:
    flow = text_to_image("gone.safetensors")
    result = checked(flow)
    (problem,) = result.problems
    assert (problem.code, problem.node) == ("missing_file", "checkpoint")
    assert result.blocking == (problem,)
    # Where the loader is not needed, nobody else says why the Empty Latent cannot run.
    alone = checked(flow, wanted=("empty",))
    (blocking,) = alone.blocking
    assert (blocking.code, blocking.node) == ("unresolved_space", "empty")
    assert "Load Checkpoint, which would say it, has no file" in blocking.message


def test_an_unknown_file_into_a_known_space_is_allowed_with_a_warning() -> None:
    result = checked(text_to_image("sd15.safetensors", "unknown.safetensors"))
    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("unidentified", "warning")
    assert places([problem]) == [("vae_loader", "file")]
    assert "It is taken for SD 1.x" in problem.message
    assert result.runnable
    assert space(result, "vae_loader", "vae") == (["sd1"], "assumed")
    assert space(result, "sampler", "latent") == (["sd1"], "certain")


def test_an_ambiguous_file_is_narrowed_by_its_use_and_shown_as_assumed() -> None:
    flow = text_to_image("sdxl.safetensors", "sd1-or-sdxl.safetensors")
    result = checked(flow)
    assert [item.code for item in result.problems] == ["unidentified"]
    assert "could be SD 1.x or SDXL" in result.problems[0].message
    assert space(result, "vae_loader", "vae") == (["sdxl"], "assumed")
    wrong = text_to_image("starter.safetensors", "sd1-or-sdxl.safetensors")
    (problem,) = conflicts(wrong)
    assert "which is for SD 1.x or SDXL" in problem.message
    mended(wrong, problem)


def test_an_ambiguous_file_that_nothing_narrows_shows_both_candidates() -> None:
    flow = workflow(
        loader=placed("load_vae", {"file": "sd1-or-sdxl.safetensors"}),
        image=placed("load_image", {"file": "photo.png"}),
        encode=placed("vae_encode", image="image.image", vae="loader.vae"),
        show=placed("show", value="encode.latent"),
    )
    result = checked(flow)
    assert space(result, "encode", "latent") == (["sd1", "sdxl"], "unknown")
    assert result.bindings["encode"] == {"S": ("sd1", "sdxl")}
    assert result.runnable


def test_a_file_that_could_be_several_but_not_what_is_needed_is_one_mismatch() -> None:
    result = checked(text_to_image("flux.safetensors", "sd1-or-sdxl.safetensors"))
    (problem,) = result.problems
    assert problem.code == "space_mismatch"
    assert "is for SD 1.x or SDXL (the shapes of its weights)" in problem.message


def test_one_file_is_not_two_things_in_one_workflow() -> None:
    flow = text_to_image("sd15.safetensors", "sd1-or-sdxl.safetensors")
    second = text_to_image("sdxl.safetensors", "sd1-or-sdxl.safetensors")
    renamed = {
        f"{id_}2": node.model_copy(
            update={
                "inputs": {
                    name: Wire(node=f"{wire.node}2", output=wire.output)
                    for name, wire in node.inputs.items()
                }
            }
        )
        for id_, node in second.nodes.items()
    }
    both = flow.model_copy(update={"nodes": {**flow.nodes, **renamed}})
    assert conflicts(flow) == []
    assert conflicts(second) == []
    (problem,) = conflicts(both)
    assert "sd1-or-sdxl.safetensors cannot serve both" in problem.message
    mended(both, problem)
    assert checked(both, wanted=["save"]).runnable
    assert checked(both, wanted=["save2"]).runnable


def test_a_file_is_known_by_its_content_not_by_its_name() -> None:
    twins = [
        vae(name, "sd1", "sdxl", content="the same bytes")
        for name in ("a.safetensors", "b.safetensors")
    ]
    shelf = Shelf(
        checkpoints=[
            checkpoint("sd15.safetensors", "sd1", "sd1"),
            checkpoint("sdxl.safetensors", "sdxl", "sdxl"),
        ],
        vae=twins,
    )
    flow = two_samplers()
    nodes = {
        **flow.nodes,
        "a": placed("load_vae", {"file": "a.safetensors"}),
        "b": placed("load_vae", {"file": "b.safetensors"}),
        "empty2": placed("empty_latent"),
    }
    flow = flow.model_copy(update={"nodes": nodes})
    flow = rewired(flow, "sampler2", latent="empty2.latent")
    assert conflicts(flow, shelf) == []
    flow = rewired(rewired(flow, "decode", vae="a.vae"), "decode2", vae="b.vae")
    assert len(conflicts(flow, shelf)) == 1


def test_a_node_that_fixes_its_space_says_so() -> None:
    flow = text_to_image(
        "sd15.safetensors", sharpen=placed("sharpen_sdxl", latent="sampler.latent")
    )
    flow = rewired(flow, "decode", latent="sharpen.latent")
    found = conflicts(flow)
    assert places(found) == [("decode", "latent"), ("sharpen", "latent")]
    assert "Sharpen SDXL gives nothing else" in found[0].message
    assert "Sharpen SDXL takes only SDXL" in found[1].message
    noisy = text_to_image("sd15.safetensors", noise=placed("add_noise", latent="sampler.latent"))
    assert conflicts(noisy) == []
    noisy = text_to_image(noise=placed("add_noise", latent="sampler.latent"))
    assert "Add Noise takes only SD 1.x or SDXL" in conflicts(noisy)[0].message


def test_a_node_between_two_spaces_joins_neither() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        "sdxl.safetensors",
        turn=placed("translate_latent", latent="sampler.latent"),
    )
    flow = rewired(flow, "decode", latent="turn.latent")
    result = checked(flow)
    assert result.problems == ()
    assert result.bindings["turn"] == {"S": ("sd1",), "S2": ("sdxl",)}


def test_three_files_of_which_every_two_agree_but_not_all_are_told_together() -> None:
    shelf = Shelf(
        vae=[
            vae("ab.safetensors", "a", "b"),
            vae("bc.safetensors", "b", "c"),
            vae("ac.safetensors", "a", "c"),
        ],
        input=[FileFacts(name="photo.png", kind="image")],
    )
    nodes: dict[str, PlacedNode] = {
        "photo": placed("load_image", {"file": "photo.png"}),
        "ab": placed("load_vae", {"file": "ab.safetensors"}),
        "bc": placed("load_vae", {"file": "bc.safetensors"}),
        "ac": placed("load_vae", {"file": "ac.safetensors"}),
        "encode": placed("vae_encode", image="photo.image", vae="ab.vae"),
        "decode": placed("vae_decode", latent="encode.latent", vae="bc.vae"),
        "decode2": placed("vae_decode", latent="encode.latent", vae="ac.vae"),
        "save": placed("save_image", image="decode.image"),
        "save2": placed("save_image", image="decode2.image"),
    }
    (problem,) = conflicts(Workflow(nodes=nodes), shelf)
    for name in ("ab", "bc", "ac"):
        assert f"{name}.safetensors" in problem.message
    del nodes["decode2"], nodes["save2"]
    assert conflicts(Workflow(nodes=nodes), shelf) == []


def allowed(flow: Workflow, *pair: str) -> Workflow:
    node = flow.nodes["decode"]
    wire = Wire(node="sampler", output="latent", allow=pair)
    node = node.model_copy(update={"inputs": {**node.inputs, "latent": wire}})
    return flow.model_copy(update={"nodes": {**flow.nodes, "decode": node}})


def test_an_overruled_wire_keeps_both_sides_apart_and_lapses_when_either_changes() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    result = checked(allowed(flow, "sd1", "sdxl"))
    assert result.problems == ()
    assert result.runnable
    assert space(result, "sampler", "latent") == (["sd1"], "certain")
    assert result.types["decode"]["inputs"]["latent"]["spaces"][0]["candidates"] == ["sdxl"]
    assert len(conflicts(allowed(flow, "starter", "sdxl"))) == 1
    assert len(conflicts(allowed(flow, "sdxl", "sd1"))) == 1
    other = text_to_image("starter.safetensors", "sdxl.safetensors")
    assert len(conflicts(allowed(other, "sd1", "sdxl"))) == 1
    agreeing = text_to_image("sd15.safetensors", "sd1.safetensors")
    assert conflicts(allowed(agreeing, "sd1", "sdxl")) == []


def test_an_overruled_wire_survives_saving() -> None:
    flow = allowed(text_to_image("sd15.safetensors", "sdxl.safetensors"), "sd1", "sdxl")
    assert checked(load_text(flow.to_text()).workflow).problems == ()


def test_an_overruled_wire_holds_although_one_before_it_has_lapsed() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    up = PlacedNode(
        type="upscale_latent",
        inputs={"latent": Wire(node="sampler", output="latent", allow=("starter", "sdxl"))},
    )
    decode = flow.nodes["decode"]
    inputs = {**decode.inputs, "latent": Wire(node="up", output="latent", allow=("sd1", "sdxl"))}
    decode = decode.model_copy(update={"inputs": inputs})
    flow = flow.model_copy(update={"nodes": {**flow.nodes, "up": up, "decode": decode}})
    # The first wire counts again, so "up" is SD 1.x, which is what the second one was allowed for.
    result = checked(flow)
    assert result.problems == ()
    assert space(result, "up", "latent") == (["sd1"], "certain")


def test_muting_a_node_takes_its_equations_away() -> None:
    flow = two_samplers()
    assert conflicts(moded(flow, sampler2="mute")) == []
    result = checked(moded(flow, sampler2="mute"))
    assert result.runnable
    assert result.wanted == ("save",)


def test_a_bypassed_node_passes_the_type_of_what_enters_it() -> None:
    flow = text_to_image("sd15.safetensors", up=placed("upscale_latent", latent="sampler.latent"))
    flow = moded(rewired(flow, "decode", latent="up.latent"), up="bypass")
    result = checked(flow)
    assert result.problems == ()
    assert space(result, "up", "latent") == (["sd1"], "certain")
    wrong = rewired(flow, "decode", vae="other.vae")
    nodes = {**wrong.nodes, "other": placed("load_vae", {"file": "sdxl.safetensors"})}
    wrong = wrong.model_copy(update={"nodes": nodes})
    (problem,) = conflicts(wrong)
    assert places([problem]) == [("decode", "latent")]
    assert problem.because[0].node == "sampler"
    mended(wrong, problem)
