"""Explain a contradiction between claims: both sides, the path to each, the wire where they meet.

The path from one claim to the other runs along wires and against them. Where it turns from "along"
to "against", two values meet in one node: the wire of the longer side is the wrong one, because the
shorter side says what the node itself speaks. Where it turns the other way, one value (an Empty
Latent) serves two nodes that disagree: then the second of them should have a value of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graph.solve import Claim, Component, Link, Search, Solution, Step, Variable


@dataclass(frozen=True)
class Side:
    """One side of a conflict: the claim, and the links from it to where the conflict is.

    `node` and `socket` are where this side's type is felt: the output that a wrong wire leaves, or
    an input of the node that the wire enters. `nodes` are the ids from the claim's node to `node`.
    """

    claim: Claim
    links: tuple[Link, ...]
    node: str
    socket: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Two claims that cannot both hold, and the link where they meet.

    `arriving` comes over the link and `present` is what its node speaks. `shared` is the variable
    that serves both sides, where neither's value flows into the other's node; then the link goes
    from it to the present side's node. `others` are claims without which the two would agree.
    """

    link: Link
    arriving: Side
    present: Side
    shared: Variable | None = None
    others: tuple[Claim, ...] = ()


def conflicts(solution: Solution) -> list[Conflict]:
    """The conflicts of a solution, one for each place, sorted by place."""
    found: dict[tuple[str, str], Conflict] = {}
    for component in solution.components:
        if component.candidates == ():
            for conflict in _of_component(solution, component):
                found.setdefault((conflict.link.node, conflict.link.socket), conflict)
    return [found[place] for place in sorted(found)]


def _of_component(solution: Solution, component: Component) -> list[Conflict]:
    """The conflicts of a component whose claims have no space in common; at least one."""
    known = sorted((claim for claim in component.claims if claim.candidates), key=_key)
    # Claims of one space divide the component into regions; where unlike ones touch is a conflict.
    dividing = [claim for claim in known if len(claim.candidates or ()) == 1]
    regions = solution.reach(dividing).origin
    dividing += [
        claim
        for claim in known
        if claim.variable in regions and _disjoint(claim, regions[claim.variable])
    ]
    search = solution.reach(sorted(dividing, key=_key))
    found = list(_between_regions(search, component, solution)) if dividing else []
    return found or [_among_many(solution, known)]


def _key(claim: Claim) -> Variable:
    return claim.variable


def _disjoint(left: Claim, right: Claim) -> bool:
    return not set(left.candidates or ()) & set(right.candidates or ())


def _between_regions(
    search: Search, component: Component, solution: Solution
) -> Iterator[Conflict]:
    """The conflicts at the links whose ends belong to claims that exclude each other."""
    touching: list[tuple[int, Link]] = []
    for variable in component.variables:
        for step in solution.neighbours.get(variable, ()):
            link = step.link
            if step.along and _disjoint(search.origin[link.start], search.origin[link.end]):
                distance = search.distance[link.start] + search.distance[link.end]
                touching.append((distance, link))
    for _, link in sorted(touching):
        left, right = search.origin[link.start], search.origin[link.end]
        there = [*search.path(link.start), Step(link, link.end, True)]
        back = [_reversed(step) for step in reversed(search.path(link.end))]
        if _key(left) < _key(right):
            yield _explained(left, right, [*there, *back], len(there) - 1)
        else:
            whole = [_reversed(step) for step in reversed([*there, *back])]
            yield _explained(right, left, whole, len(back))


def _among_many(solution: Solution, known: Sequence[Claim]) -> Conflict:
    """Three or more claims of several spaces each, of which every two agree but not all."""
    needed = list(known)
    for claim in known:
        rest = [set(other.candidates or ()) for other in needed if other != claim]
        if rest and not set.intersection(*rest):
            needed.remove(claim)
    first, *others, last = needed
    path = solution.reach([first]).path(last.variable)
    return _explained(first, last, path, 0, tuple(others))


def _reversed(step: Step) -> Step:
    """The same step taken from its other end."""
    start = step.link.start if step.along else step.link.end
    return Step(step.link, start, not step.along)


def _explained(
    left: Claim, right: Claim, path: Sequence[Step], crossing: int, others: tuple[Claim, ...] = ()
) -> Conflict:
    """The conflict between two claims; `path` goes from `left` to `right`.

    `crossing` is the step at which the regions touch: of several values that serve both sides, the
    one nearest to it is to blame.
    """
    turns = [
        index for index in range(1, len(path)) if not path[index - 1].along and path[index].along
    ]
    if turns:
        turn = min(turns, key=lambda index: (abs(index - crossing), index))
        return _shared(left, right, path, turn, others)
    meeting = sum(step.along for step in path)  # all steps "along" come before those "against"
    there, back = path[:meeting], path[meeting:]
    if there and (not back or _distance(left, there) >= _distance(right, back)):
        return _met(left, right, there, back, others)
    swapped = [_reversed(step) for step in reversed(back)]
    return _met(right, left, swapped, [_reversed(step) for step in reversed(there)], others)


def _distance(claim: Claim, steps: Sequence[Step]) -> tuple[int, bool]:
    """How far a claim is away: in wires, and at equal length a file is nearer than a signature."""
    return sum(step.link.wire for step in steps), claim.file is None


def _met(
    arriving: Claim,
    present: Claim,
    there: Sequence[Step],
    back: Sequence[Step],
    others: tuple[Claim, ...],
) -> Conflict:
    """Both values enter one node: the last link of `there` is where."""
    link = there[-1].link
    links = tuple(step.link for step in there)
    node, socket = link.source if link.wire else (link.node, link.socket)
    first = Side(arriving, links, node, socket, _nodes(arriving, there[:-1], node))
    own = tuple(step.link for step in reversed(back))
    at = own[-1].socket if own else present.socket
    steps = [_reversed(step) for step in reversed(back)]
    second = Side(present, own, link.node, at, _nodes(present, steps, link.node))
    return Conflict(link, first, second, None, others)


def _shared(
    left: Claim, right: Claim, path: Sequence[Step], turn: int, others: tuple[Claim, ...]
) -> Conflict:
    """One variable serves both sides: the link by which it reaches the right one is where."""
    before, after = path[turn - 1], path[turn]
    there = path[:turn]
    back = [_reversed(step) for step in reversed(path[turn:])]
    first = Side(
        left,
        tuple(step.link for step in there),
        before.link.node,
        before.link.socket,
        _nodes(left, there[:-1], before.link.node),
    )
    second = Side(
        right,
        tuple(step.link for step in back),
        after.link.node,
        after.link.socket,
        _nodes(right, back[:-1], after.link.node),
    )
    return Conflict(after.link, first, second, before.variable, others)


def _nodes(claim: Claim, steps: Sequence[Step], last: str) -> tuple[str, ...]:
    """The node ids along the steps, each once, from the claim's node to `last`."""
    ids = [claim.variable.node, *(step.variable.node for step in steps), last]
    return tuple(dict.fromkeys(id_ for id_ in ids if id_))
