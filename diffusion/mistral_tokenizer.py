"""Find Mistral's vocabulary "tekken", and turn words into its ids.

A text encoder's file may carry it as a tensor of bytes; otherwise it comes from a folder, from the
Hugging Face cache, or is fetched once.
"""

import base64
import json
import re
from collections.abc import Sequence
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from diffusion.header import Header
from diffusion.vocabularies import BadTokenizer, Vocabulary, text_of

TENSOR = "tekken_model"
"""The tensor whose bytes are the text of a tekken.json."""

TEKKEN = Vocabulary(
    "Mistral", "mistralai/Mistral-Small-3.1-24B-Instruct-2503", ("tekken.json",), folder="mistral"
)
PAD = "<pad>"
NEEDED = ("<s>", PAD, "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]")
SINGLE = 256
"""Values of a byte, each of which is a token."""


class MistralTokenizer:
    """Byte-pair encoding by rank (Sennrich et al. 2016): what is joined first has the lower id.

    Control tokens have the first ids. `size`: one more than the highest id.
    """

    def __init__(self, text: str, source: str) -> None:
        """Read the text of a tekken.json, which came from `source`. Raises `BadTokenizer`."""
        from tokenizers import Regex
        from tokenizers.pre_tokenizers import Split

        try:
            stated = json.loads(text)
            config = stated["config"]
            control = {str(one["token_str"]): int(one["rank"]) for one in stated["special_tokens"]}
            first = int(config.get("default_num_special_tokens", len(control)))
            kept = int(config["default_vocab_size"]) - first
            ranks = {_bytes(one): int(one["rank"]) for one in stated["vocab"][:kept]}
            pattern = str(config["pattern"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadTokenizer(
                f"Mistral's vocabulary {source} is no tekken.json: {error!r}"
            ) from error
        missing = [token for token in NEEDED if token not in control]
        if missing or any(bytes([value]) not in ranks for value in range(SINGLE)):
            raise BadTokenizer(
                f"Mistral's vocabulary {source} lacks {' and '.join(missing) or 'single bytes'}."
            )
        try:
            self._words = Split(Regex(pattern), "isolated")
        except Exception as error:  # the tokenizers library raises nothing more precise
            raise BadTokenizer(
                f"Mistral's vocabulary {source} has a faulty pattern: {error}"
            ) from error
        self._control, self._ranks, self._first = control, ranks, first
        longest = sorted(control, key=len, reverse=True)
        self._names = re.compile(f"({'|'.join(map(re.escape, longest))})")
        self.pad = control[PAD]
        self.size = first + len(ranks)

    def ids(self, text: str) -> list[int]:
        """The text's token ids; the names of control tokens in it become these."""
        found: list[int] = []
        for part in self._names.split(text):
            if part in self._control:
                found.append(self._control[part])
            else:
                for word, _ in self._words.pre_tokenize_str(part):
                    found += [self._first + rank for rank in self._joined(word.encode())]
        return found

    def _joined(self, word: bytes) -> list[int]:
        """The ranks of a word's tokens: neighbours are joined, those of the lowest rank first."""
        if word in self._ranks:
            return [self._ranks[word]]
        ends = {at: at + 1 for at in range(len(word))}  # of each part, by where it begins
        before = {at + 1: at for at in range(len(word))}  # where the part begins that ends here
        pairs: list[tuple[int, int, int, int]] = []

        def offer(start: int | None, middle: int, end: int | None) -> None:
            if start is not None and end is not None and word[start:end] in self._ranks:
                heappush(pairs, (self._ranks[word[start:end]], start, middle, end))

        for at in range(1, len(word)):
            offer(at - 1, at, at + 1)
        while pairs:
            _, start, middle, end = heappop(pairs)
            if ends.get(start) == middle and ends.get(middle) == end:  # both are still parts
                del ends[middle]
                ends[start], before[end] = end, start
                offer(before.get(start), start, end)
                offer(start, end, ends.get(end))
        return [self._ranks[word[start:end]] for start, end in ends.items()]


def mistral_tokenizer_for(header: Header, folders: Sequence[Path] = ()) -> MistralTokenizer:
    """The tokenizer of a file: its own if a tensor holds one, else Mistral's.

    `folders`: where tekken.json may lie, the first existing one is taken. Raises
    `TokenizerMissing` and `BadTokenizer`.
    """
    inside = (name for name in header.tensors if name.rpartition(".")[2] == TENSOR)
    name = next(inside, None)
    if name is None:
        return MistralTokenizer(*text_of(TEKKEN, folders))
    info = header.tensors[name]
    with header.file_of(name).open("rb") as file:
        file.seek(info.offset)
        raw = file.read(info.bytes)
    return MistralTokenizer(raw.decode("utf-8", "replace"), f"in {header.path.name}")


def _bytes(entry: dict[str, Any]) -> bytes:
    return base64.b64decode(entry["token_bytes"])
