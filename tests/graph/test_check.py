"""Problems of nodes, wires and values, what refuses a run, and the form of the answer."""

import json
from time import process_time
from typing import Any

import pytest

from graph.check import CheckResult, check
from graph.edits import apply
from graph.problem import Problem
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image, workflow


def checked(flow: Workflow, **options: Any) -> CheckResult:
    return check(flow, DEFINITIONS, SHELF, **options)


def problems(flow: Workflow, code: str, **options: Any) -> list[Problem]:
    return [item for item in checked(flow, **options).problems if item.code == code]


def only(flow: Workflow, code: str, **options: Any) -> Problem:
    (problem,) = problems(flow, code, **options)
    return problem


def codes(flow: Workflow, **options: Any) -> list[str]:
    return [item.code for item in checked(flow, **options).problems]


def place(problem: Problem) -> tuple[str | None, str | None]:
    return problem.node, problem.socket


def mended(flow: Workflow, problem: Problem) -> list[str]:
    """The titles of the problem's fixes, each of which was seen to leave the problem gone."""
    for fix in problem.fixes:
        after = checked(apply(flow, fix.edits)).problems
        there = [(item.code, item.node, item.socket) for item in after]
        assert (problem.code, problem.node, problem.socket) not in there, fix.title
    return [fix.title for fix in problem.fixes]


def test_the_everyday_workflow_has_no_problem_and_can_run() -> None:
    result = checked(text_to_image())
    assert result.problems == ()
    assert result.runnable
    assert result.wanted == ("save",)
    assert result.bindings["empty"] == {"S": ("starter",)}
    assert result.bindings["sampler"] == {"T": ("starter",), "S": ("starter",)}


def test_the_answer_is_json_in_the_form_that_the_api_gives() -> None:
    answer = checked(text_to_image()).to_json()
    assert json.loads(json.dumps(answer)) == answer
    assert set(answer) == {"problems", "types", "runnable"}
    assert answer["types"]["sampler"]["outputs"]["latent"] == {
        "kind": "Latent",
        "spaces": [{"axis": "latent", "candidates": ["starter"], "certainty": "certain"}],
    }
    assert answer["types"]["save"]["inputs"]["image"] == {"kind": "Image", "spaces": []}


def test_every_problem_is_found_at_once_and_its_answer_is_json() -> None:
    flow = text_to_image(
        vae_file="starter-b.safetensors",
        lost=placed("pack.gone"),
        stray=placed("invert"),
        wrong=placed("save_image", image="sampler.latent"),
        typo=placed("whole_number", {"valeu": 3}),
    )
    result = checked(flow)
    assert sorted(item.code for item in result.problems) == [
        "missing_input",
        "space_mismatch",
        "unknown_node",
        "unknown_value",
        "wrong_type",
    ]
    json.dumps(result.to_json())


def test_an_unknown_node_is_told_and_can_be_removed() -> None:
    flow = workflow(a=placed("sepia.tone"), save=placed("save_image", image="a.image"))
    problem = only(flow, "unknown_node")
    assert place(problem) == ("a", None)
    assert "pack 'sepia'" in problem.message
    assert mended(flow, problem) == ["Remove the node"]
    assert codes(flow) == ["unknown_node"], "what hangs on it is not told twice"


def test_a_node_of_a_newer_version_is_told_and_may_run() -> None:
    flow = text_to_image()
    flow.nodes["save"].version = 9
    result = checked(flow)
    (problem,) = result.problems
    assert (problem.code, problem.severity, problem.node) == ("newer_node", "warning", "save")
    assert result.runnable


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


@pytest.mark.parametrize(
    ("type_", "values", "code", "words", "fixes"),
    [
        ("empty_latent", {"width": 8}, "out_of_range", "must be at least 16, not 8", ["16"]),
        ("empty_latent", {"width": 9000}, "out_of_range", "at most 8192, not 9000", ["8192"]),
        ("empty_latent", {"width": 513}, "out_of_range", "a multiple of 8, not 513", ["512"]),
        ("empty_latent", {"width": True}, "invalid_value", "a whole number, not true", ["512"]),
        ("empty_latent", {"width": 512.0}, "invalid_value", "a whole number, not 512.0", ["512"]),
        ("upscale_latent", {"scale": "2"}, "invalid_value", 'a number, not "2"', ["2.0"]),
        ("upscale_latent", {"scale": None}, "invalid_value", "a number, not null", ["2.0"]),
        (
            "k_sampler",
            {"sampler": "hoen"},
            "invalid_value",
            'must be one of "euler", "heun", not "hoen"',
            ["heun", "euler"],
        ),
        ("k_sampler", {"seed": str(2**64)}, "out_of_range", "must be at most", ["0"]),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_one_that_does(
    type_: str, values: dict[str, Any], code: str, words: str, fixes: list[str]
) -> None:
    flow = workflow(a=placed(type_, values))
    problem = only(flow, code)
    assert place(problem) == ("a", next(iter(values)))
    assert words in problem.message
    titles = mended(flow, problem)
    assert [title.rpartition(" to ")[2] for title in titles] == fixes


@pytest.mark.parametrize("seed", [0, 2**53 - 1, str(2**53), str(2**64 - 1), 2**64 - 1])
def test_a_large_seed_is_accepted_as_a_number_and_as_a_text(seed: Any) -> None:
    assert problems(workflow(a=placed("k_sampler", {"seed": seed})), "invalid_value") == []
    assert problems(workflow(a=placed("k_sampler", {"seed": seed})), "out_of_range") == []


def test_an_unknown_value_is_told_with_the_one_that_is_meant() -> None:
    flow = workflow(a=placed("k_sampler", {"sed": 7}))
    problem = only(flow, "unknown_value")
    assert place(problem) == ("a", "sed")
    assert "Is 'seed' meant?" in problem.message
    assert mended(flow, problem) == ["Move it to 'Seed'", "Remove the value"]
    moved = apply(flow, problem.fixes[0].edits)
    assert moved.nodes["a"].values == {"seed": 7}


def test_a_missing_value_is_told() -> None:
    flow = workflow(a=placed("pick", {}))
    assert place(only(flow, "missing_value")) == ("a", "first")
    empty = workflow(a=placed("load_image"))
    problem = only(empty, "missing_value")
    assert problem.message == "'File' of Load Image is empty: choose a file."
    assert mended(empty, problem) == ["Set 'File' to photo.png"]


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


def test_errors_refuse_a_run_only_where_the_wanted_outputs_need_them() -> None:
    flow = text_to_image(stray=placed("upscale_latent", {"scale": 99}))
    result = checked(flow)
    assert sorted(item.code for item in result.problems) == ["missing_input", "out_of_range"]
    assert result.runnable
    assert result.blocking == ()
    asked = checked(flow, wanted=["stray"])
    assert sorted(item.code for item in asked.blocking) == ["missing_input", "out_of_range"]
    assert not asked.runnable


def test_any_node_can_be_run_alone() -> None:
    flow = text_to_image(vae_file="starter-b.safetensors")
    assert not checked(flow).runnable
    assert checked(flow, wanted=["sampler"]).runnable
    alone = checked(flow, wanted=["empty"])
    assert alone.runnable
    assert alone.bindings["empty"] == {"S": ("starter",)}, "the rest says what it is for"


def test_a_workflow_that_makes_nothing_says_so() -> None:
    problem = only(workflow(a=placed("whole_number")), "nothing_to_run")
    assert place(problem) == (None, None)
    assert "Save Image" in problem.message
    assert not checked(Workflow()).runnable
    assert checked(workflow(a=placed("whole_number")), wanted=["a"]).runnable


def test_a_wanted_node_that_is_not_there_refuses_the_run() -> None:
    result = checked(text_to_image(), wanted=["save", "gone"])
    assert [item.code for item in result.blocking] == ["not_running"]
    assert "not in this workflow" in result.blocking[0].message


def test_two_nodes_of_one_name_are_told_apart_by_their_ids_and_a_title_is_used() -> None:
    flow = workflow(a=placed("invert"), b=placed("invert"))
    assert [item.message.split(" is not")[0] for item in problems(flow, "missing_input")] == [
        "'Image' of Invert (a)",
        "'Image' of Invert (b)",
    ]
    titled = PlacedNode(type="invert", title="Night")
    assert "Invert 'Night'" in only(workflow(a=titled), "missing_input").message


def chain(length: int) -> Workflow:
    nodes = {
        "checkpoint": placed("load_checkpoint", {"file": "sd15.safetensors"}),
        "n0": placed("empty_latent"),
    }
    for k in range(1, length):
        nodes[f"n{k}"] = placed("upscale_latent", latent=f"n{k - 1}.latent")
    nodes["decode"] = placed("vae_decode", latent=f"n{length - 1}.latent", vae="checkpoint.vae")
    nodes["save"] = placed("save_image", image="decode.image")
    return Workflow(nodes=nodes)


def test_a_chain_of_ten_thousand_nodes_is_checked_end_to_end() -> None:
    flow = chain(10_000)
    begun = process_time()
    result = checked(flow)
    seconds = process_time() - begun
    assert result.runnable
    assert result.bindings["n0"] == {"S": ("sd1",)}
    assert seconds < 5  # about 0.4 s on one core of a laptop; a quadratic step would take minutes


def test_a_long_chain_that_conflicts_or_closes_to_a_ring_is_told_too() -> None:
    flow = chain(3_000)
    flow.nodes["n0"] = placed("vae_encode", image="photo.image", vae="other.vae")
    flow.nodes["photo"] = placed("load_image", {"file": "photo.png"})
    flow.nodes["other"] = placed("load_vae", {"file": "sdxl.safetensors"})
    problem = only(flow, "space_mismatch")
    assert place(problem) == ("decode", "latent")
    assert len(problem.because[0].path) == 3_001
    flow = chain(10_000)
    flow.nodes["n0"] = placed("upscale_latent", latent="n9999.latent")
    assert len(only(flow, "cycle").parameters["nodes"]) == 10_000


def test_a_thousand_nodes_are_checked_in_an_instant() -> None:
    nodes: dict[str, PlacedNode] = {}
    for k in range(143):
        for id_, node in text_to_image().nodes.items():
            inputs = {
                name: Wire(node=f"{wire.node}{k}", output=wire.output)
                for name, wire in node.inputs.items()
            }
            nodes[f"{id_}{k}"] = node.model_copy(update={"inputs": inputs})
    flow = Workflow(nodes=nodes)
    checked(flow)
    begun = process_time()
    assert checked(flow).runnable
    assert process_time() - begun < 0.5  # 0.04 s was seen; room for slow machines
