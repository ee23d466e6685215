"""Encode a prompt with all the text encoders of a space, and join what they give."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from diffusion.embeddings import (
    NO_VECTORS,
    Embedding,
    EmbeddingTrouble,
    Find,
    Vectors,
    no_embeddings,
)
from diffusion.guidance import nothing
from diffusion.mentions import mentions
from diffusion.shortage import NO_RELIEF, Relief
from diffusion.text import TextConditioning
from diffusion.text_sd3 import sd3_joined

ADVICE = (
    "this text encoder, even with every other model freed: use a smaller one, shorten the prompt, "
    "or close other programs."
)


class PromptEncoder(Protocol):
    """One text encoder with its tokenizer."""

    @property
    def width(self) -> int | None:
        """How many numbers a word's vector has; None where it takes no embeddings."""
        ...

    def chunks(self, prompt: str, vectors: Vectors = NO_VECTORS) -> int:
        """How many chunks the prompt takes; 1 where an encoder knows no chunks."""
        ...

    def encode(
        self,
        prompt: str,
        check_cancel: Callable[[], None] = nothing,
        chunks: int = 1,
        vectors: Vectors = NO_VECTORS,
    ) -> TextConditioning:
        """The conditioning of a prompt, with empty chunks added up to `chunks`.

        `vectors`: of the embeddings that the prompt names.
        """
        ...


Results = Mapping[str, TextConditioning]
"""What each encoder gave, by its id. An optional encoder may be absent."""


@dataclass(frozen=True)
class TextEncoders:
    """The text encoders of one space, by their ids: prompts in, conditionings out.

    `relief`: what is done where memory runs out. `find`: the embeddings that prompts name.
    """

    readers: Mapping[str, PromptEncoder]
    join: str
    relief: Relief = NO_RELIEF
    find: Find = no_embeddings

    def encode(
        self,
        prompt: str | Mapping[str, str],
        check_cancel: Callable[[], None] = nothing,
        *,
        left_out: Collection[str] = (),
    ) -> TextConditioning:
        """The conditioning of a prompt, or of one prompt for each encoder.

        `check_cancel` is called before every layer, and raises to stop. `left_out`: encoders that
        are taken as absent; only where the space can do without them. Raises `NotEnoughMemory`,
        and what `find` raises for an embedding that is named.
        """
        readers = {name: one for name, one in self.readers.items() if name not in left_out}
        prompts = {
            name: prompt if isinstance(prompt, str) else prompt.get(name, "") for name in readers
        }
        vectors = self._vectors(readers, prompts, alone=not isinstance(prompt, str))
        chunks = max(
            (reader.chunks(prompts[name], vectors[name]) for name, reader in readers.items()),
            default=1,
        )
        results = {
            name: self.relief.tried(
                partial(reader.encode, prompts[name], check_cancel, chunks, vectors[name]),
                "a prompt was being encoded",
                ADVICE,
            )
            for name, reader in readers.items()
        }
        return JOINS[self.join](results)

    def _vectors(
        self, readers: Mapping[str, PromptEncoder], prompts: Mapping[str, str], alone: bool
    ) -> dict[str, Vectors]:
        """The vectors of the embeddings that each encoder's prompt names; `alone`: it has its own.

        One that is named to several encoders need not have vectors for all of them.
        """
        made: dict[str, dict[str, Tensor]] = {name: {} for name in readers}
        seen: dict[str, Embedding] = {}
        taken: set[str] = set()
        for reader, prompt in prompts.items():
            for mention in mentions(prompt):
                found = self.find(mention.name, reader if alone else "")
                seen[mention.name] = found
                rows = found.of(reader, readers[reader].width)
                if rows is not None:
                    made[reader][mention.name] = rows
                    taken.add(mention.name)
        for name in seen.keys() - taken:
            widths = " and ".join(str(rows.shape[-1]) for rows in seen[name].vectors.values())
            raise EmbeddingTrouble(
                f"The embedding {name!r} has {widths} numbers a token, and none of the text "
                "encoders that read this prompt has words of that width: it was made for another "
                "model. Take it out of the prompt."
            )
        return dict(made)


def _alone(results: Results) -> TextConditioning:
    return next(iter(results.values()))


def _side_by_side(results: Results) -> TextConditioning:
    """Each token as both encoders see it, CLIP-L first; the vector is CLIP-G's."""
    first, second = results["clip_l"], results["clip_g"]
    length = min(first.tokens.shape[1], second.tokens.shape[1])
    tokens = [result.tokens[:, :length] for result in (first, second)]
    return TextConditioning(torch.cat(tokens, dim=-1), second.pooled)


def _tokens_and_vector(results: Results) -> TextConditioning:
    """T5's tokens, with CLIP-L's pooled vector where there is one."""
    clip_l = results.get("clip_l")
    return TextConditioning(results["t5xxl"].tokens, None if clip_l is None else clip_l.pooled)


JOINS: dict[str, Callable[[Results], TextConditioning]] = {
    "alone": _alone,
    "side_by_side": _side_by_side,
    "sd3": sd3_joined,
    "flux1": _tokens_and_vector,
}
"""How the results of a space's encoders become one, by `diffusion.families.text.Protocol.join`."""
