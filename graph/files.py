"""What the checker must know of the files on disk, asked through a protocol because `graph` reads
none."""

from collections.abc import Sequence
from typing import Protocol

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

    `advice` is what its model was made for; `size` are a picture's width and height in pixels.
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
