"""Collect what a workflow says about spaces: which are equal, what files and signatures claim."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from graph.definition import Argument, Term, WidgetDefinition
from graph.facts import Facts
from graph.files import FileFacts
from graph.modes import Source
from graph.solve import Claim, Equations, Link, Solution, Variable
from graph.types import accepts


@dataclass
class Collected:
    """The equations of a workflow, and the links of allowed wires with their stored pairs."""

    equations: Equations = field(default_factory=Equations)
    allowed: dict[Link, tuple[str, str]] = field(default_factory=dict)


def variable_of(argument: Argument, node: str, socket: str, index: int, side: str) -> Variable:
    """The variable behind one argument of a socket's term; a fixed argument has one of its own."""
    if argument.variable is not None:
        return Variable(argument.axis, node, argument.variable)
    return Variable(argument.axis, node, f"{side} {socket} {index}")


def file_variable(argument: Argument, facts: FileFacts, folder: str) -> Variable:
    """The variable of a file's content: one for the whole workflow, however often it is loaded."""
    return Variable(argument.axis, "", facts.content or f"{folder}/{facts.name}")


def variables_of(term: Term, node: str, socket: str, side: str) -> list[Variable]:
    """The variables of a socket's term, in the order of its arguments; `side` is "in" or "out"."""
    return [
        variable_of(argument, node, socket, index, side)
        for index, argument in enumerate(term.arguments)
    ]


def collect(facts: Facts, only: Collection[str] | None = None) -> Collected:
    """The equations of all nodes that are neither muted nor bypassed, or of `only` some of them."""
    collected = Collected()
    for node, sources in facts.active.every.items():
        if only is not None and node not in only:
            continue
        kind = facts.type_of(node)
        if kind is None:
            continue
        for item in kind.definition.outputs:
            _claim_fixed(collected, item.term, node, item.name, "out")
        for item_in in kind.definition.inputs:
            _claim_fixed(collected, item_in.term, node, item_in.name, "in")
        for widget in kind.files:
            _collect_file(collected, facts, node, widget)
        for name, source in sources.items():
            if only is None or source.node in only:
                _collect_wire(collected, facts, node, name, source)
    return collected


def solve(facts: Facts) -> Solution:
    """The spaces of a workflow, without the allowed wires whose pair is still the actual one.

    A wire whose pair is another one by now counts again, and so may change what others join: hence
    the loop, which ends because no wire is left out anew.
    """
    collected = collect(facts)
    left_out = {
        link: pair
        for link, pair in collected.allowed.items()
        if facts.files.fits(link.start.axis, *pair)
    }
    while True:
        solution = Solution(collected.equations, frozenset(left_out))
        lapsed = [link for link, pair in left_out.items() if _actual(solution, link) != pair]
        if not lapsed:
            return solution
        for link in lapsed:
            del left_out[link]


def _actual(solution: Solution, link: Link) -> tuple[str, str] | None:
    """The spaces on both sides of a wire, where both are known."""
    start, end = solution.candidates(link.start), solution.candidates(link.end)
    if start is None or end is None or len(start) != 1 or len(end) != 1:
        return None
    return start[0], end[0]


def _claim_fixed(collected: Collected, term: Term, node: str, socket: str, side: str) -> None:
    """Claim what a signature fixes: `Latent[Sdxl]`."""
    for index, argument in enumerate(term.arguments):
        if argument.one_of is not None:
            variable = variable_of(argument, node, socket, index, side)
            collected.equations.claims[variable] = Claim(
                variable, tuple(sorted(argument.one_of)), "", "certain", socket
            )


def _collect_file(collected: Collected, facts: Facts, node: str, widget: WidgetDefinition) -> None:
    found = facts.widget_file(node, widget)
    if widget.term is None or widget.folder is None or found is None:
        return
    _claim_fixed(collected, widget.term, node, widget.name, "in")
    for index, argument in enumerate(widget.term.arguments):
        shared = file_variable(argument, found, widget.folder)
        own = variable_of(argument, node, widget.name, index, "in")
        collected.equations.links.append(Link(shared, own, node, widget.name, wire=False))
        spaces = tuple(sorted(found.spaces.get(argument.axis, ()))) or None
        claim = Claim(
            shared,
            spaces,
            found.evidence,
            found.certainty,
            widget.name,
            (widget.folder, found.name),
        )
        known = collected.equations.claims.setdefault(shared, claim)
        if (claim.file or ()) < (known.file or ()):  # one content under two names: the first one
            collected.equations.claims[shared] = claim


def _collect_wire(collected: Collected, facts: Facts, node: str, name: str, source: Source) -> None:
    for link in links_of(facts, node, name, source):
        collected.equations.links.append(link)
        allow = facts.node(node).inputs[name].allow
        if allow is not None:
            collected.allowed[link] = allow


def links_of(facts: Facts, node: str, name: str, source: Source) -> Iterator[Link]:
    """The equations of a wire: one for each argument of its kind, none where kinds disagree."""
    kind = facts.type_of(node)
    taken = kind.taken(name) if kind is not None else None
    given = facts.output(source.node, source.output)
    if kind is None or taken is None or given is None:
        return
    term, _ = taken
    if not accepts(term.kind, given.term.kind):
        return
    base = name if name in kind.inputs else name.rpartition(".")[0]
    ends = variables_of(term, node, base, "in")
    starts = variables_of(given.term, source.node, source.output, "out")
    for start, end in zip(starts, ends, strict=False):
        if start.axis == end.axis:
            yield Link(start, end, node, name, True, (source.node, source.output))
