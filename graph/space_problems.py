"""Problems of spaces: what contradicts, what nobody says, what is only assumed."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from graph.conflict import Conflict
from graph.definition import Axis
from graph.facts import Facts
from graph.problem import Because, Fix, Problem
from graph.sentences import Sentences
from graph.solve import Candidates, Claim, Solution, Variable
from graph.space_fixes import SpaceFixer
from graph.statements import statement_fixes
from graph.words import retold, t

MOST = 6
"""So many things at most are offered to be said of a file; the list of models has them all."""

Bindings = Mapping[str, Mapping[str, Candidates]]
"""For each node, what each type variable of its signature may be; None where nothing is known."""


class SpaceProblems:
    """Finds the problems of the spaces of one workflow."""

    def __init__(self, facts: Facts, say: Sentences, solution: Solution) -> None:
        self.facts = facts
        self.say = say
        self.solution = solution

    def mismatches(self, found: Collection[Conflict]) -> Iterator[Problem]:
        fixer = SpaceFixer(self.facts, self.say, self.solution)
        for conflict in found:
            sides = (conflict.arriving, conflict.present)
            yield Problem(
                code="space_mismatch",
                node=conflict.link.node,
                socket=conflict.link.socket,
                message=self.say.mismatch(conflict),
                parameters={
                    "axis": conflict.link.start.axis,
                    "spaces": [list(side.claim.candidates or ()) for side in sides],
                    "files": [side.claim.file and side.claim.file[1] for side in sides],
                },
                because=tuple(self.say.because(side) for side in sides),
                fixes=fixer.fixes(conflict),
            )

    def unresolved(
        self, bindings: Bindings, needed: Collection[str], told: Collection[str | None]
    ) -> Iterator[Problem]:
        """The nodes that must know a space which nothing tells them.

        Where a file that would say it is missing or broken, that is the problem: the loader is
        among the `told`. Then it is not told again, unless the wanted outputs need this node and
        not that loader.
        """
        for node in self.facts.active.every:
            kind = self.facts.type_of(node)
            for space in kind.definition.spaces if kind else ():
                candidates = bindings[node].get(space.variable)
                if candidates is None or len(candidates) != 1:
                    variable = Variable(space.axis, node, space.variable)
                    blamed = self._without_file(variable)
                    if blamed not in told or (node in needed and blamed not in needed):
                        yield self._unresolved(variable, candidates)

    def _unresolved(self, variable: Variable, candidates: Candidates) -> Problem:
        name = self.say.node(variable.node)
        axis = variable.axis
        unknown = [claim for claim in self._claims(variable) if claim.file is not None]
        files = t(" and ").join(sorted({claim.file[1] for claim in unknown if claim.file}))
        if candidates:
            why = t("it could be {spaces}", spaces=self.say.spaces(axis, candidates))
        elif files:
            why = t("{files} could not be identified", files=files)
        elif empty := self._without_file(variable):
            why = t(
                "{node}, which would say it, has no file that can be used",
                node=self.say.node(empty),
            )
        else:
            why = t("nothing that it is wired to says its {axis} space", axis=axis)
        return Problem(
            code="unresolved_space",
            node=variable.node,
            message=t(
                "{name} does not know for which model it is: {why}. {advice}",
                name=name,
                why=why,
                advice=t(_ADVICE[axis]),
            ),
            parameters={"axis": axis, "candidates": list(candidates or ())},
            because=tuple(
                Because(
                    node=self._loader(claim),
                    socket=claim.socket,
                    evidence=retold(claim.evidence),
                    certainty="unknown",
                    path=(self._loader(claim), variable.node),
                )
                for claim in unknown
            ),
        )

    def _without_file(self, variable: Variable) -> str:
        """A loader in the variable's component whose file is missing or says nothing, or ""."""
        component = self.solution.component(variable)
        for other in sorted(component.variables) if component else ():
            kind = self.facts.type_of(other.node)
            for widget in kind.files if kind else ():
                variables = [item.variable for item in widget.term.arguments] if widget.term else []
                if other.name not in variables:
                    continue
                found = self.facts.widget_file(other.node, widget)
                if found is None or not found.spaces.get(variable.axis):
                    return other.node
        return ""

    def unidentified(self) -> Iterator[Problem]:
        """Warnings for files of which nobody knows what they are, where it matters."""
        for node in self.facts.active.every:
            kind = self.facts.type_of(node)
            for widget in kind.files if kind else ():
                if widget.term is None or self.facts.widget_file(node, widget) is None:
                    continue
                doubtful: list[tuple[Variable, Claim]] = []
                for argument in widget.term.arguments:
                    variable = Variable(argument.axis, node, argument.variable or "")
                    claim = self.solution.own_claim(variable)
                    if claim is None or len(claim.candidates or ()) == 1:
                        continue
                    if self._used(variable) and not self._contradicted(variable, claim):
                        doubtful.append((variable, claim))
                if doubtful:
                    yield self._unidentified(node, widget.name, doubtful)

    def _unidentified(
        self, node: str, socket: str, doubtful: Collection[tuple[Variable, Claim]]
    ) -> Problem:
        taken: list[str] = []
        because: list[Because] = []
        for variable, claim in doubtful:
            candidates = self.solution.candidates(variable)
            if candidates is not None and candidates != claim.candidates:
                taken.append(self.say.spaces(variable.axis, candidates))
            found = self.say.because_of(self.solution, variable, socket)
            if found is not None:
                because.append(found)
        _, first = next(iter(doubtful))
        name = first.file[1] if first.file else ""
        known = [
            self.say.spaces(claim.variable.axis, claim.candidates)
            for _, claim in doubtful
            if claim.candidates
        ]
        what = (
            t("could be {names}", names=t(" and ").join(known))
            if known
            else t("could not be identified")
        )
        use = (
            t(
                "It is taken for {names}, like what it is wired to; if that is wrong, "
                "the picture will be too.",
                names=t(" and ").join(dict.fromkeys(taken)),
            )
            if taken
            else t("Nothing that it is wired to says more: what it makes may be garbage.")
        )
        return Problem(
            code="unidentified",
            severity="warning",
            node=node,
            socket=socket,
            message=f"{name} {what}. {use}",
            parameters={"file": name, "axes": [variable.axis for variable, _ in doubtful]},
            because=tuple(because),
            fixes=self._statements(doubtful),
        )

    def _statements(self, doubtful: Collection[tuple[Variable, Claim]]) -> tuple[Fix, ...]:
        """What a person may say of the file; first what it is taken for."""
        fixes: list[Fix] = []
        for variable, claim in doubtful:
            if variable.axis == "latent" and claim.file is not None:
                taken = self.solution.candidates(variable) or ()
                fixes += statement_fixes(self.facts, self.say, claim.file, taken)
        return tuple(fixes[:MOST])

    def _contradicted(self, variable: Variable, claim: Claim) -> bool:
        """Whether what it is wired to is none of what it could be: a mismatch, told there."""
        found = self.solution.candidates(variable)
        return bool(claim.candidates and found) and set(claim.candidates or ()).isdisjoint(
            found or ()
        )

    def _used(self, variable: Variable) -> bool:
        """Whether a wire carries the variable's space."""
        return any(step.link.wire for step in self.solution.neighbours.get(variable, ()))

    def _claims(self, variable: Variable) -> Iterable[Claim]:
        component = self.solution.component(variable)
        return sorted(component.claims, key=lambda claim: claim.variable) if component else ()

    def _loader(self, claim: Claim) -> str:
        """A node that loads the claim's file, or the node that claims."""
        steps = self.solution.neighbours.get(claim.variable, ())
        loaders = [step.variable.node for step in steps if not step.link.wire]
        return claim.variable.node or (loaders[0] if loaders else "")


_ADVICE: Mapping[Axis, str] = {
    "latent": "Wire it to something that does, such as a sampler with its model.",
    "text": "Wire it to something that does, such as a text encoder of a checkpoint.",
}
