"""What variables would be if one wire were not there, without solving everything again."""

from collections import deque
from functools import cached_property

from graph.solve import Candidates, Link, Solution, Variable


class Apart:
    """Answers for one solution, each wire taken out alone."""

    def __init__(self, solution: Solution) -> None:
        self.solution = solution
        self._sides: dict[Link, tuple[bool, set[Variable]]] = {}

    @cached_property
    def _links(self) -> set[Link]:
        return set(self.solution.links)

    def candidates(self, variable: Variable, without: Link | None) -> Candidates:
        """What the variable may be when the wire's equation is taken out."""
        component = self.solution.component(variable)
        if without is None or without not in self._links or component is None:
            return self.solution.candidates(variable)
        if self.solution.component(without.start) is not component:
            return self.solution.candidates(variable)
        divided, side = self._side(without)
        if not divided:
            return self.solution.candidates(variable)
        inside = variable in side
        known = [
            set(claim.candidates)
            for claim in component.claims
            if claim.candidates is not None and (claim.variable in side) == inside
        ]
        if not known:
            return None
        # Where the claims still contradict each other, the nearest one has the word.
        return tuple(sorted(set.intersection(*known))) or self.solution.candidates(variable)

    def _side(self, link: Link) -> tuple[bool, set[Variable]]:
        """Whether the wire alone holds its component together, and the smaller of the two sides.

        Both ends are searched from in turn, so that the smaller side ends the search.
        """
        if link not in self._sides:
            self._sides[link] = self._searched(link)
        return self._sides[link]

    def _searched(self, link: Link) -> tuple[bool, set[Variable]]:
        seen = ({link.start}, {link.end})
        waiting = (deque([link.start]), deque([link.end]))
        if link.start == link.end:
            return False, set()
        turn = 0
        while waiting[turn]:
            variable = waiting[turn].popleft()
            for step in self.solution.neighbours.get(variable, ()):
                if step.link == link or step.variable in seen[turn]:
                    continue
                if step.variable in seen[1 - turn]:
                    return False, set()
                seen[turn].add(step.variable)
                waiting[turn].append(step.variable)
            turn = 1 - turn
        return True, seen[turn]
