"""Problems of what a person set: values that do not fit, files that are missing or unusable."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from graph.definition import Json, WidgetDefinition
from graph.facts import Facts
from graph.file_problems import FileProblems
from graph.fixes import Fixer
from graph.node_type import NodeType
from graph.problem import Problem
from graph.sentences import Sentences
from graph.widgets import is_file_name
from graph.words import t


class ValueProblems:
    """Finds the problems of the values of a workflow's nodes, one node after the other."""

    def __init__(self, facts: Facts, say: Sentences, fixer: Fixer) -> None:
        self.facts = facts
        self.say = say
        self.fixer = fixer
        self.files = FileProblems(facts, say, fixer)

    def all(self, settled: Collection[str] = ()) -> Iterator[Problem]:
        """The problems of all nodes but the `settled`, with which nothing is wrong."""
        for node in self.facts.active.every:
            if node in settled:
                continue
            kind = self.facts.type_of(node)
            if kind is not None:
                yield from self._node(node, kind)

    def _node(self, node: str, kind: NodeType) -> Iterator[Problem]:
        placed = self.facts.node(node)
        for name in placed.values:
            if name not in kind.widgets:
                yield self._unknown_value(node, kind, name)
        for name, widget in kind.widgets.items():
            if widget.wire is not None and name in placed.inputs:
                continue  # the wire's value counts
            if name not in placed.values:
                if widget.required:
                    yield self._missing_value(node, widget)
                continue
            value = placed.values[name]
            wrong = kind.checkers[name].fault(value)
            if wrong is not None:
                yield self._problem(wrong.code, node, widget, value, wrong.reason)
            elif widget.folder is not None and value is not None:
                yield from self._file(node, widget, widget.folder, value)

    def _problem(
        self, code: str, node: str, widget: WidgetDefinition, value: Json, reason: str
    ) -> Problem:
        return Problem(
            code=code,
            node=node,
            socket=widget.name,
            message=t(
                "'{title}' of {node} {reason}.",
                title=widget.title,
                node=self.say.node(node),
                reason=reason,
            ),
            parameters={"value": value},
            fixes=self.fixer.value(node, widget, value),
        )

    def _unknown_value(self, node: str, kind: NodeType, name: str) -> Problem:
        close = get_close_matches(name, kind.widgets, 1)
        hint = t(" Is '{close}' meant?", close=close[0]) if close else ""
        return Problem(
            code="unknown_value",
            node=node,
            socket=name,
            message=t(
                "{node} has no value '{name}'.{hint}",
                node=self.say.node(node),
                name=name,
                hint=hint,
            ),
            fixes=self.fixer.unknown_value(node, name),
        )

    def _missing_value(self, node: str, widget: WidgetDefinition) -> Problem:
        what = t("choose a file") if widget.folder else t("set it")
        return Problem(
            code="missing_value",
            node=node,
            socket=widget.name,
            message=t(
                "'{title}' of {node} is empty: {what}.",
                title=widget.title,
                node=self.say.node(node),
                what=what,
            ),
            fixes=self.fixer.value(node, widget, None),
        )

    def _file(
        self, node: str, widget: WidgetDefinition, folder: str, name: str
    ) -> Iterator[Problem]:
        if not is_file_name(name):
            reason = t(
                "must name a file inside the folder '{folder}', not \"{name}\"",
                folder=folder,
                name=name,
            )
            yield self._problem("invalid_value", node, widget, name, reason)
            return
        yield from self.files.of(node, widget, folder, name)
