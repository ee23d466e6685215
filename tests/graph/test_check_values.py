"""Problems of the values that a person set."""

from typing import Any

import pytest

from graph.edits import apply
from tests.graph.checking import mended, only, place, problems
from tests.graph.small_world import placed, workflow


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
