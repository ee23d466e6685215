"""Problems of the files that nodes load: not there, of no use there, or not to be run."""

from collections.abc import Iterator

from graph.definition import WidgetDefinition
from graph.facts import Facts
from graph.files import FileFacts
from graph.fixes import Fixer
from graph.problem import Because, Problem
from graph.sentences import Sentences
from graph.statements import statement_fixes
from graph.words import retold, t


class FileProblems:
    """Finds what is wrong with the file that a widget names."""

    def __init__(self, facts: Facts, say: Sentences, fixer: Fixer) -> None:
        self.facts = facts
        self.say = say
        self.fixer = fixer

    def of(self, node: str, widget: WidgetDefinition, folder: str, name: str) -> Iterator[Problem]:
        """The problems of the file of this name, told at the node that loads it."""
        found = self.facts.file(folder, name)
        if found is None:
            message = t(
                "{node} loads {name}, which is not in the folder '{folder}': put it "
                "there, or choose another file.",
                node=self.say.node(node),
                name=name,
                folder=folder,
            )
            yield self._problem("missing_file", node, widget, name, message)
        elif found.trouble is not None:
            trouble = found.trouble.removeprefix(f"{name.rpartition('/')[2]}: ")
            message = t(
                "{node} cannot load {name}: {trouble}",
                node=self.say.node(node),
                name=name,
                trouble=retold(trouble),
            )
            problem = self._problem(found.code, node, widget, name, message)
            parameters = {**problem.parameters, "reason": found.reason}
            yield problem.model_copy(update={"parameters": parameters})
        else:
            yield from self._flaws(node, widget, found)
            if widget.part is not None and widget.part in found.lacks:
                yield self._half(node, widget, found, widget.part)
            if found.contradiction:
                yield self._contradiction(node, widget, folder, found)

    def _contradiction(
        self, node: str, widget: WidgetDefinition, folder: str, found: FileFacts
    ) -> Problem:
        """What is known of the file does not go together: a person should look."""
        spaces = found.spaces.get("latent", ())
        taken = (
            t("is taken for {spaces}", spaces=self.say.spaces("latent", spaces))
            if spaces
            else t("is not known")
        )
        return Problem(
            code="contradictory_file",
            severity="warning",
            node=node,
            socket=widget.name,
            message=f"{found.name} {taken}: {retold(found.evidence)}. "
            f"{retold(found.contradiction)}",
            parameters={"folder": folder, "file": found.name, "rule": found.rule},
            because=(
                Because(
                    node=node,
                    socket=widget.name,
                    space=spaces[0] if len(spaces) == 1 else "",
                    evidence=retold(found.evidence),
                    certainty=found.certainty,
                    path=(node,),
                ),
            ),
            fixes=tuple(
                fix
                for fix in statement_fixes(self.facts, self.say, (folder, found.name))
                if fix.statement is not None and found.rule != "statement"
            ),
        )

    def _flaws(self, node: str, widget: WidgetDefinition, found: FileFacts) -> Iterator[Problem]:
        """Why the file cannot be run, as far as what is used of it is concerned."""
        for flaw in found.flaws:
            used = self.fixer.supplies.parts_used(node) if flaw.parts else set()
            if used and not used & set(flaw.parts):
                continue
            problem = self._problem(
                flaw.code,
                node,
                widget,
                found.name,
                t(
                    "{node} cannot run {name}: {message}",
                    node=self.say.node(node),
                    name=found.name,
                    message=retold(flaw.message),
                ),
            )
            because = Because(
                node=node,
                socket=widget.name,
                evidence=retold(found.evidence),
                certainty=found.certainty,
                path=(node,),
            )
            parameters = {**problem.parameters, **flaw.parameters, "parts": list(flaw.parts)}
            yield problem.model_copy(update={"parameters": parameters, "because": (because,)})

    def _half(self, node: str, widget: WidgetDefinition, found: FileFacts, half: str) -> Problem:
        message = t(
            "{name} has no {part}, and that is what '{title}' of {node} is for: "
            "choose a file that has one.",
            name=found.name,
            part=self.say.part(half),
            title=widget.title,
            node=self.say.node(node),
        )
        problem = self._problem("missing_part", node, widget, found.name, message)
        return problem.model_copy(update={"parameters": {**problem.parameters, "part": half}})

    def _problem(
        self, code: str, node: str, widget: WidgetDefinition, name: str, message: str
    ) -> Problem:
        return Problem(
            code=code,
            node=node,
            socket=widget.name,
            message=message,
            parameters={"folder": widget.folder, "file": name},
            fixes=self.fixer.value(node, widget, name),
        )
