"""Which node types have a socket for a wire that a person drags into the void, best first."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graph.definition import Term
from graph.facts import Facts
from graph.node import CORE
from graph.node_type import NodeType
from graph.solve import Candidates
from graph.target_forms import TypeTarget
from graph.types import accepts


def takers(
    facts: Facts, given: Term, is_list: bool, spaces: Sequence[Candidates]
) -> tuple[TypeTarget, ...]:
    """The node types with an input for an output of this kind and these spaces."""
    found: list[_Fitting] = []
    for type_ in _types(facts):
        sockets = [(item.name, item.term, item.list) for item in type_.definition.inputs]
        sockets += [
            (widget.name, type_.taken[widget.name].term, False)
            for widget in type_.definition.widgets
            if widget.wire is not None
        ]
        found += [
            _Fitting(type_, name, term)
            for name, term, wants_list in sockets
            if accepts(term.kind, given.kind) and wants_list == is_list
        ]
    return _ranked(found, given.kind, spaces)


def givers(
    facts: Facts, taken: Term, is_list: bool, spaces: Sequence[Candidates]
) -> tuple[TypeTarget, ...]:
    """The node types with an output for an input of this kind and these spaces."""
    found = [
        _Fitting(type_, item.name, item.term)
        for type_ in _types(facts)
        for item in type_.definition.outputs
        if accepts(taken.kind, item.term.kind) and item.list == is_list
    ]
    return _ranked(found, taken.kind, spaces)


def _types(facts: Facts) -> Iterator[NodeType]:
    for name in facts.definitions:
        type_ = facts.type(name)
        if type_ is not None:
            yield type_


class _Fitting(NamedTuple):
    """A socket of a node type, of a kind that the dragged wire may have."""

    type: NodeType
    socket: str
    term: Term


def _ranked(
    found: Sequence[_Fitting], kind: str, spaces: Sequence[Candidates]
) -> tuple[TypeTarget, ...]:
    """One socket of each type: what fits, what is made for these spaces, the same kind, our own."""

    def rank(item: _Fitting) -> tuple[bool, bool, bool, bool, str]:
        definition = item.type.definition
        return (
            not _suits(item.term, spaces),
            not _is_for(item.term, spaces),
            item.term.kind != kind,
            definition.pack != CORE,
            definition.title,
        )

    best: dict[str, TypeTarget] = {}
    for item in sorted(found, key=rank):
        ok = _suits(item.term, spaces)
        type_ = item.type.definition.type
        best.setdefault(type_, TypeTarget(type_, item.socket, ok))
    return tuple(best.values())


def _suits(term: Term, spaces: Sequence[Candidates]) -> bool:
    """Whether what the signature fixes has a space in common with the dragged wire."""
    return all(
        agree(argument.one_of, candidates)
        for argument, candidates in zip(term.arguments, spaces, strict=False)
    )


def _is_for(term: Term, spaces: Sequence[Candidates]) -> bool:
    """Whether the signature asks for the very spaces of the dragged wire, where those are known."""
    return any(
        argument.one_of is not None and candidates is not None
        for argument, candidates in zip(term.arguments, spaces, strict=False)
    )


def agree(left: Sequence[str] | None, right: Sequence[str] | None) -> bool:
    """Whether two sets of candidates have a space in common; an unknown one agrees with all."""
    return left is None or right is None or bool(set(left) & set(right))
