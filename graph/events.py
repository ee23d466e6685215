"""What happens while a plan runs, as plain data."""

from typing import Annotated, Literal

from pydantic import Field

from graph.definition import Data, Json

NodeState = Literal["waiting", "running", "cached", "finished", "failed", "cancelled"]


class NodeChanged(Data):
    """A node's state. `seconds` is how long it ran; `message` says what went wrong, for people.

    `memory`: the bytes that models took on the device when it was done, where that is known.
    """

    type: Literal["node"] = "node"
    node: str
    state: NodeState
    seconds: float | None = None
    message: str | None = None
    memory: int | None = None


class Progressed(Data):
    """A node is at `step` of `steps` (1-based); `label` says what it does meanwhile, if that is
    not obvious."""

    type: Literal["progress"] = "progress"
    node: str
    step: int
    steps: int
    label: str = ""


class Previewed(Data):
    """A newer picture of what a node is making lies in `file` (a name inside the run's preview
    folder)."""

    type: Literal["preview"] = "preview"
    node: str
    file: str
    step: int = 0


class PictureFacts(Data):
    """What a picture is found by: its size in pixels, the prompt and seed that it was made with,
    and the names of its model files and their families, as people call these.

    `seed_at` are the node and widget that hold the seed, where the workflow itself holds it.
    """

    width: int
    height: int
    prompt: str = ""
    seed: str = ""
    seed_at: tuple[str, str] | None = None
    models: tuple[str, ...] = ()
    families: tuple[str, ...] = ()


class Produced(Data):
    """An output node made something: `kind` "image", "text", ...; `file` is a path inside the
    output folder. `picture` is for the gallery."""

    type: Literal["output"] = "output"
    node: str
    kind: str
    file: str = ""
    area: Literal["output", "temp"] = "output"
    data: Json = None
    picture: PictureFacts | None = None


class Noted(Data):
    """A sentence for people of what was done otherwise than asked, while the node ran or at no
    node."""

    type: Literal["note"] = "note"
    node: str = ""
    message: str


Event = Annotated[
    NodeChanged | Progressed | Previewed | Produced | Noted, Field(discriminator="type")
]
