"""Offer edits that mend a problem, and make them."""

import json
from collections.abc import Iterable
from difflib import get_close_matches

from graph.definition import Json, WidgetDefinition
from graph.edits import EditError, apply
from graph.facts import Facts
from graph.files import FileFacts
from graph.modes import Source
from graph.problem import Connect, Disconnect, Fix, RemoveNode, SetValue, UnsetValue
from graph.sentences import Sentences
from graph.solve import Solution
from graph.supplies import FEW, Supplies
from graph.words import t
from graph.workflow import Wire

__all__ = ["EditError", "Fixer", "apply"]

COMMON = 30
"""A kind of which a workflow has more outputs than this is not searched for one that fits."""


class Fixer:
    """Offers fixes for problems of one workflow. `graph.space_fixes` has those for spaces."""

    def __init__(self, facts: Facts, say: Sentences, solution: Solution) -> None:
        self.facts = facts
        self.say = say
        self.solution = solution
        self.supplies = Supplies(facts, solution)
        self._users: dict[str, list[str]] | None = None

    def remove(self, node: str) -> tuple[Fix, ...]:
        return (Fix(title=t("Remove the node"), edits=(RemoveNode(node=node),)),)

    def disconnect(self, node: str, name: str) -> tuple[Fix, ...]:
        return (Fix(title=t("Disconnect"), edits=(Disconnect(node=node, socket=name),)),)

    def break_ring(self, wires: Iterable[tuple[str, str]]) -> tuple[Fix, ...]:
        edits = tuple(Disconnect(node=node, socket=name) for node, name in wires)
        node, name = edits[0].node, edits[0].socket
        where = t("{input} of {node}", input=self.say.input(node, name), node=self.say.node(node))
        more = t(" and {value} more", value=len(edits) - 1) if len(edits) > 1 else ""
        return (Fix(title=t("Disconnect {where}{more}", where=where, more=more), edits=edits),)

    def connect(self, node: str, name: str) -> tuple[Fix, ...]:
        """Wires from outputs that fit the input, where there are only few."""
        kind = self.facts.type_of(node)
        taken = kind.slot(name) if kind else None
        if taken is None or taken.is_list or taken.term.kind == "Any":
            return ()
        outputs = self.supplies.outputs(taken.term.kind)
        if len(outputs) > COMMON:
            return ()
        after = self._after(node)
        found = [
            source
            for source in outputs
            if source.node not in after
            and self._fits(node, name, source)
            and self.facts.lacking(source, self.facts.half(node, name)) is None
        ]
        if len(found) > FEW:
            return ()
        return tuple(
            Fix(
                title=t(
                    "Connect {output} of {node}",
                    output=self.say.output(*source),
                    node=self.say.node(source.node),
                ),
                edits=(_connect(node, name, source),),
            )
            for source in found
        )

    def supply(self, node: str, name: str) -> tuple[tuple[Fix, ...], int | None]:
        """Another source for an input whose file lacks the part: an output, or a file to load.

        The number is how many files could be loaded; None where they are not looked for.
        """
        fixes = list(self.connect(node, name))
        kind = self.facts.type_of(node)
        taken = kind.slot(name) if kind else None
        if taken is None or len(taken.names) != 1:
            return tuple(fixes), None
        candidates = self.solution.candidates(self.facts.wanted(node, name)[0])
        files = 0
        for space in candidates or ():
            axis, _ = taken.names[0]
            half = self.facts.half(node, name)
            supplies = self.supplies.from_files(taken.term.kind, axis, space, node, half)
            files += len(supplies)
            for supply in supplies[:FEW]:
                wire = Connect(node=node, socket=name, wire=supply.wire)
                fixes.append(
                    Fix(title=t("Load {title}", title=supply.title), edits=(*supply.edits, wire))
                )
        return tuple(fixes[: 2 * FEW]), files if candidates else None

    def value(self, node: str, widget: WidgetDefinition, value: Json) -> tuple[Fix, ...]:
        """Values that the widget takes in place of a wrong or missing one."""
        if widget.folder is not None:
            return self._file(node, widget, widget.folder, value)
        schema = widget.schema_
        for word in ("minimum", "maximum"):
            limit = schema.get(word)
            if limit is not None and _is_number(value) and self._takes(node, widget, limit):
                beyond = value < limit if word == "minimum" else value > limit
                if beyond:
                    return (_set(node, widget, limit),)
        close = get_close_matches(value, schema.get("enum", ()), 1) if _is_text(value) else []
        fixes = [_set(node, widget, choice) for choice in close]
        if not widget.required and widget.default not in close:
            fixes.append(_set(node, widget, widget.default))
        return tuple(fixes)

    def unknown_value(self, node: str, name: str) -> tuple[Fix, ...]:
        """Move the value to the widget that was meant, or remove it."""
        kind, placed = self.facts.type_of(node), self.facts.node(node)
        remove = UnsetValue(node=node, name=name)
        fixes = []
        for close in get_close_matches(name, kind.widgets, 1) if kind else ():
            value = placed.values[name]
            if kind and close not in placed.values and not kind.checkers[close].fault(value):
                edits = (SetValue(node=node, name=close, value=value), remove)
                fixes.append(
                    Fix(
                        title=t("Move it to '{title}'", title=kind.widgets[close].title),
                        edits=edits,
                    )
                )
        return (*fixes, Fix(title=t("Remove the value"), edits=(remove,)))

    def _takes(self, node: str, widget: WidgetDefinition, value: Json) -> bool:
        kind = self.facts.type_of(node)
        return kind is not None and kind.checkers[widget.name].fault(value) is None

    def _file(
        self, node: str, widget: WidgetDefinition, folder: str, value: Json
    ) -> tuple[Fix, ...]:
        """Files of like names, or the first ones where there are only few."""
        names = list(self.facts.files.names(folder))
        chosen = get_close_matches(value, names, FEW) if _is_text(value) else []
        if not chosen and len(names) <= 2 * FEW:
            chosen = names
        usable = [
            name
            for name in chosen
            if name != value and (found := self.facts.file(folder, name)) and _sound(found, widget)
        ]
        return tuple(_set(node, widget, name) for name in usable[:FEW])

    def _after(self, node: str) -> set[str]:
        """The node and all that hang on it: a wire from one of them to it would make a ring."""
        if self._users is None:
            self._users = {}
            for user, sources in self.facts.active.every.items():
                for source in sources.values():
                    self._users.setdefault(source.node, []).append(user)
        found: set[str] = set()
        waiting = [node]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting += self._users.get(at, ())
        return found

    def _fits(self, node: str, name: str, source: Source) -> bool:
        """Whether the spaces of the output may be those that the input needs."""
        wanted = [self.solution.candidates(variable) for variable in self.facts.wanted(node, name)]
        return all(
            left is None or right is None or bool(set(left) & set(right))
            for left, right in zip(wanted, self.supplies.given(source), strict=False)
        )


def _connect(node: str, name: str, source: Source) -> Connect:
    return Connect(node=node, socket=name, wire=Wire(node=source.node, output=source.output))


def _sound(found: FileFacts, widget: WidgetDefinition) -> bool:
    """Whether nothing is known to be wrong with the file for this widget."""
    return not found.trouble and not found.flaws and widget.part not in found.lacks


def _set(node: str, widget: WidgetDefinition, value: Json) -> Fix:
    shown = value if isinstance(value, str) else json.dumps(value)
    edit = SetValue(node=node, name=widget.name, value=value)
    return Fix(title=t("Set '{title}' to {shown}", title=widget.title, shown=shown), edits=(edit,))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and len(value) < 200
