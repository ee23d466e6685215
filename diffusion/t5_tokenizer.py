"""Find T5's vocabulary, and turn words into its ids.

A checkpoint may carry the vocabulary in its metadata; otherwise it is T5's own, from a folder, from
the Hugging Face cache, or fetched once. Every T5 v1.1 shares one vocabulary.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from diffusion.vocabularies import Vocabulary, parsed, text_of

METADATA_KEY = "latent_loom.t5_tokenizer"
"""Where a file's metadata hold its vocabulary: the text of a tokenizer.json."""

T5 = Vocabulary("T5", "google-t5/t5-small", ("tokenizer.json",), folder="t5")
PAD, END = "<pad>", "</s>"


class T5Tokenizer:
    """T5's pieces of words (Kudo 2018, unigram model). `size`: one more than the highest id."""

    def __init__(self, text: str, source: str) -> None:
        """Read the text of a tokenizer.json, which came from `source`. Raises `BadTokenizer`."""
        self._tokenizer, words = parsed(text, "T5", source, (PAD, END))
        self.pad, self.end = words[PAD], words[END]
        self.size = max(words.values()) + 1

    def ids(self, text: str) -> list[int]:
        """The text's token ids, without the end token."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def t5_tokenizer_for(metadata: Mapping[str, str], folders: Sequence[Path] = ()) -> T5Tokenizer:
    """The tokenizer of a file: its own if its metadata hold one, else T5's.

    `folders`: where tokenizer.json may lie, the first existing one is taken. Raises
    `TokenizerMissing` and `BadTokenizer`.
    """
    if METADATA_KEY in metadata:
        return T5Tokenizer(metadata[METADATA_KEY], "in the file's metadata")
    return T5Tokenizer(*text_of(T5, folders))
