"""Times are foretold from what is alike, and a batch's common work counts once."""

from collections.abc import Mapping
from typing import Any

import pytest

from graph.batch import Case, Expansion
from graph.duration import Likeness, batch_seconds, likenesses
from graph.workflow import Workflow
from server.queue.rows import with_changes
from tests.graph.small_world import DEFINITIONS, text_to_image
from tests.graph.test_batch import SOURCES, at

EVERYDAY = text_to_image()


def changed(node: str, **values: Any) -> Workflow:
    found = EVERYDAY.model_copy(deep=True)
    found.nodes[node].values |= values
    return found


def alike(workflow: Workflow, node: str) -> str:
    return likenesses(workflow, DEFINITIONS)[node].alike


def test_seeds_and_texts_take_no_time_and_sizes_and_steps_do() -> None:
    before = likenesses(EVERYDAY, DEFINITIONS)
    assert set(before) == set(EVERYDAY.nodes)
    assert likenesses(changed("sampler", seed=99), DEFINITIONS) == before
    assert likenesses(changed("positive", text="a dog"), DEFINITIONS) == before
    for node, value in (("empty", {"width": 1024}), ("sampler", {"steps": 99})):
        assert alike(changed(node, **value), "sampler") != before["sampler"].alike, node
        assert alike(changed(node, **value), "decode") != before["decode"].alike, node
        assert alike(changed(node, **value), "positive") == before["positive"].alike, node
    assert likenesses(changed("sampler", steps=8), DEFINITIONS)["sampler"].work == 8


def test_a_default_is_as_good_as_the_same_value_written_out() -> None:
    default = DEFINITIONS["k_sampler"].widgets
    steps = next(widget.default for widget in default if widget.name == "steps")
    bare = EVERYDAY.model_copy(deep=True)
    bare.nodes["sampler"].values.pop("steps", None)
    assert alike(bare, "sampler") == alike(changed("sampler", steps=steps), "sampler")


def test_muted_nodes_and_circles_have_no_time() -> None:
    workflow = changed("sampler")
    workflow.nodes["decode"].mode = "mute"
    assert likenesses(workflow, DEFINITIONS) == {}
    circle = Workflow.model_validate(
        {
            "nodes": {
                "a": {"type": "invert", "inputs": {"image": {"node": "b", "output": "image"}}},
                "b": {"type": "invert", "inputs": {"image": {"node": "a", "output": "image"}}},
            }
        }
    )
    assert set(likenesses(circle, DEFINITIONS, ["a"])) == {"a", "b"}


def expanded(*axes: Mapping[str, Any]) -> Expansion:
    import random

    from graph.batch import expand
    from graph.batch_axes import Recipe

    recipe = Recipe.model_validate({"axes": axes})
    return expand(recipe, EVERYDAY, DEFINITIONS, SOURCES, random.Random(1))


def seconds(batch: Expansion, of: Mapping[str, float]) -> float | None:
    def case(case: Case) -> Workflow:
        return Workflow.model_validate(with_changes(EVERYDAY.to_json(), case.changes))

    def known(likeness: Likeness) -> float | None:
        each = of.get(likeness.type)
        return None if each is None else each * likeness.work

    return batch_seconds(batch, case, DEFINITIONS, known)


TIMES = {
    "load_checkpoint": 100.0,
    "encode_text": 10.0,
    "empty_latent": 1.0,
    "k_sampler": 0.01,
    "vae_decode": 0.001,
    "save_image": 0.0001,
}
PROMPTS = {"kind": "values", "at": at("positive", "text"), "values": ["a", "b"]}
SEEDS = {"kind": "seeds", "at": at("sampler", "seed"), "count": 3}
STEPS = {"kind": "values", "at": at("sampler", "steps"), "values": [10, 30]}


@pytest.mark.parametrize(
    ("axes", "prompts", "sampled", "runs"),
    [
        ((SEEDS,), 1, 3 * 20, 3),
        ((SEEDS, PROMPTS), 2, 6 * 20, 6),
        ((STEPS,), 1, 10 + 30, 2),
        ((PROMPTS, SEEDS, STEPS), 2, 6 * (10 + 30), 12),
    ],
)
def test_what_a_batch_has_in_common_is_counted_once(
    axes: Any, prompts: int, sampled: int, runs: int
) -> None:
    workflow = EVERYDAY.nodes["sampler"].values
    assert workflow.get("steps", 20) == 20
    # One checkpoint and one empty latent, a prompt for each text and the negative one.
    expected = 100 + 10 * (prompts + 1) + 1 + 0.01 * sampled + 0.0011 * runs
    assert seconds(expanded(*axes), TIMES) == pytest.approx(expected)


def test_a_time_that_is_not_known_leaves_the_batch_unknown() -> None:
    assert seconds(expanded(SEEDS), {**TIMES, "vae_decode": None}) is None  # type: ignore[dict-item]


def test_a_large_batch_is_foretold_from_some_of_its_cases() -> None:
    many = {"kind": "range", "at": at("sampler", "steps"), "start": 1, "stop": 999, "count": 999}
    found = seconds(expanded(many), TIMES)
    # Every fifth of the numbers 1…999 has their mean but for two steps of a thousand.
    assert found == pytest.approx(100 + 20 + 1 + 0.01 * 499_500 + 0.0011 * 999, rel=0.005)
