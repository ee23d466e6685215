"""What holds of every workflow that the checker is asked about."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.check import CheckResult
from graph.edits import apply
from graph.migrations import load_text
from graph.workflow import PlacedNode, Wire, Workflow
from tests.graph.small_world import (
    DEFINITIONS,
    SHELF,
    placed,
    text_to_image,
)
from tests.graph.spaces import checked, conflicts

FILES = ["starter.safetensors", "sd15.safetensors", "sdxl.safetensors", "mystery.safetensors"]
VAES = [
    None,
    "sd1.safetensors",
    "sdxl.safetensors",
    "unknown.safetensors",
    "sd1-or-sdxl.safetensors",
]


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """One or two everyday workflows whose wires are partly crossed."""
    nodes: dict[str, PlacedNode] = {}
    for k in range(draw(st.integers(1, 2))):
        part = text_to_image(draw(st.sampled_from(FILES)), draw(st.sampled_from(VAES)))
        for id_, node in part.nodes.items():
            inputs = {
                name: Wire(node=f"{wire.node}{k}", output=wire.output)
                for name, wire in node.inputs.items()
            }
            nodes[f"{id_}{k}"] = node.model_copy(update={"inputs": inputs})
    wires = [(id_, name) for id_, node in nodes.items() for name in node.inputs]
    for id_, name in draw(st.lists(st.sampled_from(wires), max_size=3)):
        node = nodes[id_]
        twin = node.inputs[name].node[:-1] + str(draw(st.integers(0, 1)))
        if twin in nodes:
            wire = Wire(node=twin, output=node.inputs[name].output)
            nodes[id_] = node.model_copy(update={"inputs": {**node.inputs, name: wire}})
    return Workflow(nodes=nodes)


@settings(max_examples=60, deadline=None)
@given(flow=workflows(), data=st.data())
def test_the_answer_does_not_depend_on_the_order_of_nodes(flow: Workflow, data: Any) -> None:
    shuffled = data.draw(st.permutations(list(flow.nodes)))
    other = flow.model_copy(update={"nodes": {id_: flow.nodes[id_] for id_ in shuffled}})
    first, second = checked(flow), checked(other)

    def told(result: CheckResult) -> list[str]:
        return sorted(problem.model_dump_json() for problem in result.problems)

    assert first.types == second.types
    assert first.bindings == second.bindings
    assert told(first) == told(second)


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_adding_an_unrelated_node_changes_no_type(flow: Workflow) -> None:
    more = {
        "a": placed("empty_latent"),
        "z": placed("load_vae", {"file": "flux.safetensors"}),
        "m": placed("upscale_latent", latent="a.latent"),
    }
    first = checked(flow)
    second = checked(flow.model_copy(update={"nodes": {**more, **flow.nodes}}))
    assert {node: second.types[node] for node in first.types} == first.types
    assert {node: second.bindings[node] for node in first.bindings} == first.bindings
    # Sentences may change: a second Empty Latent makes names longer.
    told = [(item.code, item.node, item.socket) for item in first.problems]
    assert told == [
        (item.code, item.node, item.socket) for item in second.problems if item.node not in more
    ]


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_saving_and_loading_keeps_the_answer(flow: Workflow) -> None:
    again = load_text(flow.to_text()).workflow
    assert checked(again).to_json() == checked(flow).to_json()


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_every_fix_that_is_offered_leaves_its_problem_gone(flow: Workflow) -> None:
    for problem in checked(flow).problems:
        for fix in problem.fixes:
            after = checked(apply(flow, fix.edits)).problems
            there = [(item.code, item.node, item.socket) for item in after]
            assert (problem.code, problem.node, problem.socket) not in there, fix.title


@settings(max_examples=60, deadline=None)
@given(flow=workflows())
def test_a_workflow_has_a_conflict_exactly_when_some_claims_have_nothing_in_common(
    flow: Workflow,
) -> None:
    """Against the plainest possible solver: repeat every equation until nothing changes."""
    assert bool(conflicts(flow)) == contradicts(flow)


def contradicts(flow: Workflow) -> bool:
    sets: dict[tuple[str, ...], set[str] | None] = {}
    equal: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for id_, node in flow.nodes.items():
        definition = DEFINITIONS[node.type]
        for widget in definition.widgets:
            facts = SHELF.facts(widget.folder or "", str(node.values.get(widget.name)))
            for argument in widget.term.arguments if widget.term and facts else ():
                shared = ("file", facts.name, argument.axis)
                known = facts.spaces.get(argument.axis)
                sets[shared] = set(known) if known else None
                equal.append((shared, (id_, argument.axis, str(argument.variable))))
        for taken in definition.inputs:
            wire = node.inputs.get(taken.name)
            if wire is None:
                continue
            outputs = DEFINITIONS[flow.nodes[wire.node].type].outputs
            given_ = next(item for item in outputs if item.name == wire.output)
            for left, right in zip(given_.term.arguments, taken.term.arguments, strict=True):
                equal.append(
                    (
                        (wire.node, left.axis, str(left.variable)),
                        (id_, right.axis, str(right.variable)),
                    )
                )
    changed = True
    while changed:
        changed = False
        for left_key, right_key in equal:
            left_set, right_set = sets.get(left_key), sets.get(right_key)
            known = [item for item in (left_set, right_set) if item is not None]
            common = set.intersection(*known) if known else None
            if common == set():
                return True
            changed |= left_set != common or right_set != common
            sets[left_key] = sets[right_key] = common
    return False
