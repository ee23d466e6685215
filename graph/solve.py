"""Solve equations between variables that range over spaces, and explain what contradicts what.

Variables are joined by links (a wire, or a file in its loader) and held by claims ("this file
speaks SDXL"). Equations are collected first and solved as a whole by union-find, so the answer does
not hang on their order. Where the claims of a component have no space in common, `graph.conflict`
says which claims meet at which link.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
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
    """Variables that must be equal. `candidates` is () where the claims contradict each other."""

    variables: Sequence[Variable]
    claims: Sequence[Claim]
    candidates: Candidates


class Solution:
    """The answer: what each variable is, how certain that is, and where it comes from."""

    def __init__(self, equations: Equations, without: Collection[Link] = ()) -> None:
        self.without = without
        self.links = [link for link in equations.links if link not in without]
        # Sorted, so that what is found first does not hang on the order of nodes.
        self.claims = dict(sorted(equations.claims.items()))
        self.neighbours = _neighbours(self.links)
        self._component: dict[Variable, Component] = {}
        self.components = self._components()
        self.search = self.reach(self._telling())

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
        candidates = self.candidates(variable)
        if candidates is None or len(candidates) != 1:
            return "unknown"
        own = self.own_claim(variable)
        if own is not None and own.candidates != candidates:
            return "assumed"
        claim = self.search.origin.get(variable)
        return claim.certainty if claim and claim.candidates == candidates else "assumed"

    def own_claim(self, variable: Variable) -> Claim | None:
        """The claim on the variable itself, or on the file that its node loads."""
        if variable in self.claims:
            return self.claims[variable]
        for step in self.neighbours.get(variable, ()):
            if not step.link.wire and step.variable in self.claims:
                return self.claims[step.variable]
        return None

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
        groups = _UnionFind()
        for variable in self.claims:
            groups.find(variable)
        for link in self.links:
            groups.join(link.start, link.end)
        found: list[Component] = []
        for variables in groups.members():
            claims = [self.claims[item] for item in variables if item in self.claims]
            known = [set(claim.candidates) for claim in claims if claim.candidates is not None]
            common = tuple(sorted(set.intersection(*known))) if known else None
            component = Component(variables, claims, common)
            found.append(component)
            self._component.update(dict.fromkeys(variables, component))
        return found

    def _telling(self) -> list[Claim]:
        """The claims that explain the answer: those that by themselves say what the component is.

        Amid a contradiction: those with one space only, or else all that say anything.
        """
        telling: list[Claim] = []
        for component in self.components:
            known = [claim for claim in component.claims if claim.candidates is not None]
            if component.candidates == ():
                single = [claim for claim in known if len(claim.candidates or ()) == 1]
                telling += single or known
            else:
                exact = [claim for claim in known if claim.candidates == component.candidates]
                telling += exact or known
        return sorted(telling, key=lambda claim: claim.variable)


def _neighbours(links: Iterable[Link]) -> dict[Variable, list[Step]]:
    neighbours: dict[Variable, list[Step]] = {}
    for link in links:
        neighbours.setdefault(link.start, []).append(Step(link, link.end, True))
        neighbours.setdefault(link.end, []).append(Step(link, link.start, False))
    for steps in neighbours.values():
        if len(steps) > 1:
            steps.sort()
    return neighbours


class _UnionFind:
    """Disjoint sets with path halving and union by size."""

    def __init__(self) -> None:
        self.parent: dict[Variable, Variable] = {}
        self.size: dict[Variable, int] = {}

    def find(self, item: Variable) -> Variable:
        parent = self.parent
        if item not in parent:
            parent[item] = item
            self.size[item] = 1
            return item
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(self, left: Variable, right: Variable) -> None:
        left, right = self.find(left), self.find(right)
        if left == right:
            return
        if self.size[left] < self.size[right]:
            left, right = right, left
        self.parent[right] = left
        self.size[left] += self.size[right]

    def members(self) -> list[list[Variable]]:
        groups: dict[Variable, list[Variable]] = {}
        for item in self.parent:
            groups.setdefault(self.find(item), []).append(item)
        return list(groups.values())
