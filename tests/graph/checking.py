"""Ask the checker about small workflows, and pick one problem out of its answer."""

from typing import Any

from graph.check import CheckResult, check
from graph.edits import apply
from graph.problem import Problem
from graph.workflow import Workflow
from tests.graph.small_world import DEFINITIONS, SHELF


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
