"""A recipe becomes runs: each with its values, its name and its cell, models in the outer loop."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from graph.batch import BadBatch, Expansion, expand
from graph.batch_axes import MOST, Recipe, Sources
from graph.wildcards import BadWildcard
from graph.workflow import Workflow
from tests.graph.small_world import DEFINITIONS

FILES = {
    "prompts.txt": "a cat\n\n  a dog  \n",
    "table.csv": 'words,count,guidance\n"a cat, sitting",4,7.5\na dog,8,1\n',
    "empty.txt": "\n\n",
}


def read(name: str) -> str:
    if name not in FILES:
        raise BadWildcard(f"There is no file {name!r} in the input folder.")
    return FILES[name]


def words(name: str) -> Sequence[str]:
    return {"colour": ["red", "blue"]}[name]


SOURCES = Sources(read, words)


def workflow() -> Workflow:
    return Workflow.model_validate(
        {
            "version": 1,
            "nodes": {
                "load": {"type": "load_checkpoint", "values": {"file": "a.safetensors"}},
                "text": {"type": "encode_text", "values": {"text": "a {big|small} ball"}},
                "sampler": {"type": "k_sampler", "values": {"seed": 1}},
                "wired": {
                    "type": "k_sampler",
                    "inputs": {"seed": {"node": "text", "output": "conditioning"}},
                },
            },
        }
    )


def at(node: str, widget: str) -> dict[str, str]:
    return {"node": node, "widget": widget}


def batch(*axes: dict[str, Any], seed: int = 0) -> Expansion:
    recipe = Recipe.model_validate({"axes": axes})
    return expand(recipe, workflow(), DEFINITIONS, SOURCES, random.Random(seed))


def values(expansion: Expansion, node: str, widget: str) -> list[Any]:
    return [case.changes[node][widget] for case in expansion.cases]


STEPS = {"kind": "values", "at": at("sampler", "steps"), "values": [4, 8]}
CFG = {"kind": "range", "at": at("sampler", "cfg"), "start": 1, "stop": 2, "count": 3}


def test_axes_multiply_and_the_last_one_is_the_innermost() -> None:
    found = batch(STEPS, CFG)
    assert [(case.changes["sampler"]["steps"], case.cell) for case in found.cases] == [
        (4, (0, 0)),
        (4, (0, 1)),
        (4, (0, 2)),
        (8, (1, 0)),
        (8, (1, 1)),
        (8, (1, 2)),
    ]
    assert values(found, "sampler", "cfg") == [1, 1.5, 2] * 2
    assert found.cases[4].name == "Steps 8, CFG 1.5"
    assert found.axes == (("Steps", ("4", "8")), ("CFG", ("1", "1.5", "2")))


def test_an_axis_that_changes_the_model_is_the_outer_loop_and_keeps_its_cell() -> None:
    files = {"kind": "values", "at": at("load", "file"), "values": ["a", "b"]}
    found = batch(STEPS, files)
    assert values(found, "load", "file") == ["a", "a", "b", "b"]
    assert [case.cell for case in found.cases] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_one_case_stands_for_each_combination_of_models() -> None:
    files = {"kind": "values", "at": at("load", "file"), "values": ["a", "b"]}
    assert [case.cell for case in batch(STEPS, files, CFG).typical()] == [(0, 0, 0), (0, 1, 0)]
    assert len(batch(STEPS, CFG).typical()) == 1


def test_axes_of_a_group_advance_together() -> None:
    cfg = {"kind": "values", "at": at("sampler", "cfg"), "values": [1.0, 7.0], "group": "x"}
    found = batch({**STEPS, "group": "x"}, cfg)
    assert [case.changes["sampler"] for case in found.cases] == [
        {"steps": 4, "cfg": 1.0},
        {"steps": 8, "cfg": 7.0},
    ]
    with pytest.raises(BadBatch, match="Steps has 2, CFG has 3"):
        batch({**STEPS, "group": "x"}, {**CFG, "group": "x"})


def test_drawn_seeds_are_named_in_the_recipe_which_gives_the_same_again() -> None:
    axis = {"kind": "seeds", "at": at("sampler", "seed"), "count": 5}
    first = batch(axis, seed=1)
    again = expand(first.recipe, workflow(), DEFINITIONS, SOURCES, random.Random(99))
    assert again == first
    seeds = values(first, "sampler", "seed")
    assert len(set(seeds)) == 5
    assert seeds != values(batch(axis, seed=2), "sampler", "seed")
    counted = batch({**axis, "how": "increment", "seed": 2**64 - 2})
    assert values(counted, "sampler", "seed") == [2**64 - 2, 2**64 - 1, 0, 1, 2]


def test_texts_come_from_lines_columns_and_wildcards() -> None:
    lines = batch({"kind": "lines", "at": at("text", "text"), "file": "prompts.txt"})
    assert values(lines, "text", "text") == ["a cat", "  a dog  "]
    columns = {
        "words": at("text", "text"),
        "count": at("sampler", "steps"),
        "guidance": at("sampler", "cfg"),
    }
    table = batch({"kind": "columns", "file": "table.csv", "columns": columns})
    assert [case.changes for case in table.cases] == [
        {"text": {"text": "a cat, sitting"}, "sampler": {"steps": 4, "cfg": 7.5}},
        {"text": {"text": "a dog"}, "sampler": {"steps": 8, "cfg": 1.0}},
    ]
    drawn = batch({"kind": "wildcards", "at": at("text", "text"), "count": 30})
    assert set(values(drawn, "text", "text")) == {"a big ball", "a small ball"}


@pytest.mark.parametrize(
    ("axis", "reason"),
    [
        ({**STEPS, "at": at("nope", "steps")}, "no node 'nope'"),
        ({**STEPS, "at": at("sampler", "stepz")}, "no value 'stepz'"),
        ({**STEPS, "at": at("wired", "seed")}, "along a wire"),
        ({**STEPS, "values": [4, 5000]}, "Steps must"),
        ({**STEPS, "values": ["many"]}, "Steps must"),
        ({**STEPS, "values": []}, "no values"),
        ({"kind": "lines", "at": at("text", "text"), "file": "nope.txt"}, "no file 'nope.txt'"),
        ({"kind": "lines", "at": at("text", "text"), "file": "empty.txt"}, "no values"),
        (
            {"kind": "columns", "file": "table.csv", "columns": {"x": at("text", "text")}},
            "no column 'x'",
        ),
        (
            {"kind": "wildcards", "at": at("text", "text"), "text": "{a", "count": 1},
            "no partner",
        ),
    ],
)
def test_an_axis_that_means_nothing_is_refused_in_words(axis: Any, reason: str) -> None:
    with pytest.raises(BadBatch, match=reason):
        batch(axis)


def test_a_range_over_whole_numbers_is_rounded() -> None:
    axis = {"kind": "range", "at": at("sampler", "steps"), "start": 1, "stop": 10, "count": 4}
    assert values(batch(axis), "sampler", "steps") == [1, 4, 7, 10]
    assert values(batch({**axis, "stop": 3}), "sampler", "steps") == [1, 2, 2, 3]


def test_a_batch_larger_than_the_limit_is_refused_before_it_is_written_out() -> None:
    axis = {"kind": "seeds", "at": at("sampler", "seed"), "count": 1000}
    with pytest.raises(BadBatch, match=f"at most {MOST:,}"):
        batch(
            axis, {**axis, "at": at("sampler", "steps"), "kind": "range", "start": 1, "stop": 999}
        )
