"""Find a published vocabulary in a folder or the Hugging Face cache, or fetch it, and read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Vocabulary:
    """A vocabulary and where it is published.

    `owner`: whose words they are. `repository`, of huggingface.co, holds `files`, and `folder` is
    its folder's name under models/tokenizers.
    """

    owner: str
    repository: str
    files: tuple[str, ...]
    folder: str


class BadTokenizer(ValueError):
    """A vocabulary that cannot be used."""


class TokenizerMissing(FileNotFoundError):
    """A vocabulary is nowhere on this machine and cannot be fetched."""

    def __init__(self, vocabulary: Vocabulary, folders: Sequence[Path], reason: str) -> None:
        folder = folders[0] if folders else Path("models/tokenizers") / vocabulary.folder
        super().__init__(
            f"{vocabulary.owner}'s vocabulary is needed to read prompts, and it could not be "
            f"fetched ({reason}). Put {' and '.join(vocabulary.files)} of {vocabulary.repository} "
            f"(huggingface.co) into {folder}."
        )


def found(vocabulary: Vocabulary, folders: Sequence[Path]) -> Path:
    """A folder with all its files: the first of `folders`, the hub's cache, or fetched into that.

    Raises `TokenizerMissing`.
    """
    whole = (folder for folder in folders if _all_in(vocabulary, folder))
    return next(whole, None) or _cached(vocabulary) or _fetched(vocabulary, folders)


def text_of(vocabulary: Vocabulary, folders: Sequence[Path]) -> tuple[str, str]:
    """The text of a vocabulary of one file, and where it was found, for messages.

    Raises `TokenizerMissing` and `BadTokenizer`.
    """
    path = found(vocabulary, folders) / vocabulary.files[0]
    try:
        return path.read_text("utf-8"), f"in {path}"
    except (OSError, UnicodeDecodeError) as error:
        raise BadTokenizer(
            f"{vocabulary.owner}'s vocabulary {path} cannot be read: {error}"
        ) from error


class Parsed(NamedTuple):
    """A tokenizer of the tokenizers library, which neither cuts nor pads, and its tokens' ids."""

    tokenizer: Any
    words: dict[str, int]


def parsed(text: str, owner: str, source: str, needed: Sequence[str]) -> Parsed:
    """The text of a tokenizer.json, which came from `source`. Raises `BadTokenizer`.

    `needed`: tokens that it must have.
    """
    from tokenizers import Tokenizer  # only when a prompt is read

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the tokenizers library raises nothing more precise
        raise BadTokenizer(f"{owner}'s vocabulary {source} cannot be read: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    words = tokenizer.get_vocab(with_added_tokens=True)
    missing = [token for token in needed if token not in words]
    if missing:
        raise BadTokenizer(f"{owner}'s vocabulary {source} lacks {' and '.join(missing)}.")
    return Parsed(tokenizer, words)


def _all_in(vocabulary: Vocabulary, folder: Path) -> bool:
    return all((folder / name).is_file() for name in vocabulary.files)


def _cached(vocabulary: Vocabulary) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(vocabulary.repository, name) for name in vocabulary.files]
    there = [Path(path) for path in paths if isinstance(path, str)]
    return there[0].parent if len(there) == len(paths) else None


def _fetched(vocabulary: Vocabulary, folders: Sequence[Path]) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        paths = [Path(hf_hub_download(vocabulary.repository, name)) for name in vocabulary.files]
    except Exception as error:  # the network: each HTTP library has its own errors
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise TokenizerMissing(vocabulary, folders, reason) from error
    return paths[0].parent
