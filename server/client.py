"""What a station needs of whatever leads to its worker: a pipe, or a machine far away."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from graph.definition import Data
from server.settings import Settings
from server.worker_messages import FromWorker
from server.worker_wire import Garbled

State = Literal["starting", "ready", "busy", "stopped"]


@dataclass(frozen=True)
class Died:
    """The worker ended without being told to; `reason` is a clause: "it was killed by …"."""

    reason: str
    again: bool


@dataclass(frozen=True)
class Unfit:
    """The worker cannot do the run where it is, for want of a model; `error` says of which."""

    run: str
    error: str


Receive = Callable[[FromWorker | Died | Unfit | Garbled], None]
"""Called on the event loop with all that a worker says, and that becomes of it.

`Garbled` is something of either direction that did not get through.
"""


class Client(Protocol):
    """One worker after another, as one thing to talk to."""

    @property
    def ready(self) -> asyncio.Event:
        """Set while the worker takes runs."""
        ...

    @property
    def heard(self) -> float:
        """When the worker last said anything, by `time.monotonic`."""
        ...

    @property
    def log(self) -> str:
        """Where its log is, for people."""
        ...

    def machine_with(self, folder: str, name: str) -> str | None:
        """The worker's machine as people call it, if it is another one and had a model file of this
        name when the worker was started there."""
        ...

    @property
    def is_here(self) -> bool:
        """Whether the worker reads the files of this machine."""
        ...

    async def start(self) -> None:
        """Start a worker; returns at once, `ready` is set when it takes runs."""
        ...

    async def send(self, message: Data) -> None:
        """Tell the worker something; where it has just died, `Died` follows instead of an error."""
        ...

    def kill(self, reason: str) -> None:
        """End the worker at once; `Died` follows with this reason, and a new one is started."""
        ...

    async def memory_taken(self) -> int | None:
        """Bytes that the process has taken for itself, where its system says so."""
        ...

    async def stop(self) -> None:
        """End the worker for good, gently first."""
        ...


MakeClient = Callable[[Settings, Receive], Client]
"""Makes the client of one worker, which is not started yet."""
