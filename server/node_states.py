"""The states of the nodes of the run that is running, written to the queue many at once."""

import asyncio
from collections.abc import Callable, Sequence

from graph.events import NodeChanged

FLUSH = 0.1
"""Seconds that a state may wait before it is written."""


class NodeStates:
    """Keeps the newest state of each node; to be used from the event loop's thread.

    `keep` is called with the id of the run and states that are to be written.
    """

    def __init__(self, keep: Callable[[str, Sequence[NodeChanged]], None]) -> None:
        self._keep = keep
        self._run = ""
        self._running: dict[str, None] = {}  # in the order they began
        self._unwritten: dict[str, NodeChanged] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def running(self) -> list[str]:
        """The nodes that have begun and not ended, the last one begun last."""
        return list(self._running)

    def begin(self, run: str) -> None:
        """Forget the run before; states are of this one from now on."""
        self.write()
        self._run = run
        self._running.clear()

    def note(self, event: NodeChanged) -> None:
        """Keep the node's state, and write it soon."""
        self._running.pop(event.node, None)
        if event.state == "running":
            self._running[event.node] = None
        self._unwritten[event.node] = event
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH, self.write)

    def write(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unwritten:
            self._keep(self._run, list(self._unwritten.values()))
        self._unwritten.clear()
