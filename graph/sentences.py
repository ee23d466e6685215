"""Say what is wrong in words: where and what, never the shape of a tensor."""

from collections import Counter
from collections.abc import Sequence

from graph.conflict import Conflict, Side
from graph.definition import Axis
from graph.describe import title_of
from graph.facts import Facts
from graph.problem import Because
from graph.solve import Claim, Solution, Step, Variable
from graph.words import retold, t

PARTS = {
    "model": "diffusion model",
    "clip": "text encoder",
    "vae": "VAE",
    "encoder": "VAE encoder",
    "decoder": "VAE decoder",
}


class Sentences:
    """The words for the nodes, sockets, files and spaces of one workflow."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._types = Counter(
            placed.type for placed in facts.workflow.nodes.values() if not placed.title
        )

    def node(self, node: str) -> str:
        """The node's name: "VAE Decode 'Decode'", with its id where two have the same."""
        placed = self.facts.workflow.nodes.get(node)
        if placed is None:
            return f"'{node}'"
        if (name := self.facts.names(node)) is not None:
            return name
        kind = self.facts.type(placed.type)
        title = kind.definition.title if kind else placed.type
        if placed.title and not (kind and kind.definition.is_called(placed.title)):
            return f"{title} '{placed.title}'"
        return f"{title} ({node})" if self._types[placed.type] > 1 else title

    def input(self, node: str, name: str) -> str:
        """The title of an input or a wired widget; the third wire of "images" is "Images 3"."""
        kind = self.facts.type_of(node)
        if kind is None:
            return f"'{name}'"
        if name in kind.inputs:
            return f"'{kind.inputs[name].title}'"
        if name in kind.widgets:
            return f"'{kind.widgets[name].title}'"
        base, _, number = name.rpartition(".")
        if base in kind.inputs and number.isdigit():
            return f"'{kind.inputs[base].title} {int(number) + 1}'"
        return f"'{name}'"

    def output(self, node: str, name: str) -> str:
        output = self.facts.output(node, name)
        return f"'{output.title}'" if output else f"'{name}'"

    def kind(self, kind: str, is_list: bool = False) -> str:
        """The kind of a socket with its article: "a VAE", "an Image", "a list of Image"."""
        return kind_in_words(kind, is_list)

    def part(self, part: str) -> str:
        """What a part of a file is called: "VAE" for "vae"."""
        return t(PARTS.get(part, part))

    def supply(self, what: str, files: int | None) -> str:
        """What to do about a part that is missing; `files` that are there could stand in for it."""
        if files is None:
            return t("Load a file that has a {what}.", what=what)
        if files == 0:
            return t(
                "No file here has a {what} that fits: put one into the models folder.", what=what
            )
        if files == 1:
            return t("1 file here would do: load one for it.")
        return t("{files} files here would do: load one for it.", files=files)

    def spaces(self, axis: Axis, spaces: Sequence[str]) -> str:
        """The spaces' titles: "SD 1.x or SDXL"."""
        return t(" or ").join(self.facts.files.space_title(axis, space) for space in spaces)

    def spaces_apart(
        self, axis: Axis, left: Sequence[str], right: Sequence[str]
    ) -> tuple[str, str]:
        """The titles of two sets of spaces, with their ids where the titles alone are the same."""
        first, second = self.spaces(axis, left), self.spaces(axis, right)
        if first != second:
            return first, second
        either = t(" or ")
        return f"{first} ({either.join(left)})", f"{second} ({either.join(right)})"

    def known_by(self, claim: Claim) -> str:
        """In brackets what the claim on a file is known by, and how surely where it names one."""
        one = len(claim.candidates or ()) == 1
        words = [retold(claim.evidence), t(claim.certainty) if one else ""]
        said = ", ".join(word for word in words if word)
        return f" ({said})" if said else ""

    def mismatch(self, conflict: Conflict) -> str:
        """What does not fit, where each side has its type from."""
        axis = conflict.link.start.axis
        arriving, present = self.spaces_apart(
            axis,
            conflict.arriving.claim.candidates or (),
            conflict.present.claim.candidates or (),
        )
        if conflict.shared is not None:
            return self._shared(conflict, conflict.shared, arriving, present)
        noun = self._noun(conflict)
        sentence = t(
            "This {noun} is {arriving}: {origin}. {one}.",
            noun=noun,
            arriving=arriving,
            origin=self._origin(conflict.arriving),
            one=self.speaks(conflict.present, present),
        )
        also = [self._claimed(claim) for claim in conflict.others]
        return " ".join([sentence, *also])

    def _noun(self, conflict: Conflict) -> str:
        node, name = conflict.link.source
        output = self.facts.output(node, name)
        noun = title_of(output.term.kind) if output and conflict.link.wire else "file"
        return retold(noun if noun.isupper() else noun.lower())

    def _shared(self, conflict: Conflict, shared: Variable, arriving: str, present: str) -> str:
        what = self.node(shared.node) if shared.node else self._file_of(conflict)
        return t(
            "{what} cannot serve both: {one}; {one2}.",
            what=what,
            one=self.speaks(conflict.arriving, arriving),
            one2=self.speaks(conflict.present, present),
        )

    def _file_of(self, conflict: Conflict) -> str:
        kind = self.facts.type_of(conflict.link.node)
        widget = kind.widgets.get(conflict.link.socket) if kind else None
        name = widget and self.facts.node(conflict.link.node).values.get(widget.name)
        return str(name or t("The file"))

    def _origin(self, side: Side) -> str:
        """Where the type of an arriving value comes from."""
        claim = side.claim
        if claim.file is None:
            return t("{node} gives nothing else", node=self.node(side.nodes[0]))
        file = f"{claim.file[1]}{self.known_by(claim)}"
        if len(side.nodes) < 2:
            return t("it comes from {file}", file=file)
        uses = t("{node} uses {file}", node=self.node(side.nodes[1]), file=file)
        if side.nodes[1] == side.node:
            return uses
        return t("it comes from {node}, and {uses}", node=self.node(side.node), uses=uses)

    def speaks(self, side: Side, space: str) -> str:
        """What the node that something arrives at has to do with its own space."""
        claim, node = side.claim, self.node(side.node)
        if claim.file is None:
            takes = claim.variable.node == side.node
            return (
                t("{node} takes only {space}", node=node, space=space)
                if takes
                else t(
                    "{node} needs {space}, {reason}",
                    node=node,
                    space=space,
                    reason=self._reason(side),
                )
            )
        said = t(
            "{file}, which is for {space}{known_by}",
            file=claim.file[1],
            space=space,
            known_by=self.known_by(claim),
        )
        if len(side.nodes) < 2:
            return t("{node} loads {said}", node=node, said=said)
        if side.nodes[1] == side.node:
            return t("{node} uses {said}", node=node, said=said)
        return t(
            "{node} needs {space}, since {node2} uses {said}",
            node=node,
            space=space,
            node2=self.node(side.nodes[1]),
            said=said,
        )

    def _reason(self, side: Side) -> str:
        claim = side.claim
        if claim.file is None:
            return t("since {node} takes nothing else", node=self.node(claim.variable.node))
        user = self.node(side.nodes[1] if len(side.nodes) > 1 else side.nodes[0])
        return t(
            "since {user} uses {file}{known_by}",
            user=user,
            file=claim.file[1],
            known_by=self.known_by(claim),
        )

    def _claimed(self, claim: Claim) -> str:
        spaces = self.spaces(claim.variable.axis, claim.candidates or ())
        if claim.file is None:
            return t(
                "{node} takes only {spaces}.", node=self.node(claim.variable.node), spaces=spaces
            )
        return t(
            "{file} is for {spaces}{known_by}.",
            file=claim.file[1],
            spaces=spaces,
            known_by=self.known_by(claim),
        )

    def because(self, side: Side) -> Because:
        """A side of a conflict as data."""
        claim = side.claim
        return Because(
            node=side.node,
            socket=side.socket,
            space=_one(claim.candidates),
            evidence=self._evidence_of(claim),
            certainty=claim.certainty,
            path=side.nodes,
        )

    def because_of(self, solution: Solution, variable: Variable, socket: str) -> Because | None:
        """Why a variable of a node is what it is, as data."""
        claim = solution.search.origin.get(variable)
        if claim is None:
            return None
        steps: list[Step] = solution.search.path(variable)
        ids = [claim.variable.node, *(step.variable.node for step in steps)]
        return Because(
            node=variable.node,
            socket=socket,
            space=_one(solution.candidates(variable)),
            evidence=self._evidence_of(claim),
            certainty=claim.certainty,
            path=tuple(dict.fromkeys(id_ for id_ in ids if id_)),
        )

    def _evidence_of(self, claim: Claim) -> str:
        if claim.file is None:
            return t("{node} takes only this", node=self.node(claim.variable.node))
        said = retold(claim.evidence)
        return f"{claim.file[1]}: {said}" if said else claim.file[1]


def kind_in_words(kind: str, is_list: bool = False) -> str:
    """The kind of a socket with its article: "a VAE", "an Image", "a list of Image"."""
    name = title_of(kind)
    said = retold(name)
    if is_list:
        return t("a list of {name}", name=said)
    return t("an {name}", name=said) if name[0] in "AEIOU" else t("a {name}", name=said)


def _one(candidates: Sequence[str] | None) -> str:
    return candidates[0] if candidates is not None and len(candidates) == 1 else ""
