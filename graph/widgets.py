"""Values that a person sets on a node, as annotations that describe their own widget.

seed: Seed = 0
steps: Annotated[int, Field(ge=1, le=1000)] = 20
strength: Annotated[float, Field(ge=0, le=1), Slider(step=0.05)] = 1.0
sampler: Annotated[str, OneOf(SAMPLERS)] = "euler"
prompt: Multiline = ""
file: CheckpointFile[T, S]
picture: ImageFile
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

LARGEST_SEED = 2**64 - 1


@dataclass(frozen=True)
class Control:
    """Which widget the editor shows for a value, where its type alone does not say."""

    name: str


class OneOf:
    """A choice among texts, in the order given: `Annotated[str, OneOf(SAMPLERS)]`."""

    def __init__(self, choices: Iterable[str]) -> None:
        self.choices = tuple(choices)
        if not self.choices or not all(isinstance(choice, str) for choice in self.choices):
            raise ValueError("OneOf needs at least one choice, and every choice is a text.")

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.literal_schema(list(self.choices))


@dataclass(frozen=True)
class Slider:
    """A number set by dragging between its limits, in steps of `step` where that is given.

    The step guides the editor; a typed or wired value need not be a multiple of it.
    """

    step: float | None = None


Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED), Control("seed")]
"""An integer in 0…2**64-1 from which noise is drawn."""

Multiline = Annotated[str, Control("multiline")]
"""A text that may have several lines."""


Colour = Annotated[str, Field(min_length=7, max_length=7), Control("colour")]
"""A colour as "#rrggbb", sRGB."""


class Path(Protocol):
    """Anything that `open` takes as a path; `graph` itself never opens one."""

    def __fspath__(self) -> str: ...


@dataclass(frozen=True)
class File:
    """A file that a person chose from a folder; use `ModelFile` or `ImageFile`.

    The saved value is `name`: relative to the folder, with forward slashes. A running function gets
    the instance, whose `content` identifies what is in the file.
    """

    folder: ClassVar[str] = ""
    control: ClassVar[str] = ""

    name: str
    path: Path
    content: str


@dataclass(frozen=True)
class ModelFile(File):
    """A file with weights. A subclass names its folder, and may be generic in its spaces:

    class CheckpointFile(ModelFile, Generic[T, S]):
        folder = "checkpoints"
    """

    control: ClassVar[str] = "model_file"


@dataclass(frozen=True)
class ImageFile(File):
    """A picture in the input folder."""

    folder: ClassVar[str] = "input"
    control: ClassVar[str] = "image_file"


_UNSAFE = re.compile(r"[\x00-\x1f\\]|^[A-Za-z]:")


def is_file_name(name: str) -> bool:
    """Whether `name` stays inside its folder on every system: relative, with "/", no ".."."""
    return not _UNSAFE.search(name) and all(part not in ("", ".", "..") for part in name.split("/"))
