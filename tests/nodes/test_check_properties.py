"""What holds for every workflow of the program's own nodes, however wildly it is wired."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.check import CheckResult, check
from graph.edits import apply
from graph.migrations import load_text
from graph.problem import Problem
from graph.workflow import Workflow
from server.catalogue import Catalogue
from tests.helpers.every_space import definitions, node, shelf_at
from tests.helpers.random_workflows import Grower

WILD = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return shelf_at(tmp_path_factory.mktemp("shelf"))


def wild(shelf: Catalogue, seed: int, size: int) -> Workflow:
    grower = Grower(definitions(), shelf, random.Random(seed))
    grower.start(3)
    return grower.wild(size)


def checked(flow: Workflow, shelf: Catalogue) -> CheckResult:
    return check(flow, definitions(), shelf)


def places(problems: Iterator[Problem] | tuple[Problem, ...]) -> list[tuple[str | None, ...]]:
    return [(item.code, item.node, item.socket) for item in problems]


@WILD
@given(seed=st.integers(0, 2**32), size=st.integers(1, 25))
def test_an_unrelated_node_changes_no_type(shelf: Catalogue, seed: int, size: int) -> None:
    flow = wild(shelf, seed, size)
    more = {
        "far": node("empty_latent"),
        "farther": node("load_checkpoint", {"file": "flux1.safetensors"}),
        "farthest": node("clip_text_encode", clip="farther.clip"),
    }
    first = checked(flow, shelf)
    second = checked(Workflow(nodes={**more, **flow.nodes}), shelf)
    assert {id_: second.types[id_] for id_ in flow.nodes} == first.types
    assert {id_: second.bindings[id_] for id_ in flow.nodes} == first.bindings
    told = [place for place in places(second.problems) if place[1] not in more]
    assert told == places(first.problems)


@WILD
@given(seed=st.integers(0, 2**32), size=st.integers(1, 25))
def test_every_fix_removes_its_problem(shelf: Catalogue, seed: int, size: int) -> None:
    flow = wild(shelf, seed, size)
    for problem in checked(flow, shelf).problems:
        for fix in problem.fixes:
            after = checked(apply(flow, fix.edits), shelf)
            left = [item for item in places(after.problems) if item[1] == problem.node]
            assert (problem.code, problem.node, problem.socket) not in left, fix.title


@WILD
@given(seed=st.integers(0, 2**32), size=st.integers(1, 25))
def test_saving_and_loading_keeps_every_answer(shelf: Catalogue, seed: int, size: int) -> None:
    flow = wild(shelf, seed, size)
    again = load_text(flow.to_text()).workflow
    assert checked(again, shelf).to_json() == checked(flow, shelf).to_json()


def test_the_wild_workflows_hold_both_what_fits_and_what_does_not(shelf: Catalogue) -> None:
    results = [checked(wild(shelf, seed, 15), shelf) for seed in range(20)]
    wrong = [item for result in results for item in result.problems]
    assert sum(item.code == "space_mismatch" for item in wrong) >= 20
    assert sum(len(item.fixes) for item in wrong) >= 40
