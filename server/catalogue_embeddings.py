"""Which file of `models/embeddings` a prompt means by a name, and which prompts it suits."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from diffusion.families.embeddings import Vectors, needed, reader_of, suits, takes
from diffusion.mentions import file_names, mentions, short_name, spelled
from diffusion.spaces import TEXT_KEY, TextSpace
from graph.files import EMBEDDINGS, EmbeddingFit, Mentioned
from graph.widgets import is_file_name
from server.catalogue_known import Known
from server.model_folders import FileRefused, ModelFolders, Stamp


def embedding_named(folders: ModelFolders, name: str) -> str | None:
    """The file in the folder of embeddings that a prompt means by the name; None without one.

    Its ending may be left out, and so may subfolders: then the first one that is called so counts.
    Nothing outside of the folders is ever found.
    """
    if not is_file_name(name):
        return None
    for file in file_names(name):
        try:
            folders.find(EMBEDDINGS, file)
        except FileRefused:
            continue
        return file
    listed = tuple(folders.places(EMBEDDINGS))
    ends = (f"/{file}" for file in file_names(name))
    return next((file for end in ends for file in listed if file.endswith(end)), None)


def mentioned_in(folders: ModelFolders, text: str) -> list[Mentioned]:
    """The embeddings that the text names, with their files."""
    return [Mentioned(*one, embedding_named(folders, one.name)) for one in mentions(text)]


def spelled_out(file: str) -> str:
    """How a prompt names the embedding in a file, its ending included, so that no other is meant"""
    return spelled(file)


def worded(space: TextSpace, known: Known) -> TextSpace:
    """A space that a file declares, as wide as the words of the file's one text encoder."""
    return space if space.width or not known.words else replace(space, width=(known.words,))


class EmbeddingFiles(ABC):
    """What a catalogue says of embeddings: the part of `graph.files.Files` that is about them."""

    _folders: ModelFolders

    @abstractmethod
    def text_spaces(self) -> Mapping[str, TextSpace]:
        """The text spaces that are known, by id."""

    @abstractmethod
    def _known_of(self, path: Path, stamp: Stamp) -> Known:
        """What the file's header says."""

    def mentioned(self, text: str) -> Sequence[Mentioned]:
        """The embeddings that a prompt names, in their order."""
        return mentioned_in(self._folders, text)

    def embeddings(self) -> Mapping[str, str]:
        """Every file in the folder of embeddings, and how a prompt names it.

        They are looked for anew: what keys hang on must not be an old listing.
        """
        there = self._folders.places(EMBEDDINGS)
        return {file: spelled(self._short(file, there)) for file in there}

    @staticmethod
    def _short(file: str, there: Collection[str]) -> str:
        """The file's name without its ending, where it alone is meant by that."""
        short = short_name(file)
        meant = next((name for name in file_names(short) if name in there), None)
        return short if meant == file else file

    def embedding_fit(self, file: str, space: str, prompt: str) -> EmbeddingFit:
        """Whether the embedding suits a prompt in the text space, in the widget of that name."""
        known = self.embedding(file)
        found = self.text_spaces().get(space)
        if known is None or found is None:
            return EmbeddingFit(True)
        reader = reader_of(prompt)
        has = tuple(item.width for item in known.vectors)
        if TEXT_KEY in dict(known.declared):  # it says itself whose it is
            return EmbeddingFit(space in known.text, has, takes(found, reader))
        return EmbeddingFit(suits(known.vectors, found, reader), has, takes(found, reader))

    def spaces_for(self, known: Known) -> tuple[str, ...]:
        """The text spaces that files declare, whose words are as wide as the embedding's vectors"""
        if not known.vectors or known.family is not None:
            return ()
        return tuple(
            id_
            for id_, space in self.text_spaces().items()
            if space.width and needed(space) is None and suits(known.vectors, space)
        )

    def embedding(self, file: str) -> Known | None:
        """What the header of the embedding's file says; None where it is none."""
        try:
            path = self._folders.find(EMBEDDINGS, file)
            known = self._known_of(path, Stamp.of(path))
        except (FileRefused, OSError):
            return None
        return known if known.vectors else None

    def held(self, text: str) -> dict[str, tuple[Vectors, ...]]:
        """The vectors of the embeddings that a prompt names and that are there, by name."""
        return {
            one.name: known.vectors
            for one in self.mentioned(text)
            if one.file is not None and (known := self.embedding(one.file)) is not None
        }
