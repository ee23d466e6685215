"""Count the tokens of prompts for the editor, with the tokenizers of the Clip that is wired."""

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffusion.checkpoint import CheckpointTrouble
from diffusion.counting import NO_EMBEDDINGS, Counter, counters
from diffusion.families.embeddings import Vectors
from diffusion.header import FileTrouble
from diffusion.vocabularies import BadTokenizer, TokenizerMissing
from graph.definition import NodeDefinition
from graph.plan import Plan
from graph.workflow import Wire, Workflow
from nodes.sockets import Clip
from server.worker_questions import EncoderTokens, Tokens

log = logging.getLogger(__name__)

RECIPES = frozenset({"Clip", "Model", "Vae"})
"""Kinds of values that name files and load nothing: nodes that give only these are quick."""


def clip_wire(workflow: Workflow, node: str, definition: NodeDefinition) -> Wire | None:
    """The wire that brings the node the Clip it encodes with."""
    placed = workflow.nodes[node]
    for socket in definition.inputs:
        if socket.term.kind == "Clip" and socket.name in placed.inputs:
            return placed.inputs[socket.name]
    return None


def is_quick(plan: Plan) -> bool:
    """Whether every step of the plan only names files."""
    return all(
        {output.term.kind for output in step.shape.definition.outputs} <= RECIPES
        and step.shape.definition.outputs
        for step in plan.steps.values()
    )


def counted(
    number: int,
    clip: Clip[Any],
    text: str,
    folders: tuple[Path, ...],
    embeddings: Mapping[str, Sequence[Vectors]] = NO_EMBEDDINGS,
) -> Tokens:
    """How many tokens each encoder makes of the text; a sentence where it cannot be told.

    `embeddings`: what those hold that the text names.
    """
    paths = tuple(Path(path) for path in (clip.path, *clip.others))
    try:
        found = _counters(paths, clip.text_space, folders)
    except (CheckpointTrouble, FileTrouble, BadTokenizer, TokenizerMissing) as error:
        return Tokens(id=number, trouble=str(error))
    made = [one.count(text, embeddings) for one in found]
    return Tokens(
        id=number,
        encoders=tuple(
            EncoderTokens(
                encoder=one.encoder,
                tokens=one.tokens,
                room=one.room,
                chunks=one.chunks,
                pieces=tuple((p.start, p.end, p.weight, p.chunk) for p in one.pieces),
                embeddings=tuple((n.start, n.end, n.name, n.tokens) for n in one.embeddings),
            )
            for one in made
        ),
    )


@functools.lru_cache(maxsize=4)
def _counters(
    paths: tuple[Path, ...], space: str, folders: tuple[Path, ...]
) -> tuple[Counter, ...]:
    return counters(paths, space, folders)
