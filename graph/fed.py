"""What a node is fed with, as far as one can tell before anything runs: model, size, picture."""

from collections.abc import Iterator
from typing import NamedTuple

from graph.advice import Advice
from graph.definition import Json
from graph.facts import Facts
from graph.files import FileFacts
from graph.modes import Source
from graph.picture_sizes import Size

RESIZING = frozenset({"width", "height", "scale_by"})
"""A node with a latent and one of these widgets gives a latent of another size than it gets."""

LONGEST = 50
"""So many nodes are gone back at most, so that a long chain of samplers is checked quickly."""


class Used(NamedTuple):
    """A model that a node takes: its file, and what is known of it."""

    file: FileFacts
    advice: Advice


class Fed:
    """Follows the wires of one workflow backwards."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def model(self, node: str) -> Used | None:
        """The file of the node's model, through nodes that change how that is sampled."""
        for at in self._upstream(node, "Model"):
            kind = self._facts.type_of(at)
            for widget in kind.files if kind else ():
                found = self._facts.widget_file(at, widget)
                if found is not None and "model" in found.parts:
                    return Used(found, found.advice) if found.advice else None
        return None

    def size(self, node: str) -> Size | None:
        """The size of the latent that the node takes, if a node before it states or knows it."""
        for at in self._upstream(node, "Latent"):
            kind = self._facts.type_of(at)
            if kind is None:
                return None
            inputs = {item.term.kind for item in kind.definition.inputs}
            if "Image" in inputs:
                _, picture = self.picture_behind(at, "Image")
                return self.picture_size(picture) if picture else None
            if not inputs and {"width", "height"} <= kind.widgets.keys():
                width, height = self.value(at, "width"), self.value(at, "height")
                known = isinstance(width, int) and isinstance(height, int)
                return Size(width, height, at) if known and width > 0 and height > 0 else None
            if kind.widgets.keys() & RESIZING:
                return None
        return None

    def _upstream(self, node: str, kind: str) -> Iterator[str]:
        """The nodes that a value of this kind comes through, the nearest first."""
        seen = {node}
        at: str | None = node
        while at is not None and len(seen) <= LONGEST:
            found = self.source(at, kind)
            at = found[1].node if found else None
            if at is None or at in seen:
                return
            seen.add(at)
            yield at

    def source(self, node: str, kind: str) -> tuple[str, Source] | None:
        """The first wired input of the kind, and what feeds it."""
        type_, sources = self._facts.type_of(node), self._facts.active.every.get(node, {})
        for name, source in sources.items():
            slot = type_.slot(name) if type_ else None
            if slot is not None and slot.term.kind == kind:
                return name, source
        return None

    def value(self, node: str, widget: str) -> Json:
        """What the widget holds; None where there is none, it is wired, or its value is unfit."""
        kind = self._facts.type_of(node)
        if kind is None or widget not in kind.widgets or widget in self._facts.node(node).inputs:
            return None
        value = self._facts.node(node).values.get(widget, kind.widgets[widget].default)
        return None if kind.checkers[widget].fault(value) else value

    def picture_behind(self, node: str, kind: str) -> tuple[str, str | None]:
        """The input of this kind, and the node that loads the picture it comes from, if one does"""
        source = self.source(node, kind)
        if source is None:
            return "", None
        socket, giver = source
        type_ = self._facts.type_of(giver.node)
        return socket, giver.node if type_ and type_.files else None

    def picture_size(self, node: str) -> Size | None:
        """The size of the picture file that the node loads."""
        kind = self._facts.type_of(node)
        for widget in kind.files if kind else ():
            found = self._facts.widget_file(node, widget)
            if found is not None and found.size is not None:
                return Size(*found.size)
        return None
