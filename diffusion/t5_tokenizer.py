"""Find T5's vocabulary, and turn words into its ids.

A checkpoint may carry the vocabulary in its metadata; otherwise it is T5's own, from a folder, from
the Hugging Face cache, or fetched once. Every T5 v1.1 shares one vocabulary.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from diffusion.tokenizer import BadTokenizer

METADATA_KEY = "latent_loom.t5_tokenizer"
"""Where a file's metadata hold its vocabulary: the text of a tokenizer.json."""

REPOSITORY = "google-t5/t5-small"
FILE = "tokenizer.json"
PAD, END = "<pad>", "</s>"


class T5TokenizerMissing(FileNotFoundError):
    """T5's vocabulary is nowhere on this machine and cannot be fetched."""

    def __init__(self, folders: Sequence[Path], reason: str) -> None:
        folder = folders[0] if folders else Path("models/tokenizers/t5")
        super().__init__(
            f"T5's vocabulary is needed to read prompts, and it could not be fetched ({reason}). "
            f"Put {FILE} of {REPOSITORY} (huggingface.co) into {folder}."
        )


class T5Tokenizer:
    """T5's pieces of words (Kudo 2018, unigram model). `size`: one more than the highest id."""

    def __init__(self, text: str, source: str) -> None:
        """Read the text of a tokenizer.json, which came from `source`. Raises `BadTokenizer`."""
        from tokenizers import Tokenizer  # only when a prompt is read

        try:
            self._tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # the tokenizers library raises nothing more precise
            raise BadTokenizer(f"T5's vocabulary {source} cannot be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        words = self._tokenizer.get_vocab(with_added_tokens=True)
        missing = [token for token in (PAD, END) if token not in words]
        if missing:
            raise BadTokenizer(f"T5's vocabulary {source} lacks {' and '.join(missing)}.")
        self.pad, self.end = words[PAD], words[END]
        self.size = max(words.values()) + 1

    def ids(self, text: str) -> list[int]:
        """The text's token ids, without the end token."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)


def t5_tokenizer_for(metadata: Mapping[str, str], folders: Sequence[Path] = ()) -> T5Tokenizer:
    """The tokenizer of a file: its own if its metadata hold one, else T5's.

    `folders`: where tokenizer.json may lie, the first existing one is taken. Raises
    `T5TokenizerMissing` and `BadTokenizer`.
    """
    if METADATA_KEY in metadata:
        return T5Tokenizer(metadata[METADATA_KEY], "in the file's metadata")
    there = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    path = there or _cached() or _fetched(folders)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTokenizer(f"T5's vocabulary {path} cannot be read: {error}") from error
    return T5Tokenizer(text, f"in {path}")


def _cached() -> Path | None:
    """The file in the Hugging Face cache."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(REPOSITORY, FILE)
    return Path(path) if isinstance(path, str) else None


def _fetched(folders: Sequence[Path]) -> Path:
    """The file, after it was fetched into the Hugging Face cache."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(REPOSITORY, FILE))
    except Exception as error:  # the network: each HTTP library has its own errors
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise T5TokenizerMissing(folders, reason) from error
