"""Find the vocabulary that a text encoder was trained with, and turn words into its ids.

A checkpoint may carry its own vocabulary in its metadata; otherwise it is CLIP's, from a folder,
from the Hugging Face cache, or fetched once.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diffusion.importing import from_transformers
from diffusion.vocabularies import BadTokenizer, Vocabulary, found

METADATA_KEY = "latent_loom.tokenizer"
"""Where a file's metadata hold its vocabulary: JSON {"vocab": {token: id}, "merges": [pair]}."""

CLIP = Vocabulary(
    "CLIP", "openai/clip-vit-large-patch14", ("vocab.json", "merges.txt"), folder="clip"
)
FILES = CLIP.files
START, END = "<|startoftext|>", "<|endoftext|>"


class Tokenizer:
    """CLIP's byte-pair encoding over one vocabulary."""

    def __init__(self, folder: Path) -> None:
        """Read vocab.json and merges.txt of `folder`. Raises `BadTokenizer`."""
        kind = from_transformers("CLIPTokenizer")
        try:
            vocabulary = json.loads((folder / FILES[0]).read_text("utf-8"))
            # From the folder: given the two files by name, it would make up a vocabulary of three.
            self._tokenizer: Any = kind.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # the tokenizers library raises nothing more precise
            raise BadTokenizer(f"The vocabulary in {folder} cannot be read: {error}") from error
        if START not in vocabulary or END not in vocabulary:
            raise BadTokenizer(f"The vocabulary in {folder} lacks {START} or {END}.")
        self.start: int = vocabulary[START]
        self.end: int = vocabulary[END]
        self.size: int = max(vocabulary.values()) + 1

    def ids(self, text: str) -> list[int]:
        """The text's token ids, without the start and end tokens."""
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


def tokenizer_for(metadata: Mapping[str, str], folders: Sequence[Path] = ()) -> Tokenizer:
    """The tokenizer of a checkpoint: its own if its metadata hold one, else CLIP's.

    `folders`: where CLIP's two files may lie, the first existing ones are taken. Raises
    `TokenizerMissing` and `BadTokenizer`.
    """
    if METADATA_KEY in metadata:
        return own_tokenizer(metadata[METADATA_KEY])
    return clip_tokenizer(folders)


def own_tokenizer(text: str) -> Tokenizer:
    """The tokenizer that a checkpoint's metadata describe."""
    try:
        stated = json.loads(text)
        vocabulary = {str(token): int(number) for token, number in stated["vocab"].items()}
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in stated["merges"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadTokenizer(
            f"The vocabulary in the file's metadata cannot be read ({error!r}): {METADATA_KEY} "
            'must be JSON of the form {"vocab": {token: id}, "merges": [pair]}.'
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / FILES[0]).write_text(json.dumps(vocabulary), encoding="utf-8")
        (path / FILES[1]).write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
        return Tokenizer(path)


def clip_tokenizer(folders: Sequence[Path] = ()) -> Tokenizer:
    """CLIP's tokenizer from the first of `folders` that has it, the hub's cache, or the hub."""
    return Tokenizer(found(CLIP, folders))
