"""Find Qwen 3's vocabulary, and turn words into its ids. All sizes of Qwen 3 share it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from diffusion.vocabularies import Vocabulary, parsed, text_of

METADATA_KEY = "latent_loom.qwen_tokenizer"
"""Where a file's metadata hold its vocabulary: the text of a tokenizer.json."""

QWEN = Vocabulary("Qwen 3", "Qwen/Qwen3-4B", ("tokenizer.json",), folder="qwen3")
PAD, SPEAK, DONE = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


class QwenTokenizer:
    """Qwen's byte-pair encoding. `size`: one more than the highest id."""

    def __init__(self, text: str, source: str) -> None:
        """Read the text of a tokenizer.json, which came from `source`. Raises `BadTokenizer`."""
        self._tokenizer, words = parsed(text, "Qwen 3", source, (PAD, SPEAK, DONE))
        self.pad = words[PAD]
        self.size = max(words.values()) + 1

    def ids(self, text: str) -> list[int]:
        """The text's token ids; the names of control tokens in it become these."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def qwen_tokenizer_for(metadata: Mapping[str, str], folders: Sequence[Path] = ()) -> QwenTokenizer:
    """The tokenizer of a file: its own if its metadata hold one, else Qwen's.

    `folders`: where tokenizer.json may lie, the first existing one is taken. Raises
    `TokenizerMissing` and `BadTokenizer`.
    """
    if METADATA_KEY in metadata:
        return QwenTokenizer(metadata[METADATA_KEY], "in the file's metadata")
    return QwenTokenizer(*text_of(QWEN, folders))
