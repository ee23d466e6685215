"""What the checker finds is what the planner takes: the everyday workflow, from file to keys."""

from graph.check import check
from graph.plan import Plan, plan
from graph.workflow import Workflow
from tests.graph.small_world import DEFINITIONS, SHELF, placed, text_to_image


def planned(workflow: Workflow, *wanted: str) -> Plan:
    checked = check(workflow, DEFINITIONS, SHELF, wanted or None)
    assert checked.runnable, [problem.message for problem in checked.blocking]
    return plan(
        workflow,
        DEFINITIONS,
        checked.bindings,
        wanted=wanted or None,
        files=SHELF,
        engine="test",
    )


def test_the_space_that_the_checker_infers_reaches_the_function() -> None:
    steps = planned(text_to_image())
    assert steps.steps[steps.keys["empty"]].spaces == {"space": "starter"}


def test_the_content_of_the_chosen_file_is_in_the_step() -> None:
    steps = planned(text_to_image())
    contents = steps.steps[steps.keys["checkpoint"]].contents
    assert contents == {"file": "content of starter.safetensors"}


def test_another_checkpoint_changes_every_key_that_hangs_on_it() -> None:
    one = planned(text_to_image(), "decode").keys
    two = planned(text_to_image("sd15.safetensors"), "decode").keys
    assert {node for node in one if one[node] != two[node]} == set(one)


def test_an_empty_latent_of_another_space_has_another_key() -> None:
    # The two differ in nothing but the space that the wire's other end gives them.
    one = planned(text_to_image("sd15.safetensors"), "sampler").keys
    two = planned(text_to_image("sdxl.safetensors"), "sampler").keys
    assert one["empty"] != two["empty"]


def test_another_prompt_leaves_the_rest_as_it_was() -> None:
    changed = placed("encode_text", {"text": "a blue star"}, clip="checkpoint.clip")
    one = planned(text_to_image(), "decode").keys
    two = planned(text_to_image(positive=changed), "decode").keys
    assert {node for node in one if one[node] != two[node]} == {"positive", "sampler", "decode"}


def test_the_two_sides_want_the_same_nodes_by_default() -> None:
    workflow = text_to_image()
    assert planned(workflow).wanted == check(workflow, DEFINITIONS, SHELF).wanted == ("save",)
