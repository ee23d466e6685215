"""Problems of the files that nodes load."""

import pytest

from graph.check import check, targets
from graph.edits import apply
from graph.files import FileFacts, Flaw
from graph.workflow import PlacedNode, Workflow
from tests.graph.checking import checked, codes, mended, only, place
from tests.graph.small_world import (
    DEFINITIONS,
    SHELF,
    Shelf,
    checkpoint,
    placed,
    text_to_image,
    vae,
    workflow,
)


def test_a_missing_file_is_told_with_files_of_like_names() -> None:
    flow = text_to_image("sd-15.safetensors")
    problem = only(flow, "missing_file")
    assert place(problem) == ("checkpoint", "file")
    assert "is not in the folder 'checkpoints'" in problem.message
    assert "Set 'File' to sd15.safetensors" in mended(flow, problem)


def test_an_unusable_file_is_told_with_its_trouble() -> None:
    flow = text_to_image("broken.safetensors")
    problem = only(flow, "unusable_file")
    assert (
        problem.message == "Load Checkpoint cannot load broken.safetensors: The file is cut short."
    )
    mended(flow, problem)


@pytest.mark.parametrize("name", ["../starter.safetensors", "/etc/passwd", "a\\b"])
def test_a_name_that_leaves_its_folder_is_refused_without_asking_the_disk(name: str) -> None:
    problem = only(text_to_image(name), "invalid_value")
    assert place(problem) == ("checkpoint", "file")
    assert "inside the folder" in problem.message


def test_a_checkpoint_without_the_part_that_is_wired_is_told_with_files_that_have_it() -> None:
    flow = text_to_image("no-vae.safetensors")
    problem = only(flow, "missing_part")
    assert place(problem) == ("decode", "vae")
    assert "no-vae.safetensors, which Load Checkpoint loads, has no VAE" in problem.message
    titles = mended(flow, problem)
    assert titles[0] == "Load the VAE of sd1.safetensors"
    fixed = apply(flow, problem.fixes[0].edits)
    assert codes(fixed) == []
    assert checked(text_to_image("no-vae.safetensors", "sd1.safetensors")).runnable


NOT_YET = Flaw(
    code="not_runnable",
    message="It is a Chroma model, which this version cannot run yet: choose another model.",
    parts=("model", "clip"),
    parameters={"reason": "family"},
)
CHROMA = checkpoint("chroma.safetensors", "chroma", "flux1").model_copy(
    update={"flaws": (NOT_YET,)}
)


def with_files(**folders: list[FileFacts]) -> Shelf:
    """The everyday shelf and these files."""
    every = {name: [*found.values()] for name, found in SHELF.folders.items()}
    return Shelf(**{name: [*every.get(name, ()), *found] for name, found in folders.items()})


def test_a_file_that_cannot_be_run_is_told_at_its_loader_and_keeps_its_types() -> None:
    shelf = with_files(checkpoints=[CHROMA])
    flow = text_to_image("chroma.safetensors")
    result = check(flow, DEFINITIONS, shelf)
    (problem,) = result.problems
    assert (problem.code, *place(problem)) == ("not_runnable", "checkpoint", "file")
    assert problem.message.startswith("Load Checkpoint cannot run chroma.safetensors: ")
    assert problem.message.endswith("choose another model.")
    assert problem.parameters["reason"] == "family"
    assert not result.runnable
    assert result.bindings["empty"] == {"S": ("flux1",)}
    assert result.bindings["sampler"] == {"T": ("chroma",), "S": ("flux1",)}


def test_a_flaw_of_a_part_that_nobody_uses_keeps_nobody_from_running() -> None:
    shelf = with_files(checkpoints=[CHROMA])
    flow = workflow(
        checkpoint=placed("load_checkpoint", {"file": "chroma.safetensors"}),
        photo=placed("load_image", {"file": "photo.png"}),
        encode=placed("vae_encode", image="photo.image", vae="checkpoint.vae"),
        decode=placed("vae_decode", latent="encode.latent", vae="checkpoint.vae"),
        save=placed("save_image", image="decode.image"),
    )
    full = with_files(checkpoints=[CHROMA], input=[SHELF.folders["input"]["photo.png"]])
    assert check(flow, DEFINITIONS, full).problems == ()
    alone = workflow(checkpoint=placed("load_checkpoint", {"file": "chroma.safetensors"}))
    told = [item.code for item in check(alone, DEFINITIONS, shelf).problems]
    assert "not_runnable" in told, "before anything is wired, it is told too"


def test_a_file_of_another_kind_is_told_under_a_code_of_its_own() -> None:
    lora = FileFacts(
        name="lora.safetensors", kind="lora", trouble="It is a LoRA.", code="wrong_kind"
    )
    shelf = with_files(checkpoints=[lora])
    (problem, *_) = check(text_to_image("lora.safetensors"), DEFINITIONS, shelf).problems
    assert (problem.code, *place(problem)) == ("wrong_kind", "checkpoint", "file")


DECODER = vae("tiny-decoder.safetensors", "sd1").model_copy(update={"lacks": ("encoder",)})
ENCODER = vae("tiny-encoder.safetensors", "sd1").model_copy(update={"lacks": ("decoder",)})


def photo_to_photo(vae_loader: PlacedNode) -> Workflow:
    return workflow(
        photo=placed("load_image", {"file": "photo.png"}),
        loader=vae_loader,
        encode=placed("vae_encode", image="photo.image", vae="loader.vae"),
        decode=placed("vae_decode", latent="encode.latent", vae="loader.vae"),
        save=placed("save_image", image="decode.image"),
    )


@pytest.mark.parametrize(
    ("file", "at", "what"),
    [(DECODER.name, "encode", "VAE encoder"), (ENCODER.name, "decode", "VAE decoder")],
)
def test_half_a_vae_is_told_where_the_other_half_is_needed(file: str, at: str, what: str) -> None:
    shelf = with_files(vae=[DECODER, ENCODER], input=[])
    flow = photo_to_photo(placed("load_vae", {"file": file}))
    found = [
        item for item in check(flow, DEFINITIONS, shelf).problems if item.code == "missing_part"
    ]
    (problem,) = found
    assert place(problem) == (at, "vae")
    assert f"{file}, which Load VAE loads, has no {what}" in problem.message
    assert problem.fixes[0].title == "Load the VAE of sd1.safetensors"
    for fix in problem.fixes:
        after = check(apply(flow, fix.edits), DEFINITIONS, shelf).problems
        assert (at, "vae", "missing_part") not in [(*place(item), item.code) for item in after]
    wires = targets(flow, DEFINITIONS, shelf, node="loader", output="vae").targets
    assert {item.node: item.code for item in wires}[at] == "missing_part"


def test_two_halves_make_one_vae_where_each_is_in_its_place() -> None:
    shelf = with_files(vae=[DECODER, ENCODER], input=[])
    right = placed("load_tiny_vae", {"encoder": ENCODER.name, "decoder": DECODER.name})
    assert "missing_part" not in [
        item.code for item in check(photo_to_photo(right), DEFINITIONS, shelf).problems
    ]
    wrong = placed("load_tiny_vae", {"encoder": DECODER.name, "decoder": ENCODER.name})
    told = check(photo_to_photo(wrong), DEFINITIONS, shelf).problems
    assert [place(item) for item in told if item.code == "missing_part"] == [
        ("loader", "encoder"),
        ("loader", "decoder"),
    ]


def test_a_missing_part_says_how_many_files_would_do_and_offers_the_surest_first() -> None:
    problem = only(text_to_image("no-vae.safetensors"), "missing_part")
    assert problem.message.endswith("4 files here would do: load one for it.")
    assert [fix.title for fix in problem.fixes] == [
        "Load the VAE of sd1.safetensors",
        "Load the VAE of sd15.safetensors",
        "Load the VAE of sd21.safetensors",
    ]
    maybe = Shelf(
        checkpoints=[SHELF.folders["checkpoints"]["no-vae.safetensors"]],
        vae=[vae("mse.safetensors", "sd1", "sdxl"), vae("xl.safetensors", "sdxl")],
    )
    (problem, *_) = check(text_to_image("no-vae.safetensors"), DEFINITIONS, maybe).problems
    assert [fix.title for fix in problem.fixes] == ["Load the VAE of mse.safetensors"]
    assert "1 file here would do" in problem.message


def test_a_missing_part_that_no_file_has_says_to_get_one() -> None:
    bare = Shelf(checkpoints=[SHELF.folders["checkpoints"]["no-vae.safetensors"]])
    (problem, *_) = check(text_to_image("no-vae.safetensors"), DEFINITIONS, bare).problems
    assert problem.message.endswith(
        "No file here has a VAE that fits: put one into the models folder."
    )
    assert problem.fixes == ()
