"""Which files a loader could take as it is wired, and why the others do not fit.

The spaces around the loader are found once, with nothing loaded in it. A file that disagrees with
them is tried in a copy of the workflow, as fixes are, for the sentence that says what it meets.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from graph.conflict import Conflict, Side, conflicts
from graph.definition import Axis, NodeDefinition, WidgetDefinition
from graph.equations import file_variable, solve
from graph.facts import Facts
from graph.files import FileFacts, Files
from graph.recent import Recent, Solved
from graph.sentences import Sentences
from graph.solve import Candidates, Solution, Variable
from graph.subgraphs import Flat
from graph.trying import BUDGET, Tries
from graph.words import t
from graph.workflow import Workflow


class NoSuchWidget(Exception):
    """The node has no widget of this name that names a model file."""


class Misfit(NamedTuple):
    """A file that the loader could not take as it is wired; `reason` is a sentence without its
    name, `code` that of the problem that there would be."""

    name: str
    code: str
    reason: str


def misfits(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    files: Files,
    node: str,
    widget: str,
    recent: Recent | None = None,
) -> tuple[Misfit, ...]:
    """The files of the widget's folder that do not fit, sorted by name. Raises `NoSuchWidget`.

    `node` may be "up/k", the node "k" inside "up", or "up" itself where it shows the widget.
    """
    flat = Flat(workflow, definitions)
    facts = Facts(flat.workflow, flat.definitions, files, flat.name)
    if node not in flat.workflow.nodes and flat.level(node) is None:
        raise NoSuchWidget(f"There is no node '{node}'.")
    solved = (recent or Recent()).solved(facts)
    places = flat.fed(node, widget)
    if not places:
        raise NoSuchWidget(f"There is no widget '{widget}' at '{node}'.")
    found: dict[str, Misfit] = {}
    for place, name in places:
        for misfit in _Loader(solved, place, name).misfits():
            found.setdefault(misfit.name, misfit)
    return tuple(found[name] for name in sorted(found))


Refusal = tuple[str, str]
"""The code of what would be wrong with a file, and why in words; empty where it fits."""

FITS: Refusal = ("", "")


class _Loader:
    """One widget that names a model file, in a workflow that is solved."""

    def __init__(self, solved: Solved, node: str, widget: str) -> None:
        self.facts, self.solution = solved.facts, solved.solution
        kind = self.facts.type_of(node)
        found = kind.widgets.get(widget) if kind else None
        if found is None or found.folder is None or kind is None:
            raise NoSuchWidget(f"There is no widget '{widget}' for a model file at '{node}'.")
        self.node, self.kind, self.folder = node, kind, found.folder
        self.widget: WidgetDefinition = found
        self.say = Sentences(self.facts)
        self._tried = 0

    def misfits(self) -> Iterator[Misfit]:
        known: dict[Any, Refusal] = {}
        for name in self.facts.files.names(self.folder):
            found = self.facts.file(self.folder, name)
            if found is None:
                continue
            sort = self._sort(found)
            if sort not in known:
                known[sort] = self._refusal(found)
            if known[sort] != FITS:
                yield Misfit(name, *known[sort])

    def _sort(self, found: FileFacts) -> Any:
        """All of a file that the answer hangs on."""
        spaces = tuple(self._spaces(found).items())
        flaws = tuple((flaw.message, flaw.parts) for flaw in found.flaws)
        return found.kind, found.trouble, spaces, found.parts, found.lacks, flaws

    def _refusal(self, found: FileFacts) -> Refusal:
        if found.trouble is not None:
            return found.code, found.trouble
        for flaw in found.flaws:
            used = {part for _, _, part in self._users if part} if flaw.parts else set()
            if not used or used & set(flaw.parts):
                return flaw.code, flaw.message
        lacks = self._lacking(found)
        return lacks if lacks != FITS else self._apart(found)

    def _lacking(self, found: FileFacts) -> Refusal:
        """Whether something is wired to a part, or to the half of a VAE, that is not in the file"""
        if self.widget.part is not None and self.widget.part in found.lacks:
            return "missing_part", t("It has no {part}.", part=self.say.part(self.widget.part))
        first = self.kind.files[0].name == self.widget.name
        for user, half, part in self._users:
            absent = part if first and part is not None and part not in found.parts else None
            if self.widget.part is None and half is not None and half in found.lacks:
                absent = half
            if absent is not None:
                return "missing_part", t(
                    "It has no {part}, and {node} needs one.",
                    part=self.say.part(absent),
                    node=self.say.node(user),
                )
        return FITS

    @cached_property
    def _users(self) -> list[tuple[str, str | None, str | None]]:
        """Who is wired to the loader, which half of a VAE it uses, and which part of the file."""
        users = []
        for user, sources in self.facts.active.every.items():
            for socket, source in sources.items():
                output = self.facts.output(*source) if source.node == self.node else None
                if output is not None:
                    users.append((user, self.facts.half(user, socket), output.part))
        return users

    # Spaces

    def _spaces(self, found: FileFacts) -> Mapping[Axis, Candidates]:
        """What the file can be; where it is loaded elsewhere, too, what that leaves of it."""
        spaces: dict[Axis, Candidates] = {}
        for variable in self._variables:
            own = tuple(sorted(found.spaces.get(variable.axis, ()))) or None
            shared = file_variable(variable.axis, found, self.folder, self.node)
            spaces[variable.axis] = self.solution.candidates(shared) or own
        return spaces

    def _apart(self, found: FileFacts) -> Refusal:
        """Whether the file disagrees with the spaces around the loader."""
        mine = self._spaces(found)
        for variable in self._variables:
            theirs, own = self._around.candidates(variable), mine[variable.axis]
            if theirs and own and not set(theirs) & set(own):
                return self._tried_out(found, variable.axis, own, theirs)
        return FITS

    @cached_property
    def _variables(self) -> list[Variable]:
        """The loader's variables that the file says, in the order of its arguments."""
        slot = self.kind.loaded.get(self.widget.name)
        return slot.at(self.node) if slot is not None else []

    @cached_property
    def _part(self) -> Workflow:
        """As much of the workflow as hangs on what is loaded here."""
        near = {self.node}
        for node in self.facts.active.every:  # another node may load the same file
            kind = self.facts.type_of(node)
            if kind and any(widget.folder == self.folder for widget in kind.files):
                near.add(node)
        return Tries(self.facts, self.solution).part(near, {self.node})

    @cached_property
    def _around(self) -> Solution:
        """The spaces as they are with no file in the loader."""
        return solve(self._with(None))

    def _with(self, name: str | None) -> Facts:
        placed = self._part.nodes[self.node]
        values = {**placed.values, self.widget.name: name}
        nodes = {**self._part.nodes, self.node: placed.model_copy(update={"values": values})}
        return self.facts.changed(self._part.model_copy(update={"nodes": nodes}))

    def _tried_out(
        self, found: FileFacts, axis: Axis, own: tuple[str, ...], theirs: tuple[str, ...]
    ) -> Refusal:
        """What the file would meet; nothing where a wire in between was allowed by a person."""
        first, second = self.say.spaces_apart(axis, own, theirs)
        plain = t("It is for {own}, and it is wired to {theirs}.", own=first, theirs=second)
        self._tried += len(self._part.nodes)
        if self._tried > BUDGET:
            return "space_mismatch", plain
        after = conflicts(solve(self._with(found.name)))
        if not after:
            return FITS
        place = file_variable(axis, found, self.folder, self.node)
        other = next((side for one in after if (side := _met(one, place))), None)
        if other is None:
            return "space_mismatch", plain
        first, second = self.say.spaces_apart(axis, own, other.claim.candidates or ())
        said = self.say.speaks(other, second)
        return "space_mismatch", t("It is for {own}: {said}.", own=first, said=said)


def _met(conflict: Conflict, file: Variable) -> Side | None:
    """The other side of a conflict that the file has a part in."""
    if conflict.arriving.claim.variable == file:
        return conflict.present
    return conflict.arriving if conflict.present.claim.variable == file else None
