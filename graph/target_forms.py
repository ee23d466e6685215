"""The answer to where a dragged wire may go, and how the sockets of subgraphs are part of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graph.subgraphs import Flat
from graph.words import t


class Target(NamedTuple):
    """A socket that is there: whether the wire fits, and where not, why."""

    node: str
    socket: str
    ok: bool
    code: str = ""
    reason: str = ""


class TypeTarget(NamedTuple):
    """A node type that has a socket of the kind; `ok` where its spaces fit too."""

    type: str
    socket: str
    ok: bool


@dataclass(frozen=True)
class Targets:
    """The answer for one drag: every socket of the other direction, and node types, best first."""

    targets: tuple[Target, ...]
    types: tuple[TypeTarget, ...]

    def to_json(self) -> dict[str, Any]:
        """The answer of the API."""
        return {
            "targets": [target._asdict() for target in self.targets],
            "types": [type_._asdict() for type_ in self.types],
        }


def shown_inputs(flat: Flat, found: Iterable[Target], start: str) -> Iterator[Target]:
    """The inputs of nodes that stand for subgraphs: a wire must fit all that they feed inside."""
    known = {(target.node, target.socket): target for target in found}
    free = {(target.node, _base(target.socket)): target for target in found}
    for node, level in flat.levels.items():
        for name in (*level.subgraph.inputs, *level.subgraph.widgets):
            fed = flat.fed(node, name)
            inner = [known.get(at) or free.get((at[0], _base(at[1]))) for at in fed]
            there = [target for target in inner if target is not None]
            if name in level.subgraph.inputs or there:
                yield _around(Target(node, name, True), there, start)


def shown_outputs(flat: Flat, found: Iterable[Target], start: str) -> Iterator[Target]:
    """The outputs of nodes that stand for subgraphs: each is one inside."""
    known = {(target.node, target.socket): target for target in found}
    for node, level in flat.levels.items():
        for name in level.subgraph.outputs:
            source = flat.given(node, name)
            target = known.get(source) if source is not None else None
            if target is not None:
                yield _around(Target(node, name, True), [target], start)


def worst(answers: Sequence[Sequence[Target]]) -> tuple[Target, ...]:
    """Of the verdicts on each output, one for every input that would be fed, the refusal if any."""
    return tuple(
        next((target for target in verdicts if not target.ok), verdicts[0])
        for verdicts in zip(*answers, strict=True)
    )


def _around(target: Target, inner: Sequence[Target], start: str) -> Target:
    if target.node == start:
        reason = t("The node would wait for itself.")
        return target._replace(ok=False, code="cycle", reason=reason)
    refused = next((one for one in inner if not one.ok), None)
    if refused is None:
        return target
    return target._replace(ok=False, code=refused.code, reason=refused.reason)


def _base(socket: str) -> str:
    """The name of a variadic input without the wire's number."""
    head, dot, tail = socket.rpartition(".")
    return head if dot and tail.isdigit() else socket
