"""What the checker must know of the files on disk, asked through a protocol because `graph` reads
none."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from graph.definition import Axis, Data
from graph.problem import Certainty


class FileFacts(Data):
    """What one model file is.

    `spaces` maps an axis to its candidate space ids; an axis that is missing is unknown. One
    candidate is an identified file, several are an ambiguous one. `parts` are what it holds
    ("model", "clip", "vae"). `content` identifies the file's content for cache keys. `trouble` is
    a sentence where the file cannot be used.
    """

    name: str
    kind: str
    family: str | None = None
    spaces: dict[Axis, tuple[str, ...]] = Field(default_factory=dict)
    parts: tuple[str, ...] = ()
    content: str = ""
    evidence: str = ""
    certainty: Certainty = "certain"
    trouble: str | None = None


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
