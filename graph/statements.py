"""Fixes that say what a file is, in place of changing the workflow: a person may know."""

from collections.abc import Mapping, Sequence
from typing import Any

from graph.definition import Axis
from graph.facts import Facts
from graph.files import EmbeddingFit, FileFacts, Files, Mentioned
from graph.problem import Fix, Statement
from graph.sentences import Sentences
from graph.words import t


class StatedFiles:
    """The files as they are, but for one, of which it is said whose latents it speaks."""

    def __init__(self, files: Files, statement: Statement) -> None:
        self._files = files
        self._statement = statement
        said = files.facts(statement.folder, statement.name)
        self._content = said.content if said is not None else ""

    def facts(self, folder: str, name: str) -> FileFacts | None:
        found = self._files.facts(folder, name)
        place = (self._statement.folder, self._statement.name)
        same = found is not None and bool(found.content) and found.content == self._content
        if found is None or ((folder, name) != place and not same):
            return found
        spaces: dict[Axis, tuple[str, ...]] = {**found.spaces, "latent": (self._statement.space,)}
        return found.model_copy(update={"spaces": spaces, "certainty": "certain"})

    def names(self, folder: str) -> Sequence[str]:
        return self._files.names(folder)

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        return self._files.fits(axis, space, other)

    def space_title(self, axis: Axis, space: str) -> str:
        return self._files.space_title(axis, space)

    def mentioned(self, text: str) -> Sequence[Mentioned]:
        return self._files.mentioned(text)

    def embeddings(self) -> Mapping[str, str]:
        return self._files.embeddings()

    def embedding_fit(self, file: str, space: str, prompt: str) -> EmbeddingFit:
        return self._files.embedding_fit(file, space, prompt)


def statement_fixes(
    facts: Facts, say: Sentences, file: tuple[str, str], first: Sequence[str] = ()
) -> tuple[Fix, ...]:
    """A fix for each latent space that a person may say the file speaks; those in `first` first."""
    folder, name = file
    found = facts.file(folder, name)
    choices = found.choices if found is not None else ()
    ordered = sorted(choices, key=lambda space: (space not in first, choices.index(space)))
    return tuple(
        Fix(
            title=t(
                "Say that {name} is {spaces}", name=name, spaces=say.spaces("latent", (space,))
            ),
            edits=(),
            statement=Statement(folder=folder, name=name, space=space),
        )
        for space in ordered
    )


def stated(facts: Facts, statement: Statement) -> Facts:
    """What a check would know after the statement."""
    files: Any = StatedFiles(facts.files, statement)
    return Facts(facts.workflow, facts.definitions, files)
