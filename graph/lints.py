"""Warn of what the types allow and the model does not like: sizes, settings, stretched masks.

A lint never keeps anything from running. What to warn of comes from the files as data
(`graph.advice`); which widgets are meant is told by kinds and names: `width` and `height` of a node
that makes a latent, `cfg` and the like of a node that takes a model or feeds one that does.
"""

from collections.abc import Iterator

from graph.advice import Avoid
from graph.definition import Json
from graph.facts import Facts
from graph.fed import Fed, Used
from graph.picture_sizes import Size, native_size, shaped, stretched
from graph.problem import Connect, Edit, Fix, Problem, RemoveNode, SetValue
from graph.sentences import Sentences
from graph.words import retold, t
from graph.workflow import Wire


class Lints:
    """Finds what to warn of in one workflow."""

    def __init__(self, facts: Facts, say: Sentences) -> None:
        self.facts = facts
        self.say = say
        self.fed = Fed(facts)

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
        if "Model" in kinds and (used := self.fed.model(node)):
            yield from self._settings(node, used)
            if "Latent" in kinds and (size := self.fed.size(node)) and size.maker:
                yield from self._sizes(node, size, used)
        if "Mask" in kinds:
            yield from self._masks(node)
        yield from self._spans(node)

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
                value = self.fed.value(place, avoid.widget)
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
        found = self.fed.source(node, "Model")
        edits: list[Edit] = []
        for user, sources in self.facts.active.every.items():
            for name, source in sources.items():
                if found is not None and source.node == node:
                    wire = Wire(node=found[1].node, output=found[1].output)
                    edits.append(Connect(node=user, socket=name, wire=wire))
        title = t("Leave out {node}", node=self.say.node(node))
        return Fix(title=title, edits=(*edits, RemoveNode(node=node)))

    def _spans(self, node: str) -> Iterator[Problem]:
        """What holds from `start` to `end` of the way to the picture, and so never holds."""
        start, end = self.fed.value(node, "start"), self.fed.value(node, "end")
        if not isinstance(start, int | float) or not isinstance(end, int | float) or start < end:
            return
        title = t("Let it hold from 0 to 1")
        yield Problem(
            code="never_holds",
            severity="warning",
            node=node,
            socket="start",
            message=t(
                "{node} would never hold: its start, {start}, is not before its end, {end}.",
                node=self.say.node(node),
                start=f"{start:g}",
                end=f"{end:g}",
            ),
            parameters={"start": start, "end": end},
            fixes=(_set(title, node, start=0.0, end=1.0),),
        )

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
        socket, mask = self.fed.picture_behind(node, "Mask")
        under = self.fed.size(node)
        if under is None:
            _, picture = self.fed.picture_behind(node, "Image")
            under = self.fed.picture_size(picture) if picture else None
        masking = self.fed.picture_size(mask) if mask else None
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
        _, picture = self.fed.picture_behind(node, "Image")
        kind = self.facts.type_of(picture) if picture else None
        if picture and kind and "mask" in kind.outputs:
            wire = Wire(node=picture, output="mask")
            edit = Connect(node=node, socket=socket, wire=wire)
            yield Fix(title=t("Use the mask of {node}", node=self.say.node(picture)), edits=(edit,))


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
