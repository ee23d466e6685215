"""The embeddings that a prompt may name, each with why it would be of no use there."""

from collections.abc import Mapping

from graph.definition import Data, NodeDefinition
from graph.facts import Facts
from graph.files import EMBEDDINGS, Files
from graph.fixes import Fixer
from graph.prompt_problems import PromptProblems
from graph.recent import Recent
from graph.sentences import Sentences
from graph.subgraphs import Flat
from graph.workflow import Workflow


class Completion(Data):
    """An embedding: its file, and the text that names it in a prompt.

    `spaces` are the text spaces that it was made for, `vectors` how many tokens it takes. `against`
    is a sentence where the prompt cannot be read with it, else "".
    """

    file: str
    text: str
    family: str | None = None
    spaces: tuple[str, ...] = ()
    vectors: int = 0
    against: str = ""


def completions(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    files: Files,
    node: str,
    prompt: str,
    recent: Recent | None = None,
) -> tuple[Completion, ...]:
    """Every embedding for the prompt in this widget of the node; those that suit it come first.

    None for a widget that no text encoder reads. "up/k" is the node "k" inside the node "up".
    """
    flat = Flat(workflow, definitions)
    facts = Facts(flat.workflow, flat.definitions, files, flat.name)
    placed = flat.workflow.nodes.get(node)
    kind = facts.type(placed.type) if placed else None
    if kind is None or prompt not in kind.prompts:
        return ()
    solved = (recent or Recent()).solved(facts)
    say = Sentences(solved.facts)
    problems = PromptProblems(solved.facts, say, Fixer(solved.facts, say, solved.solution))
    found = []
    for name, text in problems.embeddings.items():
        known = solved.facts.file(EMBEDDINGS, name)
        if known is not None:
            found.append(
                Completion(
                    file=name,
                    text=text,
                    family=known.family,
                    spaces=known.spaces.get("text", ()),
                    vectors=known.vectors,
                    against=problems.against(node, prompt, name),
                )
            )
    return tuple(sorted(found, key=lambda item: bool(item.against)))
