"""Packing nodes into a subgraph changes nothing: not the answer, not the keys, not the results."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.check import CheckResult
from graph.edits import apply
from graph.plan import plan
from graph.subgraphs import Flat
from graph.workflow import Workflow
from tests.graph.checking import checked
from tests.graph.lab import Lab, boxed, placed
from tests.graph.small_world import DEFINITIONS, SHELF
from tests.graph.test_execute_random import as_nodes, directly, graphs
from tests.graph.test_space_properties import workflows
from tests.helpers.packing import packed, unpacked


def subset(data: Any, flow: Workflow) -> list[str]:
    """Some nodes of the workflow, one at least."""
    ids = list(flow.nodes)
    return data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True))


def twice_packed(data: Any, flow: Workflow) -> tuple[Workflow, dict[str, str]]:
    """The workflow with nodes packed, some of them once more, and what ids became."""
    first = subset(data, flow)
    inner = packed(flow, first, "p")
    now = {id_: f"p/{id_}" if id_ in first else id_ for id_ in flow.nodes}
    if data.draw(st.booleans()):
        second = subset(data, inner)
        inner = packed(inner, second, "q")
        now = {id_: f"q/{at}" if at.split("/")[0] in second else at for id_, at in now.items()}
    return inner, now


def told(result: CheckResult, now: dict[str, str]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            problem.code,
            now.get(problem.node or "", problem.node),
            problem.parameters.get("kind"),
            [(item.space, item.certainty) for item in problem.because],
        )
        for problem in result.problems
        if problem.code != "missing_input"  # is told where the wire is missing: outside
    )


@settings(max_examples=80, deadline=None)
@given(flow=workflows(), data=st.data())
def test_packing_changes_no_answer_of_the_checker(flow: Workflow, data: Any) -> None:
    inner, now = twice_packed(data, flow)
    before, after = checked(flow), checked(inner)
    assert told(before, now) == told(after, {})
    assert before.runnable == after.runnable
    assert {now[id_]: types for id_, types in before.types.items()} == {
        id_: types for id_, types in after.types.items() if id_ in now.values()
    }
    assert {now[id_]: bound for id_, bound in before.bindings.items()} == after.bindings


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_packing_changes_no_key(flow: Workflow, data: Any) -> None:
    inner, now = twice_packed(data, flow)
    kept = [id_ for id_ in flow.nodes if not DEFINITIONS[flow.nodes[id_].type].output]
    answer = checked(flow)
    # An Empty Latent that no output needs may be of no known space, and has no key.
    if not answer.runnable or checked(flow, wanted=kept).blocking:
        return
    options: dict[str, Any] = {"files": SHELF, "engine": "test"}
    before = plan(flow, DEFINITIONS, answer.bindings, wanted=kept, **options)
    wanted = [now[id_] for id_ in kept]
    after = plan(inner, DEFINITIONS, checked(inner).bindings, wanted=wanted, **options)
    assert {now[id_]: key for id_, key in before.keys.items()} == after.keys


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_packing_then_unpacking_gives_the_workflow_again(flow: Workflow, data: Any) -> None:
    inner = packed(flow, subset(data, flow), "p")
    assert unpacked(inner, "p").nodes == flow.nodes
    wires = Flat(inner, DEFINITIONS).workflow.nodes
    assert {id_.removeprefix("p/") for id_ in wires} == set(flow.nodes)


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_a_fix_removes_its_problem_in_a_packed_workflow_too(flow: Workflow, data: Any) -> None:
    inner, _ = twice_packed(data, flow)
    before = checked(inner).problems
    for problem in before:
        for fix in problem.fixes:
            after = checked(apply(inner, fix.edits)).problems
            there = {(item.code, item.node, item.socket) for item in after}
            assert (problem.code, problem.node, problem.socket) not in there, fix.title
            assert len([p for p in after if p.severity == "error"]) <= len(before), fix.title


@settings(max_examples=60, deadline=None)
@given(graph=graphs(), data=st.data())
def test_packing_changes_no_result_and_computes_nothing_anew(
    graph: list[tuple[str, tuple[int, ...]]], data: Any
) -> None:
    expected = directly(graph)
    flow = Workflow(nodes=as_nodes(graph))
    inner, now = twice_packed(data, flow)
    lab = Lab()
    last = str(len(graph) - 1)
    assert lab.number(flow.nodes, last) == expected[-1]
    assert lab.number(inner, now[last]) == expected[-1]  # type: ignore[arg-type]
    assert lab.ran() == []
    fresh = Lab()
    assert fresh.number(inner, now[last]) == expected[-1]  # type: ignore[arg-type]


def test_events_name_the_nodes_inside() -> None:
    flow = Workflow(nodes={"0": boxed(1), "x": placed("one_more", a="0")})
    lab = Lab()
    outcome = lab.run(packed(flow, ["x"], "p"), "p/x")
    assert lab.ran() == ["0", "p/x"]
    assert outcome.values["p/x"]["box"].number == 2


def test_a_node_inside_may_expand_and_an_expansion_may_hold_subgraphs() -> None:
    flow = Workflow(nodes={"0": boxed(10), "x": placed("add_times", a="0", values={"times": 2})})
    lab = Lab()
    outcome = lab.run(packed(flow, ["x"], "p"), "p/x")
    assert outcome.values["p/x"]["box"].number == 12
    assert "p/x/0" in lab.ran()
    assert Lab().number({"0": boxed(1), "x": placed("expands_into_a_subgraph", a="0")}, "x") == 3
