"""Decide whether a workflow makes sense before anything runs: every problem at once, with fixes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graph.conflict import conflicts
from graph.definition import NodeDefinition
from graph.equations import collect
from graph.facts import Facts
from graph.files import Files
from graph.fixes import Fixer
from graph.lints import Lints
from graph.problem import Problem
from graph.prompt_problems import PromptProblems
from graph.recent import Recent, Solved
from graph.sentences import Sentences
from graph.socket_types import SocketTypes, socket_types
from graph.solve import Candidates, Solution, Variable
from graph.space_problems import Bindings, SpaceProblems
from graph.subgraph_answers import told
from graph.target_forms import TypeTarget
from graph.targets import Target, Targets, targets
from graph.value_problems import ValueProblems
from graph.wire_problems import WireProblems
from graph.words import t
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
    recent: Recent | None = None,
) -> CheckResult:
    """Everything that is wrong with the workflow, and what each socket carries.

    `wanted` are the nodes that should run; None stands for every node that is run for its effect
    and neither muted, bypassed nor hanging on a muted node. Nodes inside subgraphs are told of as
    "up/k": the node "k" inside the node "up". `recent` remembers what was found out, for the next
    check.
    """
    recent = recent or Recent()
    flat = recent.flat(workflow, definitions)
    if flat.is_same:
        return _check(recent.solved(Facts(workflow, definitions, files)), wanted)
    facts = Facts(flat.workflow, flat.definitions, files, flat.name)
    roots = None if wanted is None else flat.wanted(wanted)
    return told(flat, _check(recent.solved(facts), roots))


def _check(solved: Solved, wanted: Collection[str] | None) -> CheckResult:
    """The answer for a workflow without subgraphs."""
    facts, whole = solved.facts, solved.solution
    say = Sentences(facts)
    fixer = Fixer(facts, say, whole)
    roots = _outputs(facts) if wanted is None else tuple(dict.fromkeys(wanted))
    needed = facts.needed(roots)
    needed_only = _restricted(facts, whole, needed)
    bindings = _Bindings(facts, whole, needed_only, needed)

    spaces = SpaceProblems(facts, say, whole)
    everywhere = list(spaces.mismatches(conflicts(whole)))
    blocking = _mismatches_of(facts, say, whole, needed_only, everywhere)
    wiring = tuple(WireProblems(facts, say, fixer).all(solved.settled))
    values = tuple(ValueProblems(facts, say, fixer).all(solved.unchanged))
    wrong = {problem.node for problem in values if problem.severity == "error"}
    local = [
        *_unwanted(facts, say, roots, wanted is None),
        *wiring,
        *values,
        *PromptProblems(facts, say, fixer).all(),
        *spaces.unresolved(bindings, needed, wrong),
    ]
    blocking += [
        problem
        for problem in local
        if problem.severity == "error" and (problem.node is None or problem.node in needed)
    ]
    known = {id(problem) for problem in (*everywhere, *local)}
    more = [problem for problem in blocking if id(problem) not in known]
    solved.right = facts.workflow.nodes.keys() - {problem.node for problem in wiring}
    solved.well_set = facts.workflow.nodes.keys() - {problem.node for problem in values}
    solved.types = solved.types or socket_types(facts, whole)
    problems = (*local, *everywhere, *more, *spaces.unidentified(), *Lints(facts, say).all())
    order = {node: number for number, node in enumerate(facts.workflow.nodes)}
    return CheckResult(
        problems=tuple(sorted(problems, key=lambda item: order.get(item.node or "", -1))),
        types=solved.types,
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
    # Where nothing contradicts anything, the rest can only make known what the needed leaves open.
    if all(component.candidates != () for component in whole.components):
        return whole
    if all(node in needed for node in facts.active.every):
        return whole
    return Solution(collect(facts, needed).equations, whole.without)


class _Bindings(Mapping[str, Mapping[str, Candidates]]):
    """What each type variable is; the rest of the workflow is asked where the needed is silent.

    Where the rest says of equal variables that they are unlike, they could be any of these: a wire
    would carry two spaces otherwise.

    Found out for a node when it is asked for, since an answer to the page needs few.
    """

    def __init__(
        self, facts: Facts, whole: Solution, needed_only: Solution, needed: Collection[str]
    ) -> None:
        self._facts = facts
        self._whole = whole
        self._needed_only = needed_only
        self._needed = needed
        self._torn: dict[int, Candidates] = {}

    def __getitem__(self, node: str) -> Mapping[str, Candidates]:
        if node not in self._facts.active.every:
            raise KeyError(node)
        kind = self._facts.type_of(node)
        variables = kind.variables(node) if kind else ()
        return {variable.name: self._candidates(variable) for variable in variables}

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts.active.every)

    def __len__(self) -> int:
        return len(self._facts.active.every)

    def _candidates(self, variable: Variable) -> Candidates:
        wider = self._whole.candidates(variable)
        if self._needed_only is self._whole or variable.node not in self._needed:
            return wider
        found = self._needed_only.candidates(variable)
        if found is not None and len(found) == 1:
            return found
        if torn := self._unlike(variable):
            return torn
        narrower = found is None or (wider is not None and set(wider) < set(found))
        return wider if narrower else found

    def _unlike(self, variable: Variable) -> Candidates:
        """All that the rest says of what is needed and equal, where that has nothing in common."""
        component = self._needed_only.component(variable)
        if component is None or component.candidates == ():
            return None
        if id(component) not in self._torn:
            answers = [self._whole.candidates(item) for item in component.variables]
            known = [set(answer) for answer in answers if answer]
            torn = known and not set.intersection(*known)
            self._torn[id(component)] = tuple(sorted(set.union(*known))) if torn else None
        return self._torn[id(component)]


def _mismatches_of(
    facts: Facts, say: Sentences, whole: Solution, needed_only: Solution, known: Collection[Problem]
) -> list[Problem]:
    """The conflicts among what is needed; told as those of the whole where these are the same."""
    if needed_only is whole:
        return list(known)
    where = {(problem.node, problem.socket): problem for problem in known}
    found = conflicts(needed_only)
    others = [item for item in found if (item.link.node, item.link.socket) not in where]
    told = SpaceProblems(facts, say, needed_only).mismatches(others)
    where.update({(problem.node, problem.socket): problem for problem in told})
    return [where[item.link.node, item.link.socket] for item in found]


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
            t("Every node that would make something hangs on a muted one: unmute it.")
            if hanging
            else t("No node makes something that stays: add one, such as Save Image.")
        )
        return [
            Problem(code="nothing_to_run", message=t("There is nothing to run. {why}", why=why))
        ]
    found = []
    for node in wanted:
        placed = facts.workflow.nodes.get(node)
        if node in active.nodes:
            continue
        if placed is None:
            why = t("is not in this workflow")
        elif node in active.hanging:
            why = t("hangs on {node}, which is muted", node=say.node(active.hanging[node]))
        else:
            why = t("is muted") if placed.mode == "mute" else t("is bypassed")
        found.append(
            Problem(
                code="not_running",
                node=node,
                message=t("{node} should run, but it {why}.", node=say.node(node), why=why),
            )
        )
    return found
