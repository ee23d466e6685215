"""Which file of `models/embeddings` a prompt means by a name, and which prompts it suits."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from diffusion.families.embeddings import Vectors, needed, reader_of, suits, takes
from diffusion.mentions import file_names, mentions, short_name, spelled
from diffusion.spaces import TEXT_KEY, TextSpace
from graph.files import EMBEDDINGS, EmbeddingFit, Mentioned
from graph.widgets import is_file_name
from server.catalogue_known import Known
from server.model_folders import FileRefused, ModelFolders, Stamp

CONVERT = (
    'python -c "import sys, torch; from safetensors.torch import save_file; '
    "d = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "d = d.get('string_to_param', d); "
    "v = next(v for v in d.values() if torch.is_tensor(v)); "
    "save_file({'emb_params': v.detach().clone()}, sys.argv[2])\" OLD NEW.safetensors"
)
"""The command that turns the pickles of A1111 and diffusers into safetensors."""


def embedding_named(folders: ModelFolders, name: str, listed: Iterable[str]) -> str | None:
    """The file in the folder of embeddings that a prompt means by the name; None without one.

    Its ending may be left out, and so may subfolders: then the first of `listed` counts that is
    called so. Nothing outside of the folders is ever found.
    """
    if not is_file_name(name):
        return None
    wanted = file_names(name)
    for file in wanted:
        try:
            folders.find(EMBEDDINGS, file)
        except FileRefused:
            continue
        return file
    return next((file for end in wanted for file in listed if file.endswith(f"/{end}")), None)


def mentioned_in(folders: ModelFolders, text: str) -> list[Mentioned]:
    """The embeddings that the text names, with their files."""
    named = list(mentions(text))
    listed = tuple(folders.places(EMBEDDINGS)) if named else ()
    return [Mentioned(*one, embedding_named(folders, one.name, listed)) for one in named]


def spelled_out(file: str) -> str:
    """How a prompt names the embedding in a file, its ending included, so that no other is meant"""
    return spelled(file)


def worded(space: TextSpace, known: Known) -> TextSpace:
    """A space that a file declares, as wide as the words of the file's one text encoder."""
    return space if space.width or not known.words else replace(space, width=(known.words,))


def pickled(name: str) -> str:
    """The sentence for an embedding in a pickle, which nobody opens."""
    return (
        f"{name} is a pickle file, which can run any program when it is opened, so it is not. Get "
        f"the safetensors version, or convert it: {CONVERT}"
    )


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

    def mention_of(self, file: str) -> str:
        """How a prompt names the embedding in this file."""
        short = short_name(file)
        meant = embedding_named(self._folders, short, ())
        return spelled(short if meant == file else file)

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
