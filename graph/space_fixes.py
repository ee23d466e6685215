"""Offer edits that mend a conflict between spaces, each tried out before it is offered."""

from collections.abc import Iterator, Sequence

from graph.conflict import Conflict, Side
from graph.converters import Converter, bridges
from graph.definition import Term
from graph.describe import title_of
from graph.edits import fresh_id
from graph.facts import Facts
from graph.problem import AddNode, Connect, Edit, Fix, SetValue
from graph.sentences import Sentences
from graph.solve import Link, Solution, Variable
from graph.statements import statement_fixes
from graph.supplies import FEW, Supplies, Supply
from graph.trying import Tries
from graph.words import retold, t
from graph.workflow import PlacedNode, Wire

LONGEST_COPY = 4
"""So many nodes at most are copied so that both sides have a value of their own."""


class SpaceFixer:
    """Finds fixes for the conflicts of one solution."""

    def __init__(self, facts: Facts, say: Sentences, solution: Solution) -> None:
        self.facts = facts
        self.say = say
        self.solution = solution
        self.supplies = Supplies(facts, solution)
        self.tries = Tries(facts, solution)
        self._bridges: dict[str, list[tuple[Converter, Converter]]] = {}

    def fixes(self, conflict: Conflict) -> tuple[Fix, ...]:
        """The fixes that leave the conflict gone and make no new one, the likeliest first."""
        offered: list[Fix] = []
        for fix in self._ideas(conflict):
            if fix not in offered and self.tries.mends(conflict, fix):
                offered.append(fix)
        return tuple(offered)

    def _ideas(self, conflict: Conflict) -> Iterator[Fix]:
        both = (conflict.present, conflict.arriving), (conflict.arriving, conflict.present)
        if conflict.shared is not None:
            yield from self._duplicate(conflict, conflict.shared)
        else:
            for side, other in both:
                yield from self._rewire(side, other)
        for side, other in both:
            yield from self._reload(side, other)
        if conflict.shared is None:
            for side, other in both:
                yield from self._load(side, other)
        if conflict.shared is None and conflict.link.wire:
            yield from self._bridge(conflict)
        for side, other in both:
            yield from self._state(side, other)
        yield from self._allow(conflict)

    def _rewire(self, side: Side, other: Side) -> Iterator[Fix]:
        """Take the first thing that this side gets from its file from the other side's file."""
        first = next((link for link in side.links if link.wire), None)
        space = _single(other)
        if first is None or space is None or side.claim.file is None:
            return
        output = self.facts.output(*first.source)
        if output is None:
            return
        index = _index(output.term, first)
        if index is None:
            return
        # Several nodes may load one file: then the one that the other side has already.
        near = other.nodes[0]
        for supply in self.supplies.titled(output.term.kind, index, space, near)[:FEW]:
            edit = Connect(node=first.node, socket=first.socket, wire=supply.wire)
            title = t("Use {title} in {node}", title=supply.title, node=self.say.node(first.node))
            yield Fix(title=title, edits=(edit,))

    def _reload(self, side: Side, other: Side) -> Iterator[Fix]:
        """Load another file on this side, one that speaks the other side's space."""
        space = _single(other)
        if side.claim.file is None or space is None or not side.links:
            return
        loader, socket = side.links[0].node, side.links[0].socket
        kind = self.facts.type_of(loader)
        widget = kind.widgets.get(socket) if kind else None
        if widget is None or widget.term is None:
            return
        axis = side.claim.variable.axis
        needed = self.supplies.parts_used(loader)
        suitable = [
            found
            for found in self.supplies.files(widget, axis, space[0])
            if needed <= set(found.parts)
        ]
        # Another checkpoint changes the whole picture, so only one is offered.
        for found in suitable[: FEW if len(widget.term.arguments) == 1 else 1]:
            edit = SetValue(node=loader, name=widget.name, value=found.name)
            yield Fix(
                title=t("Load {name} in {node}", name=found.name, node=self.say.node(loader)),
                edits=(edit,),
            )

    def _load(self, side: Side, other: Side) -> Iterator[Fix]:
        """Load a file of the other side's space for this side, which gets a checkpoint's part."""
        first = next((link for link in side.links if link.wire), None)
        space = _single(other)
        output = self.facts.output(*first.source) if first is not None else None
        if first is None or space is None or output is None or output.part is None:
            return
        if len(output.term.arguments) != 1 or side.claim.file is None:
            return
        axis, half = first.start.axis, self.facts.half(first.node, first.socket)
        if self.supplies.titled(output.term.kind, 0, space, first.node):
            return  # one that is loaded already is offered
        for supply in self.supplies.added(output.term.kind, axis, space[0], first.node, half, ()):
            wire = Connect(node=first.node, socket=first.socket, wire=supply.wire)
            title = t("Load {title} for {node}", title=supply.title, node=self.say.node(first.node))
            yield Fix(title=title, edits=(*supply.edits, wire))

    def _state(self, side: Side, other: Side) -> Iterator[Fix]:
        """Say that this side's file speaks the other side's space, where nobody is sure of it."""
        claim, space = side.claim, _single(other)
        doubtful = claim.certainty != "certain" or len(claim.candidates or ()) != 1
        if claim.file is None or space is None or not doubtful or claim.variable.axis != "latent":
            return
        for fix in statement_fixes(self.facts, self.say, claim.file):
            if fix.statement is not None and fix.statement.space == space[0]:
                yield fix

    def _duplicate(self, conflict: Conflict, shared: Variable) -> Iterator[Fix]:
        """Give the present side's node a copy of what serves both sides."""
        copied = self._makers(shared)
        if not copied:
            return
        inside = set(copied)
        claims = [claim for claim in self.solution.claims.values() if claim.candidates]
        regions = self.solution.reach(claims, lambda item: item not in inside)
        mine = set(conflict.present.claim.candidates or ())
        flow = self.facts.workflow
        ids = {item.node: fresh_id(flow, f"{item.node}-copy") for item in copied}
        edits: list[Edit] = [self._copy(item.node, ids, conflict) for item in copied]
        for variable in copied:
            for step in self.solution.neighbours.get(variable, ()):
                region = regions.origin.get(step.variable)
                moves = step.link == conflict.link or (
                    region is not None and bool(mine & set(region.candidates or ()))
                )
                if step.along and step.variable not in inside and moves:
                    wire = Wire(node=ids[variable.node], output=step.link.source[1])
                    edits.append(Connect(node=step.link.node, socket=step.link.socket, wire=wire))
        user, what = self.say.node(conflict.present.node), self.say.node(shared.node)
        yield Fix(title=t("Duplicate {what} for {user}", what=what, user=user), edits=tuple(edits))

    def _makers(self, shared: Variable) -> list[Variable]:
        """The variable and those that its value comes through, or [] where a file is among them."""
        if not shared.node:
            return []
        found = [shared]
        for variable in found:
            for step in self.solution.neighbours.get(variable, ()):
                if not step.along and step.variable not in found:
                    found.append(step.variable)
            if len(found) > LONGEST_COPY:
                return []
        claimed = any(item in self.solution.claims or not item.node for item in found)
        return [] if claimed else found

    def _copy(self, node: str, ids: dict[str, str], conflict: Conflict) -> AddNode:
        placed = self.facts.node(node)
        inputs = {
            name: Wire(node=ids.get(source.node, source.node), output=source.output)
            for name, source in self.facts.active.every[node].items()
        }
        copy = placed.model_copy(update={"inputs": inputs})
        return AddNode(id=ids[node], node=copy, near=conflict.present.node)

    def _bridge(self, conflict: Conflict) -> Iterator[Fix]:
        """Turn the value into one that has no space (a picture), and back in the other space."""
        link = conflict.link
        output = self.facts.output(*link.source)
        first, second = _single(conflict.arriving), _single(conflict.present)
        if output is None or first is None or second is None or len(output.term.arguments) != 1:
            return
        for there, back in self._converters(output.term):
            out = self._tool(there, link, first)
            made = [edit.id for edit in out.edits if isinstance(edit, AddNode)] if out else []
            in_ = self._tool(back, link, second, made)
            if out is None or in_ is None:
                continue
            ids = [fresh_id(self.facts.workflow, item.definition.type) for item in (there, back)]
            start = Wire(node=link.source[0], output=link.source[1])
            middle = Wire(node=ids[0], output=there.result.name)
            kind = title_of(there.result.term.kind)
            picture, lower = retold(kind), retold(kind.lower())
            spaces = [self.say.spaces(link.start.axis, space) for space in (first, second)]
            names = (
                t("{spaces} to {lower}", spaces=spaces[0], lower=lower),
                t("{picture} to {spaces}", picture=picture, spaces=spaces[1]),
            )
            edits: list[Edit] = [
                *out.edits,
                *in_.edits,
                _added(there, ids[0], names[0], start, out.wire, link.node),
                _added(back, ids[1], names[1], middle, in_.wire, link.node),
                Connect(
                    node=link.node,
                    socket=link.socket,
                    wire=Wire(node=ids[1], output=back.result.name),
                ),
            ]
            titles = there.definition.title, back.definition.title
            yield Fix(
                title=t(
                    "Convert it: put {titles} and {titles2} in between",
                    titles=titles[0],
                    titles2=titles[1],
                ),
                edits=tuple(edits),
            )
            return

    def _converters(self, term: Term) -> list[tuple[Converter, Converter]]:
        if term.kind not in self._bridges:
            self._bridges[term.kind] = list(bridges(self.facts.definitions, term))
        return self._bridges[term.kind]

    def _tool(
        self, converter: Converter, link: Link, space: Sequence[str], avoid: Sequence[str] = ()
    ) -> Supply | None:
        """A VAE of the space: one that is there already, or else a file to load."""
        kind, half = converter.tool.term.kind, converter.tool.part
        found = self.supplies.titled(kind, 0, space, link.node) or self.supplies.added(
            kind, link.start.axis, space[0], link.node, half, avoid
        )
        return found[0] if found else None

    def _allow(self, conflict: Conflict) -> Iterator[Fix]:
        """Let the wire be, where the shapes agree: a person may know better."""
        link = conflict.link
        first, second = _single(conflict.arriving), _single(conflict.present)
        if not link.wire or first is None or second is None:
            return
        if not self.facts.files.fits(link.start.axis, first[0], second[0]):
            return
        raw = self.facts.node(link.node).inputs[link.socket]
        wire = raw.model_copy(update={"allow": (first[0], second[0])})
        edit = Connect(node=link.node, socket=link.socket, wire=wire)
        yield Fix(title=t("I know better: allow this wire"), edits=(edit,))


def _single(side: Side) -> tuple[str, ...] | None:
    """The one space that a side speaks, as a tuple of one."""
    candidates = side.claim.candidates
    return candidates if candidates is not None and len(candidates) == 1 else None


def _index(term: Term, link: Link) -> int | None:
    """Which argument of the term the link is about."""
    for index, argument in enumerate(term.arguments):
        if argument.axis == link.start.axis and argument.variable == link.start.name:
            return index
    return None


def _added(
    converter: Converter, id_: str, title: str, value: Wire, tool: Wire, near: str
) -> AddNode:
    placed = PlacedNode(
        type=converter.definition.type,
        title=title,
        version=converter.definition.version,
        inputs={converter.value.name: value, converter.tool.name: tool},
    )
    return AddNode(id=id_, node=placed, near=near)
