"""Which files a loader could take as it is wired."""

import pytest

from graph.fitting import Misfit, NoSuchWidget, misfits
from graph.workflow import Subgraph, SubgraphInput, SubgraphOutput, SubgraphWidget, Workflow
from tests.graph.checking import codes
from tests.graph.small_world import DEFINITIONS, SHELF, Shelf, placed, text_to_image, vae, workflow
from tests.graph.test_check_files import CHROMA, DECODER, photo_to_photo, with_files


def told(
    flow: Workflow, node: str, widget: str = "file", shelf: Shelf = SHELF
) -> dict[str, Misfit]:
    return {one.name: one for one in misfits(flow, DEFINITIONS, shelf, node, widget)}


def test_a_vae_of_another_space_than_the_latents_is_told_with_what_it_would_meet() -> None:
    found = told(text_to_image("sd15.safetensors", "sd1.safetensors"), "vae_loader")
    assert set(found) == {
        "flux.safetensors",
        "sdxl.safetensors",
        "starter-b.safetensors",
        "starter.safetensors",
    }, "one that could be SD 1.x fits, and so does one of which nothing is known"
    assert found["sdxl.safetensors"].code == "space_mismatch"
    assert found["sdxl.safetensors"].reason == (
        "It is for SDXL: KSampler uses sd15.safetensors, which is for SD 1.x "
        "(declared in the file's metadata, certain)."
    )


def test_what_fits_does_not_hang_on_the_file_that_is_there_now() -> None:
    right = told(text_to_image("sd15.safetensors", "sd1.safetensors"), "vae_loader")
    wrong = told(text_to_image("sd15.safetensors", "sdxl.safetensors"), "vae_loader")
    assert right == wrong == told(text_to_image("sd15.safetensors", "gone"), "vae_loader")


def test_a_checkpoint_fits_where_no_other_file_says_the_space() -> None:
    free = told(text_to_image("sd15.safetensors"), "checkpoint")
    assert {name: one.code for name, one in free.items()} == {
        "broken.safetensors": "unusable_file",
        "no-vae.safetensors": "missing_part",
    }
    assert free["no-vae.safetensors"].reason == "It has no VAE, and VAE Decode needs one."
    bound = told(text_to_image("sd15.safetensors", "sd1.safetensors"), "checkpoint")
    assert {name for name, one in bound.items() if one.code == "space_mismatch"} == {
        "flux.safetensors",
        "sdxl.safetensors",
        "starter.safetensors",
    }
    assert "no-vae.safetensors" not in bound, "the VAE is a file of its own here"


def test_every_file_is_told_as_the_checker_would_tell_it() -> None:
    for file in SHELF.names("vae"):
        flow = text_to_image("sdxl.safetensors", file)
        wrong = "space_mismatch" in codes(flow)
        assert (file in told(flow, "vae_loader")) == wrong, file


def test_a_file_that_is_loaded_twice_is_bound_by_its_other_use() -> None:
    flow = text_to_image(
        "sd15.safetensors",
        "sd1-or-sdxl.safetensors",
        second=placed("load_vae", {"file": "sd1.safetensors"}),
        sharp=placed("sharpen_sdxl", latent="code.latent"),
        code=placed("vae_encode", image="decode.image", vae="second.vae"),
    )
    found = told(flow, "second")
    assert found["sd1-or-sdxl.safetensors"].code == "space_mismatch"
    assert "sdxl.safetensors" not in found


def test_a_wire_that_a_person_allowed_lets_its_file_be() -> None:
    flow = text_to_image("sd15.safetensors", "sdxl.safetensors")
    decode = flow.nodes["decode"]
    for socket in ("latent", "vae"):
        pair = ("sd1", "sdxl") if socket == "latent" else ("sdxl", "sd1")
        wire = decode.inputs[socket].model_copy(update={"allow": pair})
        allowed = decode.model_copy(update={"inputs": {**decode.inputs, socket: wire}})
        free = flow.model_copy(update={"nodes": {**flow.nodes, "decode": allowed}})
        assert "sdxl.safetensors" not in told(free, "vae_loader"), socket
        assert "flux.safetensors" in told(free, "vae_loader"), socket


def test_halves_of_a_vae_and_what_cannot_be_run_are_told_by_their_use() -> None:
    shelf = with_files(vae=[DECODER], input=[])
    found = told(
        photo_to_photo(placed("load_vae", {"file": "sd1.safetensors"})), "loader", shelf=shelf
    )
    assert found[DECODER.name].reason == "It has no VAE encoder, and VAE Encode needs one."
    tiny = photo_to_photo(placed("load_tiny_vae"))
    assert told(tiny, "loader", "encoder", shelf)[DECODER.name].reason == "It has no VAE encoder."
    assert DECODER.name not in told(tiny, "loader", "decoder", shelf)
    models = with_files(checkpoints=[CHROMA])
    flow = text_to_image("sd15.safetensors")
    assert told(flow, "checkpoint", shelf=models)[CHROMA.name].code == "not_runnable"


def test_a_file_inside_a_subgraph_is_judged_by_what_is_around_it() -> None:
    inside = Subgraph(
        title="Decoder",
        nodes={
            "vae": placed("load_vae", {"file": "sd1.safetensors"}),
            "decode": placed("vae_decode", latent="$.latent", vae="vae.vae"),
        },
        inputs={"latent": SubgraphInput(title="Latent")},
        outputs={"image": SubgraphOutput(title="Image", node="decode", output="image")},
        widgets={"file": SubgraphWidget(node="vae", name="file")},
    )
    flat = text_to_image("sdxl.safetensors")
    nodes = {**flat.nodes, "up": placed("subgraph:decoder", latent="sampler.latent")}
    flow = flat.model_copy(update={"nodes": nodes, "subgraphs": {"decoder": inside}})
    assert "sd1.safetensors" in told(flow, "up/vae")
    assert "sdxl.safetensors" not in told(flow, "up/vae")
    assert told(flow, "up") == told(flow, "up/vae")


def test_a_muted_loader_and_one_without_wires_take_every_file_that_can_be_used() -> None:
    alone = workflow(loader=placed("load_vae", {"file": "sd1.safetensors"}))
    assert told(alone, "loader") == {}
    muted = text_to_image("sd15.safetensors", "sd1.safetensors")
    loader = muted.nodes["vae_loader"].model_copy(update={"mode": "mute"})
    muted = muted.model_copy(update={"nodes": {**muted.nodes, "vae_loader": loader}})
    assert told(muted, "vae_loader") == {}


@pytest.mark.parametrize(("node", "widget"), [("gone", "file"), ("sampler", "steps"), ("up", "x")])
def test_what_is_no_widget_for_files_is_refused(node: str, widget: str) -> None:
    with pytest.raises(NoSuchWidget):
        told(text_to_image(), node, widget)


def test_many_files_of_one_sort_are_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import graph.fitting

    solved = []
    solve = graph.fitting.solve
    monkeypatch.setattr(graph.fitting, "solve", lambda facts: solved.append(1) or solve(facts))
    shelf = with_files(checkpoints=[], vae=[vae(f"xl-{k}.safetensors", "sdxl") for k in range(500)])
    found = told(text_to_image("sd15.safetensors", "sd1.safetensors"), "vae_loader", shelf=shelf)
    assert len(found) == 504
    assert len(solved) <= 5, "the spaces around it, and once for each other space"
