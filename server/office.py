"""What a station needs of the one who hands out the runs."""

from collections.abc import Callable
from typing import Any, Protocol

from server.queue import Run
from server.worker_messages import Library

Publish = Callable[[dict[str, Any], bool], None]
"""`EventHub.publish`: the message, and whether it is numbered and kept for replay."""


class Office(Protocol):
    """See above; `server.dispatch.Dispatcher` is one."""

    def learn(self, library: Library) -> None:
        """The worker said which nodes there are."""
        ...

    def title(self, run: Run, node: str) -> str:
        """What people call the node."""
        ...

    def seconds_for(self, run: Run, node: str) -> float | None:
        """How long the node may run, where its own pack says so."""
        ...
