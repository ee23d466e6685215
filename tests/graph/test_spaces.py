"""Which latent belongs to which VAE: conflicts, where they are, and the ways out of them."""

import pytest

from graph.edits import apply
from graph.workflow import Wire
from tests.graph.small_world import (
    placed,
    text_to_image,
)
from tests.graph.spaces import checked, conflicts, mended, places, rewired, titled, two_samplers


def test_a_starter_latent_cannot_enter_the_starter_b_vae() -> None:
    flow = text_to_image(vae_file="starter-b.safetensors")
    result = checked(titled(flow, sampler="Sample", decode="Decode"))
    (problem,) = result.problems
    assert (problem.code, problem.severity) == ("space_mismatch", "error")
    assert places([problem]) == [("decode", "latent")]
    assert problem.message == (
        "This latent is Starter: KSampler 'Sample' uses starter.safetensors (declared in the "
        "file's metadata, certain). VAE Decode 'Decode' uses starter-b.safetensors, which is for "
        "Starter B (declared in the file's metadata, certain)."
    )
    arriving, present = problem.because
    assert (arriving.node, arriving.socket, arriving.space) == ("sampler", "latent", "starter")
    assert arriving.path == ("checkpoint", "sampler")
    assert (present.node, present.socket, present.space) == ("decode", "vae", "starter-b")
    assert present.path == ("vae_loader", "decode")
    assert present.evidence == "starter-b.safetensors: declared in the file's metadata"
    assert result.blocking == (problem,)
    assert not result.runnable


def test_every_way_out_of_the_mismatch_is_offered_and_leaves_it_gone() -> None:
    flow = text_to_image(vae_file="starter-b.safetensors")
    (problem,) = conflicts(flow)
    assert mended(flow, problem) == [
        "Use the VAE of starter.safetensors in VAE Decode",
        "Load starter.safetensors in Load VAE",
        "Convert it: put VAE Decode and VAE Encode in between",
        "I know better: allow this wire",
    ]


def test_a_vae_that_nobody_loads_yet_is_loaded_from_a_file_that_matches() -> None:
    flow = text_to_image("no-vae.safetensors")
    flow.nodes["other"] = placed("load_checkpoint", {"file": "sdxl.safetensors"})
    flow.nodes["decode"].inputs["vae"] = Wire(node="other", output="vae")
    (problem,) = conflicts(flow)
    assert "Load the VAE of sd1.safetensors for VAE Decode" in mended(flow, problem)
    bridge = next(fix for fix in problem.fixes if fix.title.startswith("Convert it"))
    nodes = apply(flow, bridge.edits).nodes
    assert nodes["vae_decode"].title == "SD 1.x to image"
    assert nodes["vae_encode"].title == "Image to SDXL"
    assert nodes[nodes["vae_decode"].inputs["vae"].node].values == {"file": "sd1.safetensors"}
    assert nodes["vae_encode"].inputs["vae"].node == "other"


@pytest.mark.parametrize("file", ["sd15", "sdxl", "flux", "starter"])
@pytest.mark.parametrize("vae_file", ["sd1", "sdxl", "flux", "starter", "starter-b"])
def test_a_vae_file_fits_a_checkpoint_of_its_own_space_and_no_other(
    file: str, vae_file: str
) -> None:
    spaces = {"sd15": "sd1"}.get(file, file)
    flow = text_to_image(f"{file}.safetensors", f"{vae_file}.safetensors")
    found = conflicts(flow)
    assert (not found) == (spaces == vae_file)
    for problem in found:
        mended(flow, problem)


def test_models_that_share_a_latent_space_but_not_a_text_space_are_told_apart() -> None:
    other = {"other": placed("load_checkpoint", {"file": "sd21.safetensors"})}
    flow = text_to_image("sd15.safetensors", **other)
    assert conflicts(rewired(flow, "decode", vae="other.vae")) == []
    wrong = rewired(flow, "positive", clip="other.clip")
    (problem,) = conflicts(wrong)
    assert places([problem]) == [("sampler", "positive")]
    assert problem.parameters["axis"] == "text"
    assert "This conditioning is sd2" in problem.message
    titles = mended(wrong, problem)
    assert titles[0] == "Use the CLIP of sd15.safetensors in CLIP Text Encode (positive)"
    assert "I know better: allow this wire" not in titles, "another width never runs"


def test_a_channel_count_is_never_overruled() -> None:
    flow = text_to_image("sd15.safetensors", "flux.safetensors")
    (problem,) = conflicts(flow)
    assert not any("know better" in title for title in mended(flow, problem))
    node = flow.nodes["decode"]
    wire = Wire(node="sampler", output="latent", allow=("sd1", "flux1"))
    node = node.model_copy(update={"inputs": {**node.inputs, "latent": wire}})
    by_hand = flow.model_copy(update={"nodes": {**flow.nodes, "decode": node}})
    assert places(conflicts(by_hand)) == [("decode", "latent")]


def test_the_wire_where_two_long_paths_meet_is_to_blame_not_one_in_the_middle() -> None:
    more = {f"up{k}": placed("upscale_latent", latent=f"up{k - 1}.latent") for k in range(1, 9)}
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors", **more)
    flow = rewired(flow, "up1", latent="sampler.latent")
    flow = rewired(flow, "decode", latent="up8.latent")
    (problem,) = conflicts(flow)
    assert places([problem]) == [("decode", "latent")]
    assert problem.because[0].node == "up8"
    assert problem.because[0].path == ("checkpoint", "sampler", *more)
    assert "comes from Upscale Latent (up8), and KSampler uses sd15.safetensors" in problem.message
    mended(flow, problem)


def test_every_wrong_wire_of_one_source_is_told_at_once() -> None:
    again = {
        "decode2": placed("vae_decode", latent="sampler.latent", vae="vae_loader.vae"),
        "save2": placed("save_image", image="decode2.image"),
    }
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors", **again)
    found = conflicts(flow)
    assert places(found) == [("decode", "latent"), ("decode2", "latent")]
    for problem in found:
        mended(flow, problem)


def test_two_samplers_that_disagree_over_one_empty_latent_may_each_have_one() -> None:
    flow = two_samplers()
    (problem,) = conflicts(flow)
    assert places([problem]) == [("sampler2", "latent")]
    assert problem.message.startswith(
        "Empty Latent cannot serve both: KSampler (sampler) uses sd15"
    )
    assert [side.path for side in problem.because] == [
        ("checkpoint", "sampler"),
        ("other", "sampler2"),
    ]
    titles = mended(flow, problem)
    assert titles[0] == "Duplicate Empty Latent for KSampler (sampler2)"
    fixed = apply(flow, problem.fixes[0].edits)
    assert fixed.nodes["empty-copy"].type == "empty_latent"
    assert fixed.nodes["sampler2"].inputs["latent"].node == "empty-copy"
    result = checked(fixed)
    assert result.runnable
    assert result.bindings["empty"] == {"S": ("sd1",)}
    assert result.bindings["empty-copy"] == {"S": ("sdxl",)}


def test_what_lies_between_the_empty_latent_and_the_fork_is_duplicated_too() -> None:
    flow = two_samplers()
    nodes = {**flow.nodes, "up": placed("upscale_latent", latent="empty.latent")}
    flow = flow.model_copy(update={"nodes": nodes})
    flow = rewired(rewired(flow, "sampler", latent="up.latent"), "sampler2", latent="up.latent")
    (problem,) = conflicts(flow)
    assert "Duplicate Upscale Latent for KSampler (sampler2)" in mended(flow, problem)
    fixed = apply(flow, problem.fixes[0].edits)
    assert fixed.nodes["up-copy"].inputs["latent"].node == "empty-copy"


def test_each_branch_of_a_conflict_runs_alone() -> None:
    flow = two_samplers()
    assert not checked(flow).runnable
    for wanted, found in (("save", "sd1"), ("save2", "sdxl")):
        result = checked(flow, wanted=[wanted])
        assert result.runnable
        assert result.bindings["empty"] == {"S": (found,)}
        assert [item.code for item in result.problems] == ["space_mismatch"], "still shown"


def test_what_joins_two_branches_of_unlike_spaces_does_not_run_alone() -> None:
    flow = two_samplers()
    more = {
        "second": placed("empty_latent"),
        "up": placed("upscale_latent", latent="empty.latent"),
        "both": placed("blend_latents", first="up.latent", second="second.latent"),
        "see": placed("show", value="both.latent"),
    }
    flow = flow.model_copy(update={"nodes": {**flow.nodes, **more}})
    flow = rewired(flow, "sampler2", latent="second.latent")
    result = checked(flow, wanted=["see"])
    assert not result.runnable
    assert {item.code for item in result.blocking} == {"unresolved_space"}
    assert {item.node for item in result.blocking} == {"empty", "second"}
    assert all("it could be SD 1.x or SDXL" in item.message for item in result.blocking)
    assert result.bindings["both"] == {"S": ("sd1", "sdxl")}
    for wanted in ("save", "save2"):
        assert checked(flow, wanted=[wanted]).runnable
