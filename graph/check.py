"""Decide whether a workflow makes sense before anything runs: every problem at once, with fixes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from graph.conflict import conflicts
from graph.definition import NodeDefinition
from graph.equations import collect, solve
from graph.facts import Facts
from graph.files import Files
from graph.fixes import Fixer
from graph.lints import Lints
from graph.problem import Problem
from graph.sentences import Sentences
from graph.socket_types import SocketTypes, socket_types
from graph.solve import Candidates, Solution
from graph.space_problems import Bindings, SpaceProblems
from graph.subgraph_answers import told
from graph.subgraphs import Flat
from graph.targets import Target, Targets, TypeTarget, targets
from graph.value_problems import ValueProblems
from graph.wire_problems import WireProblems
from graph.workflow import Workflow

__all__ = ["CheckResult", "Target", "Targets", "TypeTarget", "check", "targets"]


@dataclass(frozen=True)
class CheckResult:
    """What the checker found.

    `types` is what each socket carries, in the form that the API gives. `bindings` says for each
    node what its type variables are, as far as the wanted outputs need them. `blocking` are the
    errors that keep the wanted outputs from being made; `wanted` are their nodes.
    """

    problems: tuple[Problem, ...]
    types: Mapping[str, SocketTypes]
    bindings: Bindings
    blocking: tuple[Problem, ...]
    wanted: tuple[str, ...]

    @property
    def runnable(self) -> bool:
        """Whether the wanted outputs can be made."""
        return not self.blocking

    def to_json(self) -> dict[str, Any]:
        """The answer of the API."""
        return {
            "problems": [problem.model_dump(mode="json") for problem in self.problems],
            "types": self.types,
            "runnable": self.runnable,
        }


def check(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    files: Files,
    wanted: Collection[str] | None = None,
) -> CheckResult:
    """Everything that is wrong with the workflow, and what each socket carries.

    `wanted` are the nodes that should run; None stands for every node that is run for its effect
    and neither muted, bypassed nor hanging on a muted node. Nodes inside subgraphs are told of as
    "up/k": the node "k" inside the node "up".
    """
    flat = Flat(workflow, definitions)
    if flat.is_same:
        return _check(Facts(workflow, definitions, files), wanted)
    facts = Facts(flat.workflow, flat.definitions, files, flat.name)
    return told(flat, _check(facts, None if wanted is None else flat.wanted(wanted)))


def _check(facts: Facts, wanted: Collection[str] | None) -> CheckResult:
    """The answer for a workflow without subgraphs."""
    say = Sentences(facts)
    whole = solve(facts)
    fixer = Fixer(facts, say, whole)
    roots = _outputs(facts) if wanted is None else tuple(dict.fromkeys(wanted))
    needed = facts.active.ancestors(roots)
    needed_only = _restricted(facts, whole, needed)
    bindings = _bindings(facts, whole, needed_only, needed)

    spaces = SpaceProblems(facts, say, whole)
    everywhere = list(spaces.mismatches(conflicts(whole)))
    where = {(problem.node, problem.socket): problem for problem in everywhere}
    blocking = [
        where.get((problem.node, problem.socket), problem)
        for problem in _mismatches_of(facts, say, whole, needed_only, everywhere)
    ]
    local = [
        *_unwanted(facts, say, roots, wanted is None),
        *WireProblems(facts, say, fixer).all(),
        *ValueProblems(facts, say, fixer).all(),
        *spaces.unresolved(bindings),
    ]
    blocking += [
        problem
        for problem in local
        if problem.severity == "error" and (problem.node is None or problem.node in needed)
    ]
    more = [problem for problem in blocking if problem not in everywhere and problem not in local]
    problems = (*local, *everywhere, *more, *spaces.unidentified(), *Lints(facts, say).all())
    order = {node: number for number, node in enumerate(facts.workflow.nodes)}
    return CheckResult(
        problems=tuple(sorted(problems, key=lambda item: order.get(item.node or "", -1))),
        types=socket_types(facts, whole),
        bindings=bindings,
        blocking=tuple(blocking),
        wanted=roots,
    )


def _outputs(facts: Facts) -> tuple[str, ...]:
    """The nodes that run for their effect."""
    return tuple(
        node
        for node in facts.active.nodes
        if (kind := facts.type_of(node)) is not None and kind.definition.output
    )


def _restricted(facts: Facts, whole: Solution, needed: Collection[str]) -> Solution:
    """The solution of what the wanted outputs need alone, so that the rest cannot refuse a run."""
    if all(node in needed for node in facts.active.every):
        return whole
    return Solution(collect(facts, needed).equations, whole.without)


def _bindings(
    facts: Facts, whole: Solution, needed_only: Solution, needed: Collection[str]
) -> dict[str, dict[str, Candidates]]:
    """What each type variable is; the rest of the workflow is asked where the needed is silent."""
    bindings: dict[str, dict[str, Candidates]] = {}
    for node in facts.active.every:
        bindings[node] = {}
        kind = facts.type_of(node)
        for variable in kind.variables(node) if kind else ():
            found = needed_only.candidates(variable) if node in needed else None
            if found is None or len(found) != 1:
                wider = whole.candidates(variable)
                if found is None or (wider is not None and set(wider) < set(found)):
                    found = wider
            bindings[node][variable.name] = found
    return bindings


def _mismatches_of(
    facts: Facts, say: Sentences, whole: Solution, needed_only: Solution, known: Collection[Problem]
) -> list[Problem]:
    """The conflicts among what is needed."""
    if needed_only is whole:
        return list(known)
    return list(SpaceProblems(facts, say, needed_only).mismatches(conflicts(needed_only)))


def _unwanted(
    facts: Facts, say: Sentences, wanted: Collection[str], everything: bool
) -> list[Problem]:
    """Problems of what should run: nothing, or nodes that do not."""
    active = facts.active
    if everything and not wanted:
        hanging = any(
            (kind := facts.type_of(node)) is not None and kind.definition.output
            for node in active.hanging
        )
        why = (
            "Every node that would make something hangs on a muted one: unmute it."
            if hanging
            else "No node makes something that stays: add one, such as Save Image."
        )
        return [Problem(code="nothing_to_run", message=f"There is nothing to run. {why}")]
    found = []
    for node in wanted:
        placed = facts.workflow.nodes.get(node)
        if node in active.nodes:
            continue
        if placed is None:
            why = "is not in this workflow"
        elif node in active.hanging:
            why = f"hangs on {say.node(active.hanging[node])}, which is muted"
        else:
            why = "is muted" if placed.mode == "mute" else "is bypassed"
        found.append(
            Problem(
                code="not_running",
                node=node,
                message=f"{say.node(node)} should run, but it {why}.",
            )
        )
    return found
