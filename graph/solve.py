"""Solve equations between variables that range over spaces, and explain what contradicts what.

Variables are joined by links (a wire, or a file in its loader) and held by claims ("this file
speaks SDXL"). Equations are collected first and solved as a whole by union-find, so the answer does
not hang on their order. Where the claims of a component have no space in common, `graph.conflict`
says which claims meet at which link.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from graph.definition import Axis
from graph.problem import Certainty

Candidates = tuple[str, ...] | None
"""The spaces that a variable may be, sorted; None where nothing is known of it."""


class Variable(NamedTuple):
    """A space to be found: a type variable of a node's signature, or of a file (node "")."""

    axis: Axis
    node: str
    name: str


@dataclass(frozen=True)
class Claim:
    """Evidence that a variable is one of the candidates (None: a file of which nothing is known).

    `socket` is where the node states it; `file` is its folder and name, where it is a file.
    """

    variable: Variable
    candidates: Candidates
    evidence: str
    certainty: Certainty
    socket: str = ""
    file: tuple[str, str] | None = None


class Link(NamedTuple):
    """Two variables that are equal, because a value goes from `start` to `end`.

    It enters `node` at `socket`; `wire` is False where `end` is a loader and `start` its file.
    `source` is the output that a wire leaves.
    """

    start: Variable
    end: Variable
    node: str
    socket: str
    wire: bool = True
    source: tuple[str, str] = ("", "")


class Step(NamedTuple):
    """One step of a search: to `variable` over `link`, along it or against it."""

    link: Link
    variable: Variable
    along: bool


@dataclass
class Equations:
    """What is known before solving. Variables without links or claims need not be named."""

    links: list[Link] = field(default_factory=list)
    claims: dict[Variable, Claim] = field(default_factory=dict)


@dataclass
class Search:
    """A breadth-first search from several claims at once: how each variable was first reached."""

    origin: dict[Variable, Claim] = field(default_factory=dict)
    step: dict[Variable, Step] = field(default_factory=dict)
    distance: dict[Variable, int] = field(default_factory=dict)

    def path(self, variable: Variable) -> list[Step]:
        """The steps from the claim that reached the variable first to the variable."""
        steps: list[Step] = []
        while variable in self.step:
            step = self.step[variable]
            steps.append(step)
            variable = step.link.start if step.along else step.link.end
        return steps[::-1]


@dataclass(frozen=True)
class Component:
    """Variables that must be equal. `candidates` is () where the claims contradict each other.

    `certainty` is how certain these are for all variables but those of a file that could be more;
    None where the claims differ in it, so that the nearest one has to say.
    """

    variables: Sequence[Variable]
    claims: Sequence[Claim]
    candidates: Candidates

    @cached_property
    def telling(self) -> Sequence[Claim]:
        """The claims that explain the answer: those that by themselves say what it is.

        Amid a contradiction: those with one space only, or else all that say anything.
        """
        known = [claim for claim in self.claims if claim.candidates is not None]
        if self.candidates == ():
            return [claim for claim in known if len(claim.candidates or ()) == 1] or known
        return [claim for claim in known if claim.candidates == self.candidates] or known

    @cached_property
    def certainty(self) -> Certainty | None:
        if self.candidates == ():
            return None
        if self.candidates is None or len(self.candidates) != 1:
            return "unknown"
        exact = {c.certainty for c in self.telling if c.candidates == self.candidates}
        if len(exact) > 1:
            return None
        return exact.pop() if exact else "assumed"

    @cached_property
    def uniform(self) -> bool:
        """Whether the same is known, and as surely, of all its variables."""
        if self.candidates == () or self.certainty in (None, "unknown"):
            return self.certainty == "unknown"
        return all(claim.candidates == self.candidates for claim in self.claims)


class Solution:
    """The answer: what each variable is, how certain that is, and where it comes from."""

    def __init__(self, equations: Equations, without: Collection[Link] = ()) -> None:
        self.without = without
        links = equations.links
        self.links = [link for link in links if link not in without] if without else links
        # Sorted, so that what is found first does not hang on the order of nodes.
        self.claims = dict(sorted(equations.claims.items()))
        loads = sorted((link for link in self.links if not link.wire), reverse=True)
        self._file = {link.end: link.start for link in loads}
        self._component: dict[Variable, Component] = {}
        self.components = self._components()

    @cached_property
    def neighbours(self) -> Mapping[Variable, Sequence[Step]]:
        """Where each variable leads; only what has to be explained needs it."""
        return _neighbours(self.links)

    @cached_property
    def search(self) -> Search:
        """Which claim each variable has its answer from."""
        telling = [claim for component in self.components for claim in component.telling]
        return self.reach(sorted(telling, key=lambda claim: claim.variable))

    def candidates(self, variable: Variable) -> Candidates:
        """The spaces that the variable may be; amid a contradiction, those of the nearest claim."""
        component = self._component.get(variable)
        if component is None:
            return None
        if component.candidates == ():
            claim = self.search.origin.get(variable)
            return claim.candidates if claim else None
        return component.candidates

    def certainty(self, variable: Variable) -> Certainty:
        """How certain the candidates are; "assumed" where use alone narrowed them to one."""
        component = self._component.get(variable)
        if component is None or component.certainty == "unknown":
            return "unknown"
        own = self.own_claim(variable)
        if component.certainty is not None:
            known = own is None or own.candidates == component.candidates
            return component.certainty if known else "assumed"
        candidates = self.candidates(variable)
        if candidates is None or len(candidates) != 1:
            return "unknown"
        if own is not None and own.candidates != candidates:
            return "assumed"
        claim = self.search.origin.get(variable)
        return claim.certainty if claim and claim.candidates == candidates else "assumed"

    def own_claim(self, variable: Variable) -> Claim | None:
        """The claim on the variable itself, or on the file that its node loads."""
        return self.claims.get(variable) or self.claims.get(self._file.get(variable, variable))

    def component(self, variable: Variable) -> Component | None:
        """The variables that equal this one, or None where it stands alone and unclaimed."""
        return self._component.get(variable)

    def reach(
        self, claims: Iterable[Claim], within: Callable[[Variable], bool] = lambda _: True
    ) -> Search:
        """How far each claim reaches before another's region begins. Ties go to the first claim."""
        search = Search()
        waiting: deque[Variable] = deque()
        for claim in claims:
            search.origin[claim.variable] = claim
            search.distance[claim.variable] = 0
            waiting.append(claim.variable)
        while waiting:
            variable = waiting.popleft()
            for step in self.neighbours.get(variable, ()):
                if step.variable not in search.origin and within(step.variable):
                    search.origin[step.variable] = search.origin[variable]
                    search.distance[step.variable] = search.distance[variable] + 1
                    search.step[step.variable] = step
                    waiting.append(step.variable)
        return search

    def _components(self) -> list[Component]:
        found: list[Component] = []
        for variables in _groups(self.claims, self.links):
            claims = [self.claims[item] for item in variables if item in self.claims]
            known = [set(claim.candidates) for claim in claims if claim.candidates is not None]
            common = tuple(sorted(set.intersection(*known))) if known else None
            component = Component(variables, claims, common)
            found.append(component)
            self._component.update(dict.fromkeys(variables, component))
        return found


def _neighbours(links: Iterable[Link]) -> dict[Variable, list[Step]]:
    neighbours: dict[Variable, list[Step]] = {}
    for link in links:
        neighbours.setdefault(link.start, []).append(Step(link, link.end, True))
        neighbours.setdefault(link.end, []).append(Step(link, link.start, False))
    for steps in neighbours.values():
        if len(steps) > 1:
            steps.sort()
    return neighbours


def _groups(single: Iterable[Variable], links: Iterable[Link]) -> list[list[Variable]]:
    """The variables in groups that links join: union-find with path halving and union by size."""
    parent: dict[Variable, Variable] = {item: item for item in single}
    size: dict[Variable, int] = {}

    def root(item: Variable) -> Variable:
        above = parent.setdefault(item, item)
        while above is not item:
            parent[item] = item = parent[above]
            above = parent[item]
        return item

    for link in links:
        left, right = root(link[0]), root(link[1])
        if left is right:
            continue
        if size.get(left, 1) < size.get(right, 1):
            left, right = right, left
        parent[right] = left
        size[left] = size.get(left, 1) + size.get(right, 1)
    groups: dict[Variable, list[Variable]] = {}
    for item in parent:
        groups.setdefault(root(item), []).append(item)
    return list(groups.values())
