"""What server and worker say to each other: JSON as bytes over a pipe, never pickle.

`server/worker_questions.py` has what is asked and answered, `server/worker_wire.py` writes and
reads all of it.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from graph.definition import Data, NodeDefinition
from graph.events import Event
from server.worker_questions import Answer, AskTrial, Question, Tried

# --- from the server to the worker


class Start(Data):
    """Run the workflow (the saved form); `wanted` are node ids, None for every output.

    `saved` is what pictures say that they were made by, where files have other names there.
    """

    type: Literal["start"] = "start"
    run: str
    workflow: dict[str, Any]
    wanted: tuple[str, ...] | None = None
    saved: dict[str, Any] | None = None


class StartTogether(Data):
    """Run several workflows at the same time, their models' calls joined where they fit."""

    type: Literal["start_together"] = "start_together"
    starts: tuple[Start, ...]


class Cancel(Data):
    """Stop the run at the next place where it looks."""

    type: Literal["cancel"] = "cancel"
    run: str


class Withdraw(Data):
    """Give back those of the runs that are not begun."""

    type: Literal["withdraw"] = "withdraw"
    runs: tuple[str, ...]


class Stop(Data):
    """End the process."""

    type: Literal["stop"] = "stop"


ToWorker = Annotated[
    Start | StartTogether | Cancel | Withdraw | Question | AskTrial | Stop,
    Field(discriminator="type"),
]

# --- from the worker to the server


class Pack(Data):
    """A folder of custom nodes; `error` says why it could not be loaded."""

    name: str
    error: str | None = None


class Library(Data):
    """Every node type there is. `version` is a hash of the source it was read from."""

    type: Literal["library"] = "library"
    version: str
    nodes: dict[str, NodeDefinition]
    packs: tuple[Pack, ...] = ()


class Ready(Data):
    """The worker takes runs; `device` is what it computes on, in words.

    `together`: so many runs at once are worth their while.
    """

    type: Literal["ready"] = "ready"
    device: str = ""
    together: int = 1


class Unable(Data):
    """The worker cannot start, or not go on; the process ends after this."""

    type: Literal["unable"] = "unable"
    error: str


class Alive(Data):
    """Sent every few seconds, so that silence means something."""

    type: Literal["alive"] = "alive"


class Happened(Data):
    """Something happened in a run."""

    type: Literal["happened"] = "happened"
    run: str
    event: Event


class Withdrawn(Data):
    """The answer to `Withdraw`: these runs were not begun, and will not be."""

    type: Literal["withdrawn"] = "withdrawn"
    runs: tuple[str, ...]


class Ended(Data):
    """The run is over; `error` is a sentence for people where it failed."""

    type: Literal["ended"] = "ended"
    run: str
    status: Literal["finished", "failed", "cancelled"]
    error: str | None = None


FromWorker = Annotated[
    Library | Ready | Unable | Alive | Happened | Ended | Withdrawn | Answer | Tried,
    Field(discriminator="type"),
]
