"""Times are foretold from what is alike, and a batch's common work counts once."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from graph.batch import Case, Expansion
from graph.duration import SAMPLED, Likeness, batch_seconds, likenesses, sample, seconds_to_run
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


def workflow_of(case: Case) -> Workflow:
    return Workflow.model_validate(with_changes(EVERYDAY.to_json(), case.changes))


def seconds(
    batch: Expansion, of: Mapping[str, float], runs: Sequence[Collection[str]] | None = None
) -> float | None:
    """`runs`: the nodes that each of the cases of a sample computes."""

    def known(likeness: Likeness) -> float | None:
        each = of.get(likeness.type)
        return None if each is None else each * likeness.work

    if runs is None:
        return batch_seconds(batch, workflow_of, DEFINITIONS, known)
    return seconds_to_run(batch, sample(batch), runs, workflow_of, DEFINITIONS, known)


def uncached(batch: Expansion) -> list[list[str]]:
    """The nodes that each case of a sample computes where nothing was computed before."""
    done: set[str] = set()
    runs = []
    for case in sample(batch):
        workflow = workflow_of(case)
        values = {node: json.dumps(placed.values) for node, placed in workflow.nodes.items()}
        inputs = {"sampler": ("positive",), "decode": ("positive", "sampler")}
        keys = {
            node: node + value + "".join(values[one] for one in inputs.get(node, ()))
            for node, value in values.items()
        }
        runs.append([node for node, key in keys.items() if node == "save" or key not in done])
        done.update(keys.values())
    return runs


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


@pytest.mark.parametrize("axes", [(SEEDS,), (SEEDS, PROMPTS), (PROMPTS, SEEDS, STEPS)])
def test_what_runs_anyhow_takes_as_long_whoever_says_so(axes: Any) -> None:
    batch = expanded(*axes)
    assert seconds(batch, TIMES, uncached(batch)) == pytest.approx(seconds(batch, TIMES))


def test_what_is_cached_takes_no_time() -> None:
    batch = expanded(SEEDS, PROMPTS)
    known = [["save"]] * 6
    assert seconds(batch, TIMES, known) == pytest.approx(6 * TIMES["save_image"])
    half = [["sampler", "decode", "save"]] * 3 + [["save"]] * 3
    expected = 3 * (20 * 0.01 + 0.001) + 6 * 0.0001
    assert seconds(batch, TIMES, half) == pytest.approx(expected)
    assert seconds(batch, {"save_image": 1.0}, known) == 6.0, "other times need not be known"


def test_a_large_batch_that_is_known_is_foretold_from_a_sample() -> None:
    batch = expanded({**SEEDS, "count": 500}, PROMPTS)
    assert len(sample(batch)) == SAMPLED
    assert {case.cell[1] for case in sample(batch)} == {0, 1}
    assert seconds(batch, TIMES, [["save"]] * SAMPLED) == pytest.approx(1000 * 0.0001)
    assert seconds(batch, TIMES, uncached(batch)) == pytest.approx(seconds(batch, TIMES))
