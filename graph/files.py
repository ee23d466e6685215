"""What the checker must know of the files on disk, asked through a protocol because `graph` reads
none."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import Field

from graph.advice import Advice
from graph.definition import Axis, Data, Json
from graph.problem import Certainty


class Flaw(Data):
    """Why a file, or some `parts` of it, cannot be run though it is known what it is.

    Its types count all the same. `code` is that of the problem that tells of it, `message` a
    sentence that names the file and says what to do. No `parts` stand for all of them.
    """

    code: str
    message: str
    parts: tuple[str, ...] = ()
    parameters: dict[str, Json] = Field(default_factory=dict)


class FileFinding(Data):
    """What one kind of evidence says of whose latents a file speaks: spaces, and why.

    Several spaces are candidates; none means that it looked and cannot tell.
    """

    layer: str
    spaces: tuple[str, ...]
    certainty: Certainty
    reason: str


class FileFacts(Data):
    """What one model file is.

    `spaces` maps an axis to its candidate space ids; an axis that is missing is unknown. One
    candidate is an identified file, several are an ambiguous one. `parts` are what it holds
    ("model", "clip", "vae"), and `lacks` are the halves that its VAE comes without ("encoder",
    "decoder"). `content` identifies the file's content for cache keys. `flaws` are why it cannot be
    run although its types are known. `trouble` is a sentence where the file cannot be used at all,
    `code` and `reason` are for programs: that of the problem that tells of it, and why.

    `rule` names the kind of evidence that decided the latent space, "" where only the header was
    asked; `findings` are all that were asked, and `contradiction` is a sentence where one does not
    go with the answer. `choices` are the latent spaces that a person may say it speaks.

    `advice` is what its model was made for; `size` are a picture's width and height in pixels;
    `vectors` is how many tokens of a prompt an embedding takes.
    """

    name: str
    kind: str
    family: str | None = None
    spaces: dict[Axis, tuple[str, ...]] = Field(default_factory=dict)
    parts: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    content: str = ""
    evidence: str = ""
    certainty: Certainty = "certain"
    flaws: tuple[Flaw, ...] = ()
    trouble: str | None = None
    code: str = "unusable_file"
    reason: str = ""
    rule: str = ""
    findings: tuple[FileFinding, ...] = ()
    contradiction: str = ""
    choices: tuple[str, ...] = ()
    advice: Advice | None = None
    size: tuple[int, int] | None = None
    vectors: int = 0


EMBEDDINGS = "embeddings"
"""The folder of the files that prompts name."""


class Mentioned(NamedTuple):
    """An embedding that a prompt names: its name, the characters that name it, and its file.

    `file`: its name in the folder `EMBEDDINGS`, None where no such file is there.
    """

    name: str
    start: int
    end: int
    file: str | None


class EmbeddingFit(NamedTuple):
    """Whether an embedding suits a prompt: how many numbers a token it has, and what is taken.

    Several numbers are those of several encoders. `takes` is empty where nobody knows, or where the
    encoders take no embeddings at all.
    """

    suits: bool
    has: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()


class Files(Protocol):
    """The files that workflows may name, and how spaces are called."""

    def facts(self, folder: str, name: str) -> FileFacts | None:
        """What the file is, or None where there is no such file."""
        ...

    def names(self, folder: str) -> Sequence[str]:
        """The names in the folder that a widget may hold, sorted."""
        ...

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        """Whether values of one space have the shape that the other's have (channels and scale).

        Only then may a person overrule the checker: a wrong number of channels never runs.
        """
        ...

    def space_title(self, axis: Axis, space: str) -> str:
        """The space's name for people: "SD 1.x" for "sd1"."""
        ...

    def mentioned(self, text: str) -> Sequence[Mentioned]:
        """The embeddings that a prompt names, in their order."""
        ...

    def embeddings(self) -> Mapping[str, str]:
        """Every file in the folder `EMBEDDINGS`, and how a prompt names it."""
        ...

    def embedding_fit(self, file: str, space: str, prompt: str) -> EmbeddingFit:
        """Whether the embedding suits a prompt in the text space, in the widget of that name."""
        ...
