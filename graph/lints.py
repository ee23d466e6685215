"""Warn of what the types allow and the model does not like: sizes, settings, stretched masks.

A lint never keeps anything from running. What to warn of comes from the files as data
(`graph.advice`); which widgets are meant is told by kinds and names: `width` and `height` of a node
that makes a latent, `cfg` and the like of a node that takes a model or feeds one that does.
"""

from collections.abc import Iterator
from typing import NamedTuple

from graph.advice import Advice, Avoid
from graph.definition import Json
from graph.facts import Facts
from graph.files import FileFacts
from graph.modes import Source
from graph.picture_sizes import Size, native_size, shaped, stretched
from graph.problem import Connect, Edit, Fix, Problem, RemoveNode, SetValue
from graph.sentences import Sentences
from graph.words import retold, t
from graph.workflow import Wire

RESIZING = frozenset({"width", "height", "scale_by"})
"""A node with a latent and one of these widgets gives a latent of another size than it gets."""

LONGEST = 50
"""So many nodes are gone back at most, so that a long chain of samplers is checked quickly."""


class Used(NamedTuple):
    """A model that a node takes: its file, and what is known of it."""

    file: FileFacts
    advice: Advice


class Lints:
    """Finds what to warn of in one workflow."""

    def __init__(self, facts: Facts, say: Sentences) -> None:
        self.facts = facts
        self.say = say

    def all(self) -> Iterator[Problem]:
        """Every warning once: two samplers of one model share their Empty Latent's."""
        told: set[tuple[str, str | None, str | None]] = set()
        for node in self.facts.active.every:
            for problem in self._of(node):
                place = (problem.code, problem.node, problem.socket)
                if place not in told:
                    told.add(place)
                    yield problem

    def _of(self, node: str) -> Iterator[Problem]:
        kind = self.facts.type_of(node)
        kinds = kind.kinds if kind else ()
        if "Model" in kinds and (used := self._model(node)):
            yield from self._settings(node, used)
            if "Latent" in kinds and (size := self._size(node)) and size.maker:
                yield from self._sizes(node, size, used)
        if "Mask" in kinds:
            yield from self._masks(node)

    # Settings

    def _settings(self, node: str, used: Used) -> Iterator[Problem]:
        """Settings of the node, and of the nodes without inputs that feed it (KSampler Select)."""
        feeders = [source.node for source in self.facts.active.every[node].values()]
        pure = [
            feeder
            for feeder in dict.fromkeys(feeders)
            if (kind := self.facts.type_of(feeder)) and not kind.definition.inputs
        ]
        for place in (node, *pure):
            for avoid in used.advice.avoid:
                value = self._value(place, avoid.widget)
                if value is not None and _hits(avoid, value):
                    yield self._setting(place, avoid, value, used)

    def _setting(self, node: str, avoid: Avoid, value: Json, used: Used) -> Problem:
        shown = f"{value:g}" if isinstance(value, float) else str(value)
        return Problem(
            code=avoid.code,
            severity="warning",
            node=node,
            socket=avoid.widget,
            message=(
                t(
                    "{input} of {node} is {shown}, but {name} ({title}) {why}.",
                    input=self.say.input(node, avoid.widget),
                    node=self.say.node(node),
                    shown=shown,
                    name=used.file.name,
                    title=retold(used.advice.title),
                    why=retold(avoid.why),
                )
            ),
            parameters={"value": value, "use": avoid.use, "file": used.file.name},
            fixes=(self._mended(node, avoid),),
        )

    def _mended(self, node: str, avoid: Avoid) -> Fix:
        """Set the widget to what is better, or leave the node out where nothing is."""
        if avoid.use is not None:
            use = f"{avoid.use:g}" if isinstance(avoid.use, float) else avoid.use
            title = t("Set {input} to {use}", input=self.say.input(node, avoid.widget), use=use)
            return _set(title, node, **{avoid.widget: avoid.use})
        found = self._source(node, "Model")
        edits: list[Edit] = []
        for user, sources in self.facts.active.every.items():
            for name, source in sources.items():
                if found is not None and source.node == node:
                    wire = Wire(node=found[1].node, output=found[1].output)
                    edits.append(Connect(node=user, socket=name, wire=wire))
        title = t("Leave out {node}", node=self.say.node(node))
        return Fix(title=title, edits=(*edits, RemoveNode(node=node)))

    # Sizes

    def _sizes(self, node: str, size: Size, used: Used) -> Iterator[Problem]:
        advice, maker = used.advice, size.maker or ""
        whose = t(
            "{node} uses {name} ({title})",
            node=self.say.node(node),
            name=used.file.name,
            title=retold(advice.title),
        )
        share = size.width * size.height / advice.side**2
        low, high = advice.areas
        if not low <= share <= high:
            better = native_size(size, advice)
            where = t("small") if share < low else t("large")
            yield Problem(
                code="far_from_native_size",
                severity="warning",
                node=maker,
                socket="width",
                message=(
                    t(
                        "{node} makes {size} pixels, and {whose}, which was trained at {side} "
                        "x {side}: pictures that {where} come out worse.",
                        node=self.say.node(maker),
                        size=size,
                        whose=whose,
                        side=advice.side,
                        where=where,
                    )
                ),
                parameters={"size": [*size[:2]], "native": advice.side, "file": used.file.name},
                fixes=(_resize(maker, better),),
            )
        elif size.width % advice.multiple or size.height % advice.multiple:
            width, height = (
                max(1, round(edge / advice.multiple)) * advice.multiple for edge in size[:2]
            )
            yield Problem(
                code="size_not_multiple",
                severity="warning",
                node=maker,
                socket="width",
                message=(
                    t(
                        "{node} makes {size} pixels, and {whose}, which works in squares of "
                        "{multiple} pixels: what is over is filled up and cut off again, and "
                        "may show at the edge.",
                        node=self.say.node(maker),
                        size=size,
                        whose=whose,
                        multiple=advice.multiple,
                    )
                ),
                parameters={"size": [*size[:2]], "multiple": advice.multiple},
                fixes=(_resize(maker, Size(width, height)),),
            )

    # Masks

    def _masks(self, node: str) -> Iterator[Problem]:
        """A mask of a picture in other proportions than what it lies over."""
        socket, mask = self._picture_behind(node, "Mask")
        under = self._size(node)
        if under is None:
            _, picture = self._picture_behind(node, "Image")
            under = self._picture_size(picture) if picture else None
        masking = self._picture_size(mask) if mask else None
        if mask is None or masking is None or under is None or not stretched(masking, under):
            return
        yield Problem(
            code="mask_size",
            severity="warning",
            node=node,
            socket=socket,
            message=(
                t(
                    "The mask of {node} is {masking} pixels, and what it lies over "
                    "{under}: the mask will be stretched.",
                    node=self.say.node(node),
                    masking=masking,
                    under=under,
                )
            ),
            parameters={"mask": [*masking[:2]], "under": [*under[:2]]},
            fixes=tuple(self._mask_fixes(node, socket, masking, under)),
        )

    def _mask_fixes(self, node: str, socket: str, masking: Size, under: Size) -> Iterator[Fix]:
        if under.maker is not None:
            better = shaped(under, masking)
            if better is not None:
                yield _resize(under.maker, better)
        _, picture = self._picture_behind(node, "Image")
        kind = self.facts.type_of(picture) if picture else None
        if picture and kind and "mask" in kind.outputs:
            wire = Wire(node=picture, output="mask")
            edit = Connect(node=node, socket=socket, wire=wire)
            yield Fix(title=t("Use the mask of {node}", node=self.say.node(picture)), edits=(edit,))

    def _picture_behind(self, node: str, kind: str) -> tuple[str, str | None]:
        """The input of this kind, and the node that loads the picture it comes from, if one does"""
        source = self._source(node, kind)
        if source is None:
            return "", None
        socket, giver = source
        type_ = self.facts.type_of(giver.node)
        return socket, giver.node if type_ and type_.files else None

    def _picture_size(self, node: str) -> Size | None:
        kind = self.facts.type_of(node)
        for widget in kind.files if kind else ():
            found = self.facts.widget_file(node, widget)
            if found is not None and found.size is not None:
                return Size(*found.size)
        return None

    # What a node is fed with

    def _model(self, node: str) -> Used | None:
        """The file of the node's model, through nodes that change how that is sampled."""
        for at in self._upstream(node, "Model"):
            kind = self.facts.type_of(at)
            for widget in kind.files if kind else ():
                found = self.facts.widget_file(at, widget)
                if found is not None and "model" in found.parts:
                    return Used(found, found.advice) if found.advice else None
        return None

    def _size(self, node: str) -> Size | None:
        """The size of the latent that the node takes, if a node before it states or knows it."""
        for at in self._upstream(node, "Latent"):
            kind = self.facts.type_of(at)
            if kind is None:
                return None
            inputs = {item.term.kind for item in kind.definition.inputs}
            if "Image" in inputs:
                _, picture = self._picture_behind(at, "Image")
                return self._picture_size(picture) if picture else None
            if not inputs and {"width", "height"} <= kind.widgets.keys():
                width, height = self._value(at, "width"), self._value(at, "height")
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
            found = self._source(at, kind)
            at = found[1].node if found else None
            if at is None or at in seen:
                return
            seen.add(at)
            yield at

    def _source(self, node: str, kind: str) -> tuple[str, Source] | None:
        """The first wired input of the kind, and what feeds it."""
        type_, sources = self.facts.type_of(node), self.facts.active.every.get(node, {})
        for name, source in sources.items():
            slot = type_.slot(name) if type_ else None
            if slot is not None and slot.term.kind == kind:
                return name, source
        return None

    def _value(self, node: str, widget: str) -> Json:
        """What the widget holds; None where there is none, it is wired, or its value is unfit."""
        kind = self.facts.type_of(node)
        if kind is None or widget not in kind.widgets or widget in self.facts.node(node).inputs:
            return None
        value = self.facts.node(node).values.get(widget, kind.widgets[widget].default)
        return None if kind.checkers[widget].fault(value) else value


def _hits(avoid: Avoid, value: Json) -> bool:
    if isinstance(value, str):
        return value in avoid.values
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and avoid.above is not None and value > avoid.above


def _resize(node: str, size: Size) -> Fix:
    return _set(t("Make it {size}", size=size), node, width=size.width, height=size.height)


def _set(title: str, node: str, **values: Json) -> Fix:
    edits: list[Edit] = [
        SetValue(node=node, name=name, value=value) for name, value in values.items()
    ]
    return Fix(title=title, edits=tuple(edits))
