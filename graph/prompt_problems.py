"""Problems of the embeddings that prompts name: not there, of no use, or made for another model."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from graph.facts import Facts
from graph.files import EMBEDDINGS, FileFacts, Files, Mentioned
from graph.fixes import Fixer
from graph.problem import Because, Fix, Problem, SetValue
from graph.prompts import ENCODERS, name_in, without
from graph.sentences import Sentences
from graph.supplies import FEW
from graph.words import t

LIKELY = 20
"""Names that are looked at for those that can be used."""

LIKE = 0.5
"""How alike names must be for one to be offered in place of the other, 0 to 1."""


def missing(node: str, name: str) -> str:
    """The sentence for an embedding that is not there; `node` is what the node is called."""
    return t(
        "The prompt of {node} names the embedding '{name}', which is not in the folder "
        "'{folder}': put its file there, choose another one, or take it out of the prompt.",
        node=node,
        name=name,
        folder=EMBEDDINGS,
    )


def unusable(node: str, name: str, trouble: str) -> str:
    """The sentence for an embedding whose file is of no use."""
    return t(
        "The prompt of {node} names the embedding '{name}', which cannot be used: {trouble}",
        node=node,
        name=name,
        trouble=trouble,
    )


def unfit(
    files: Files, node: str, found: FileFacts, name: str, space: str, prompt: str
) -> str | None:
    """The sentence for an embedding that does not suit the text space; None where it does."""
    fit = files.embedding_fit(found.name, space, prompt)
    if fit.suits:
        return None
    made = found.spaces.get("text", ())
    whose = " / ".join(files.space_title("text", one) for one in made) or t("another model")
    has, takes = _numbers(fit.has), _numbers(fit.takes)
    title = files.space_title("text", space)
    if not takes:
        return t(
            "'{name}' was made for {whose} ({has} numbers a token), and {node} encodes for "
            "{space}, which takes no such embeddings: take it out of the prompt.",
            name=name,
            whose=whose,
            has=has,
            node=node,
            space=title,
        )
    return t(
        "'{name}' was made for {whose} ({has} numbers a token), and {node} encodes for {space} "
        "({takes} numbers a token): use one that was made for {space}, or take it out of the "
        "prompt.",
        name=name,
        whose=whose,
        has=has,
        node=node,
        space=title,
        takes=takes,
    )


def _numbers(numbers: Sequence[int]) -> str:
    return t(" and ").join(map(str, numbers))


class _Place(NamedTuple):
    """A text that a prompt is made of, in a widget of a node."""

    node: str
    widget: str
    text: str

    def set(self, title: str, text: str) -> Fix:
        """The fix that puts another text here."""
        return Fix(title=title, edits=(SetValue(node=self.node, name=self.widget, value=text),))


class PromptProblems:
    """Finds what is wrong with the embeddings that a workflow's prompts name."""

    def __init__(self, facts: Facts, say: Sentences, fixer: Fixer) -> None:
        self.facts = facts
        self.say = say
        self.fixer = fixer

    @cached_property
    def embeddings(self) -> Mapping[str, str]:
        """Every embedding's file, and how a prompt names it."""
        return self.facts.files.embeddings()

    def all(self) -> Iterator[Problem]:
        told: set[tuple[str, str, str, int]] = set()
        for node in self.facts.active.every:
            kind = self.facts.type_of(node)
            for prompt in kind.prompts if kind and ENCODERS in kind.kinds else ():
                for place in self._texts(node, prompt):
                    for mention in self.facts.files.mentioned(place.text):
                        for problem in self._of(node, prompt, place, mention):
                            # A text that several prompts come from is told of once.
                            key = (problem.code, place.node, place.widget, mention.start)
                            if key not in told:
                                told.add(key)
                                yield problem

    def _texts(self, node: str, prompt: str) -> Iterator[_Place]:
        """The texts that a prompt is made of: its own, or those that wires bring, however far."""
        waiting, seen = [(node, prompt)], {(node, prompt)}
        while waiting:
            at, widget = waiting.pop()
            source = self.facts.active.every.get(at, {}).get(widget)
            if source is None:
                text = self.facts.node(at).values.get(widget)
                if isinstance(text, str):
                    yield _Place(at, widget, text)
                continue
            kind = self.facts.type_of(source.node)
            further = [(source.node, name) for name in (kind.prompts if kind else ())]
            waiting += [place for place in further if place not in seen]
            seen.update(further)

    def against(self, node: str, prompt: str, file: str) -> str:
        """Why the embedding in the file is of no use in the node's prompt; "" where it is."""
        found = self.facts.file(EMBEDDINGS, file)
        name = self._shown(file)
        if found is None:
            return missing(self.say.node(node), name)
        if found.trouble is not None:
            return found.trouble
        return self._unfit(node, prompt, found, name) or ""

    def _of(self, node: str, prompt: str, place: _Place, mention: Mentioned) -> Iterator[Problem]:
        title = self.say.node(node)
        found = None if mention.file is None else self.facts.file(EMBEDDINGS, mention.file)
        if found is None:
            message = missing(title, mention.name)
            yield self._problem("missing_embedding", node, prompt, place, mention, message)
        elif found.trouble is not None:
            message = unusable(title, mention.name, found.trouble)
            yield self._problem(found.code, node, prompt, place, mention, message)
        elif message := self._unfit(node, prompt, found, mention.name) or "":
            problem = self._problem("embedding_mismatch", node, prompt, place, mention, message)
            yield problem.model_copy(update={"because": self._because(node, prompt, found)})

    def _problem(
        self, code: str, node: str, prompt: str, place: _Place, mention: Mentioned, message: str
    ) -> Problem:
        return Problem(
            code=code,
            node=place.node,
            socket=place.widget,
            message=message,
            parameters={
                "embedding": mention.name,
                "file": mention.file,
                "start": mention.start,
                "end": mention.end,
            },
            fixes=tuple(self._fixes(node, prompt, place, mention)),
        )

    def _fixes(self, node: str, prompt: str, place: _Place, mention: Mentioned) -> Iterator[Fix]:
        """Others of a like name that can be used here, or the few that there are; or none."""
        shown = {file: self._shown(file) for file in self.embeddings if file != mention.file}
        close = get_close_matches(mention.name, set(shown.values()), LIKELY, LIKE)
        few = sorted(shown.values()) if len(shown) <= 2 * FEW else []
        ordered = sorted(shown, key=lambda file: (shown[file], file))
        likely = (file for name in close or few for file in ordered if shown[file] == name)
        usable = (file for file in likely if not self.against(node, prompt, file))
        for file in islice(usable, FEW):
            start, end = place.text[: mention.start], place.text[mention.end :]
            yield place.set(
                t("Use '{name}'", name=shown[file]), start + self.embeddings[file] + end
            )
        title = t("Take '{name}' out of the prompt", name=mention.name)
        yield place.set(title, without(place.text, mention.start, mention.end))

    def _shown(self, file: str) -> str:
        """What a prompt calls the embedding in the file."""
        return name_in(self.embeddings.get(file, file))

    def _unfit(self, node: str, prompt: str, found: FileFacts, name: str) -> str | None:
        """Why it suits none of the text spaces that the node may encode in."""
        reasons = [
            unfit(self.facts.files, self.say.node(node), found, name, space, prompt)
            for space in self._spaces(node)
        ]
        return reasons[0] if reasons and all(reasons) else None

    def _spaces(self, node: str) -> Sequence[str]:
        """The text spaces that the node's encoders may be of; none where nothing is known."""
        socket = self._socket(node)
        if socket is None:
            return ()
        variables = self.facts.wanted(node, socket)
        return (self.fixer.solution.candidates(variables[0]) if variables else None) or ()

    def _socket(self, node: str) -> str | None:
        """The input that brings the node its text encoders."""
        kind = self.facts.type_of(node)
        inputs = kind.inputs.items() if kind else ()
        return next((name for name, item in inputs if item.term.kind == ENCODERS), None)

    def _because(self, node: str, prompt: str, found: FileFacts) -> tuple[Because, ...]:
        """Both sides: the embedding's file, and what the text encoders are known by."""
        spaces = found.spaces.get("text", ())
        own = Because(
            node=node,
            socket=prompt,
            space=spaces[0] if len(spaces) == 1 else "",
            evidence=f"{found.name}: {found.evidence}",
            certainty=found.certainty,
            path=(node,),
        )
        socket = self._socket(node)
        variables = self.facts.wanted(node, socket) if socket else []
        other = (
            self.say.because_of(self.fixer.solution, variables[0], socket)
            if socket and variables
            else None
        )
        # Its place is the prompt, too: the wire that brings the encoders is as it should be.
        return (own,) if other is None else (own, other.model_copy(update={"socket": prompt}))
