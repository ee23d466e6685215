"""Encode a prompt with all the text encoders of a space, and join what they give."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch

from diffusion.guidance import nothing
from diffusion.shortage import NO_RELIEF, Relief
from diffusion.text import TextConditioning
from diffusion.text_sd3 import sd3_joined

ADVICE = (
    "this text encoder, even with every other model freed: use a smaller one, shorten the prompt, "
    "or close other programs."
)


class PromptEncoder(Protocol):
    """One text encoder with its tokenizer."""

    def chunks(self, prompt: str) -> int:
        """How many chunks the prompt takes; 1 where an encoder knows no chunks."""
        ...

    def encode(
        self, prompt: str, check_cancel: Callable[[], None] = nothing, chunks: int = 1
    ) -> TextConditioning:
        """The conditioning of a prompt, with empty chunks added up to `chunks`."""
        ...


Results = Mapping[str, TextConditioning]
"""What each encoder gave, by its id. An optional encoder may be absent."""


@dataclass(frozen=True)
class TextEncoders:
    """The text encoders of one space, by their ids: prompts in, conditionings out.

    `relief`: what is done where memory runs out.
    """

    readers: Mapping[str, PromptEncoder]
    join: str
    relief: Relief = NO_RELIEF

    def encode(
        self,
        prompt: str | Mapping[str, str],
        check_cancel: Callable[[], None] = nothing,
        *,
        left_out: Collection[str] = (),
    ) -> TextConditioning:
        """The conditioning of a prompt, or of one prompt for each encoder.

        `check_cancel` is called before every layer, and raises to stop. `left_out`: encoders that
        are taken as absent; only where the space can do without them. Raises `NotEnoughMemory`.
        """
        readers = {name: one for name, one in self.readers.items() if name not in left_out}
        prompts = {
            name: prompt if isinstance(prompt, str) else prompt.get(name, "") for name in readers
        }
        chunks = max((reader.chunks(prompts[name]) for name, reader in readers.items()), default=1)
        results = {
            name: self.relief.tried(
                partial(reader.encode, prompts[name], check_cancel, chunks),
                "a prompt was being encoded",
                ADVICE,
            )
            for name, reader in readers.items()
        }
        return JOINS[self.join](results)


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
