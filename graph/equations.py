"""Collect what a workflow says about spaces: which are equal, what files and signatures claim."""

from collections.abc import Collection
from dataclasses import dataclass, field

from graph.definition import Axis, WidgetDefinition
from graph.facts import Facts
from graph.files import FileFacts
from graph.solve import Candidates, Claim, Equations, Link, Solution, Variable


@dataclass
class Collected:
    """The equations of a workflow, and the links of allowed wires with their stored pairs."""

    equations: Equations = field(default_factory=Equations)
    allowed: dict[Link, tuple[str, str]] = field(default_factory=dict)


def file_variable(axis: Axis, facts: FileFacts, folder: str, node: str) -> Variable:
    """The variable of a file's content: one for the whole workflow, however often it is loaded.

    A text encoder is no model but a part that several kinds of models share: it may serve another
    space at every node that loads it.
    """
    name = facts.content or f"{folder}/{facts.name}"
    return Variable(axis, "", f"{name} {node}" if facts.kind == "text_encoder" else name)


def collect(facts: Facts, only: Collection[str] | None = None) -> Collected:
    """The equations of all nodes that are neither muted nor bypassed, or of `only` some of them."""
    collected = Collected()
    claims, links = collected.equations.claims, collected.equations.links
    for node, sources in facts.active.every.items():
        if only is not None and node not in only:
            continue
        kind = facts.type_of(node)
        if kind is None:
            continue
        for axis, fixed, one_of, socket in kind.fixed:
            variable = Variable(axis, node, fixed)
            claims[variable] = Claim(variable, one_of, "", "certain", socket)
        for widget in kind.files:
            _collect_file(collected, facts, node, widget)
        placed = facts.node(node).inputs
        for name, source in sources.items():
            if only is None or source.node in only:
                found = facts.links(node, name, source)
                links += found
                if found and (allow := placed[name].allow) is not None:
                    collected.allowed.update(dict.fromkeys(found, allow))
    return collected


ROUNDS = 20
"""So often the overruled wires are looked at anew; then those in doubt count like any other."""


def solve(facts: Facts) -> Solution:
    """The spaces of a workflow, without the allowed wires whose pair is still the actual one.

    A wire whose pair is another one by now counts again, which may make known what another wire
    joins: hence the rounds. A wire of which one side stays unknown counts too.
    """
    collected = collect(facts)
    left_out = {
        link: pair
        for link, pair in collected.allowed.items()
        if facts.files.fits(link.start.axis, *pair)
    }
    for round_ in range(ROUNDS + 1):
        solution = Solution(collected.equations, frozenset(left_out))
        actual = {link: _actual(solution, link) for link in left_out}
        lapsed = [link for link, pair in left_out.items() if _contradicts(actual[link], pair)]
        if not lapsed or round_ == ROUNDS:
            lapsed = [link for link, pair in left_out.items() if actual[link] != pair]
        if not lapsed:
            return solution
        for link in lapsed:
            del left_out[link]
    return Solution(collected.equations, frozenset(left_out))


Sides = tuple[str | None, str | None]


def _actual(solution: Solution, link: Link) -> Sides:
    """The spaces on both sides of a wire, each None where it is not known."""
    start, end = solution.candidates(link.start), solution.candidates(link.end)
    return _single(start), _single(end)


def _single(candidates: Candidates) -> str | None:
    return candidates[0] if candidates is not None and len(candidates) == 1 else None


def _contradicts(actual: Sides, stored: tuple[str, str]) -> bool:
    """Whether a side that is known is another one than was stored."""
    return any(
        found is not None and found != kept for found, kept in zip(actual, stored, strict=True)
    )


def _collect_file(collected: Collected, facts: Facts, node: str, widget: WidgetDefinition) -> None:
    """The equations of a file and its loader, and what is known of the file."""
    found, kind = facts.widget_file(node, widget), facts.type_of(node)
    if kind is None or found is None or widget.folder is None or widget.name not in kind.loaded:
        return
    claims = collected.equations.claims
    for own in kind.loaded[widget.name].at(node):
        shared = file_variable(own.axis, found, widget.folder, node)
        collected.equations.links.append(Link(shared, own, node, widget.name, wire=False))
        file, known = (widget.folder, found.name), claims.get(shared)
        if known is None or file < (known.file or ()):  # one content, two names: the first one
            claims[shared] = Claim(
                shared,
                tuple(sorted(found.spaces.get(own.axis, ()))) or None,
                found.evidence,
                found.certainty,
                widget.name,
                file,
            )
