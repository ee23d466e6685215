"""What refuses a run, and the form of the answer."""

import json

from graph.workflow import PlacedNode, Workflow
from tests.graph.checking import checked, codes, mended, only, place, problems
from tests.graph.small_world import placed, text_to_image, workflow


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
