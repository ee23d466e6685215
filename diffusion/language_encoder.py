"""Encode prompts with the middle layers of a language model, inside a conversation it knows."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from diffusion.embeddings import NO_VECTORS, Vectors
from diffusion.families.text import Reading
from diffusion.guidance import nothing
from diffusion.language_model import LanguageModel
from diffusion.text import TextConditioning


class Words(Protocol):
    """A language model's vocabulary. `size`: one more than the highest id."""

    pad: int
    size: int

    def ids(self, text: str) -> list[int]:
        """The text's token ids; the names of control tokens in it become these."""
        ...


class Row(NamedTuple):
    """A prompt's tokens with padding. `seen`: False at padding, where no token may look."""

    ids: list[int]
    seen: list[bool]


class LanguageEncoder:
    """A language model with its tokenizer: prompts in, several layers' vectors per token out.

    The prompt is read as it is written: such models were not trained with stressed words, and
    brackets are as common in their prompts as in any text.
    """

    def __init__(
        self, module: LanguageModel, tokenizer: Words, reading: Reading, *, least: int = 1
    ) -> None:
        """`least`: prompts of fewer tokens are padded to so many; none is cut."""
        if tokenizer.size > module.config.words:
            raise ValueError(
                f"The tokenizer knows {tokenizer.size} tokens and the text model only "
                f"{module.config.words}: they do not belong together."
            )
        self.module = module
        self.reading = reading
        self.least = least
        self._tokenizer = tokenizer

    width = None
    """It takes no embeddings."""

    def tokenize(self, prompt: str) -> Row:
        """The conversation's tokens, padded to `least` of them."""
        ids = self._conversation(prompt)
        seen = [True] * len(ids)
        missing = self.least - len(ids)
        padding = [self._tokenizer.pad] * missing
        unseen = [False] * missing
        if self.reading.padded_in_front:
            return Row(padding + ids, unseen + seen)
        return Row(ids + padding, seen + unseen)

    def chunks(self, prompt: str, vectors: Vectors = NO_VECTORS) -> int:
        """Always 1: a language model takes a prompt of any length at once."""
        return 1

    def encode(
        self,
        prompt: str,
        check_cancel: Callable[[], None] = nothing,
        chunks: int = 1,
        vectors: Vectors = NO_VECTORS,
    ) -> TextConditioning:
        """The conditioning of a prompt, without a pooled vector.

        `chunks` and `vectors` are not looked at. `check_cancel` is called before every layer, and
        raises to stop.
        """
        row = self.tokenize(prompt)
        alike = row.seen.index(True) if self.reading.padded_in_front else 0
        # Padding in front sees nothing at all, so all of it is alike, wherever it stands: one token
        # is computed for it.
        cut = max(0, alike - 1)
        device = next(self.module.parameters()).device
        ids, seen = (torch.tensor([part[cut:]], device=device) for part in row)
        with torch.no_grad():
            made: Tensor = self.module(ids, seen, self.reading.layers, check_cancel).float().cpu()
        first = made[:, :1].expand(-1, cut, -1)
        return TextConditioning(torch.cat([first, made], dim=1), None)

    def _conversation(self, prompt: str) -> list[int]:
        return self._tokenizer.ids(self.reading.before + prompt + self.reading.after)
