"""Turn edits of the flat workflow into edits of the saved one, with its subgraphs.

A value or wire inside is changed in the subgraph, for all nodes that stand for it; what the
interface shows is changed at the placed node. A wire that goes in or out gets a socket there.
"""

from collections.abc import Iterable, Iterator, Sequence

from graph.edits import fresh_id
from graph.levels import Level
from graph.problem import (
    AddInput,
    AddNode,
    AddOutput,
    Connect,
    Disconnect,
    Edit,
    Fix,
    RemoveNode,
    SetValue,
    UnsetValue,
)
from graph.subgraphs import Flat
from graph.workflow import HERE, Wire

End = tuple[Level, str, str]
"""A socket: its level, its node there ("$": the level's interface), its name."""


class Localiser:
    """Makes the fixes for a workflow with subgraphs from those for its flat form."""

    def __init__(self, flat: Flat) -> None:
        self.flat = flat

    def fixes(self, fixes: Sequence[Fix]) -> Iterator[Fix]:
        """The fixes that can be made without harm to other nodes of the same subgraph."""
        for fix in fixes:
            local = _Local(self.flat, fix)
            if local.edits or not fix.edits:
                yield fix.model_copy(update={"edits": tuple(local.edits)})


class _Local:
    """The edits of one fix in the saved form; none where it would break other placed nodes."""

    def __init__(self, flat: Flat, fix: Fix) -> None:
        self.flat = flat
        self.edits: list[Edit] = []
        self.added: dict[str, tuple[Level, str]] = {}
        self.taken: dict[int, set[str]] = {}
        self.home = self._home(fix.edits)
        for edit in fix.edits:
            if not self._make(edit):
                self.edits = []
                return

    def _home(self, edits: Iterable[Edit]) -> Level:
        """The level of new nodes: where the socket that they are for gets its wire from."""
        for edit in edits:
            if isinstance(edit, Connect) and (place := self.flat.place(edit.node)):
                return self._climbed((*place, edit.socket))[0]
        return self.flat.opened.root

    def _make(self, edit: Edit) -> bool:
        """Add the edits that do what one edit of the flat workflow does; False if none can."""
        if isinstance(edit, AddNode):
            return self._add(edit)
        place = self._place(edit.node)
        if place is None:
            return False
        level, id_ = place
        if isinstance(edit, RemoveNode):
            self.edits.append(RemoveNode(node=_address(level, id_)))
        elif isinstance(edit, Connect):
            return self._connect((level, id_, edit.socket), edit.wire)
        elif isinstance(edit, Disconnect):
            level, id_, socket = self._climbed((level, id_, edit.socket))
            self.edits.append(Disconnect(node=_address(level, id_), socket=socket))
        elif isinstance(edit, SetValue):
            level, id_, name = _outermost((level, id_, edit.name))
            self.edits.append(SetValue(node=_address(level, id_), name=name, value=edit.value))
        elif isinstance(edit, UnsetValue):
            level, id_, name = _holding((level, id_, edit.name))
            self.edits.append(UnsetValue(node=_address(level, id_), name=name))
        return True

    def _place(self, node: str) -> tuple[Level, str] | None:
        return self.added.get(node) or self.flat.place(node)

    def _add(self, edit: AddNode) -> bool:
        around, _, last = edit.id.rpartition("/")
        level = self.flat.levels.get(around, self.home)
        taken = self.taken.setdefault(id(level), set(level.nodes))
        id_ = fresh_id(self.flat.original, last, taken) if level.parent else edit.id
        taken.add(id_)
        self.added[edit.id] = (level, id_)
        near = self._near(level, edit.near)
        bare = edit.node.model_copy(update={"inputs": {}})
        self.edits.append(AddNode(id=_address(level, id_), node=bare, near=near))
        return all(
            self._connect((level, id_, socket), wire) for socket, wire in edit.node.inputs.items()
        )

    def _near(self, level: Level, near: str | None) -> str | None:
        """The node of the level that is, or holds, the one that a new node is to lie beside."""
        place = self._place(near) if near is not None else None
        if place is None:
            return None
        at, id_ = place
        while at is not level and at.parent is not None:
            at, id_ = at.parent, at.id
        return _address(at, id_) if at is level else None

    def _connect(self, end: End, wire: Wire) -> bool:
        """Lead the flat wire to the socket, through the interfaces that lie between."""
        source = self._place(wire.node)
        if source is None:
            return False
        level, id_, socket = end
        now = level.nodes[id_].inputs.get(socket) if id_ in level.nodes else None
        led = level.follow(now) if now is not None else None
        if now is not None and led is not None and led[0] == (wire.node, wire.output):
            self._wire(
                end, now.model_copy(update={"allow": wire.allow})
            )  # it stays, and is allowed
            return True
        end = self._climbed(end, source[0])
        given = self._raised((*source, wire.output), end[0])
        entered = self._lowered(given, end)
        if entered is None:
            return False
        self._wire(end, Wire(node=entered[1], output=entered[2], allow=wire.allow))
        return True

    def _wire(self, end: End, wire: Wire) -> None:
        self.edits.append(Connect(node=_address(end[0], end[1]), socket=end[2], wire=wire))

    def _climbed(self, end: End, to: Level | None = None) -> End:
        """The socket outside that feeds this one alone, or nothing yet; no further than `to`."""
        level, id_, socket = end
        while level.parent is not None and level is not to and id_ in level.nodes:
            wire = level.nodes[id_].inputs.get(socket)
            if wire is None or wire.node != HERE:
                break
            if level.uses[wire.output] != [(id_, socket)] and not level.is_unfed(wire):
                break
            level, id_, socket = level.parent, level.id, wire.output
        return level, id_, socket

    def _raised(self, source: End, to: Level) -> End:
        """The output as the levels around it give it, up to one that `to` lies in."""
        level, id_, output = source
        above = [self.flat.opened.root, *to.around()]
        while level.parent is not None and level not in above:
            outputs = level.subgraph.outputs
            known = [
                n for n, shown in outputs.items() if (shown.node, shown.output) == (id_, output)
            ]
            name = known[0] if known else self._fresh(level, output)
            if not known:
                inside = Wire(node=id_, output=output)
                self.edits.append(AddOutput(node=level.flat, name=name, wire=inside))
            level, id_, output = level.parent, level.id, name
        return level, id_, output

    def _lowered(self, source: End, end: End) -> End | None:
        """The output as the interfaces on the way down to the socket's level hand it on."""
        level, node, output = source
        around = end[0].around()
        below = around[around.index(level) + 1 :] if level in around else around
        was_fed = end[1] in end[0].nodes and end[2] in end[0].nodes[end[1]].inputs
        for inner in below:
            if self._is_shared(inner) and (was_fed or end[1] not in end[0].nodes):
                return None  # the others would lose what they have
            given = Wire(node=node, output=output)
            known = [name for name, wire in inner.instance.inputs.items() if wire == given]
            name = known[0] if known else self._fresh(inner, end[2])
            if not known:
                self.edits.append(AddInput(node=inner.flat, name=name))
                self.edits.append(Connect(node=inner.flat, socket=name, wire=given))
            node, output = HERE, name
        return end[0], node, output

    def _is_shared(self, level: Level) -> bool:
        return sum(one.subgraph is level.subgraph for one in self.flat.opened.levels) > 1

    def _fresh(self, level: Level, wanted: str) -> str:
        """A name that no socket or widget of the interface has."""
        shown = level.subgraph
        taken = self.taken.setdefault(id(shown), {*shown.inputs, *shown.outputs, *shown.widgets})
        name, number = wanted.replace(".", "_"), 1
        stem = name
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        return name


def _address(level: Level, id_: str) -> str:
    """How edits name a node: its flat id, also where it is new."""
    return level.flat_id(id_)


def _outermost(end: End) -> End:
    """Where a widget is shown furthest out."""
    level, id_, name = end
    while level.parent is not None and (id_, name) in level.exposed:
        level, id_, name = level.parent, level.id, level.exposed[id_, name]
    return level, id_, name


def _holding(end: End) -> End:
    """Where the value that counts is held: at the outermost node that has one of its own."""
    ends = [end]
    while (level := ends[-1][0]).parent is not None and ends[-1][1:] in level.exposed:
        ends.append((level.parent, level.id, level.exposed[ends[-1][1:]]))
    return next(
        (
            (level, id_, name)
            for level, id_, name in reversed(ends)
            if id_ in level.nodes and name in level.nodes[id_].values
        ),
        end,
    )
