"""A run while a worker is at it: how its nodes are, and what becomes of it."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from graph.events import NodeChanged
from server.client import Unfit
from server.ledger import Ledger
from server.node_states import NodeStates
from server.queue import Run, progress
from server.worker_messages import Ended, Start


@dataclass(frozen=True)
class Lost:
    """The worker died in the middle of a run; `error` is a sentence for people."""

    error: str


@dataclass(frozen=True)
class PutBack:
    """The run was stopped in order to be run again later."""


Outcome = Ended | Lost | PutBack | Unfit


class RunAtWork:
    """See above; to be used from the event loop's thread."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self.run = run
        self.is_begun = False
        """Whether the worker said anything of it; it may have been handed out ahead of time."""
        self.is_cancelled = False
        """Whether a person cancelled it."""
        self.took: dict[str, float] = {}
        """Seconds that each of its nodes took."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.returning = False
        """Whether it is to be run again later, once it has stopped."""
        self.verdict = ""
        """Why it is being stopped, where it counts as failed then."""
        self.blamed = ""
        """The node that the verdict speaks of."""
        self.fails_anyway = False
        """Whether the verdict holds for a run that is finished by then, too."""
        self._nodes = NodeStates(
            lambda id_, events: ledger.note(partial(progress.changed, run=id_, nodes=events))
        )
        self._nodes.begin(run.id)
        self._since = time.monotonic()

    @property
    def start(self) -> Start:
        """What a worker is told to begin it with."""
        return Start(run=self.run.id, workflow=self.run.workflow, wanted=self.run.wanted)

    @property
    def nodes(self) -> list[str]:
        """The nodes that have begun and not ended, the last one begun last."""
        return self._nodes.running

    @property
    def node(self) -> str:
        """The node that runs; "" where none does. One that waits for a lazy input runs beneath."""
        return self.nodes[-1] if self.nodes else ""

    @property
    def seconds(self) -> float:
        """How long `node` has been the one that runs."""
        return time.monotonic() - self._since

    def condemn(self, why: str) -> None:
        """It is being stopped because of the node that runs, and fails with this sentence."""
        self.verdict, self.blamed = why, self.node

    def note(self, event: NodeChanged) -> None:
        """A node of it is in another state."""
        before = self.node
        self.is_begun = True
        if event.state == "finished" and event.seconds is not None:
            self.took[event.node] = event.seconds
        self._nodes.note(event)
        if self.node != before:
            self._since = time.monotonic()

    def end(self, outcome: Outcome) -> None:
        """It is over; what comes later is of no account."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)

    def write(self) -> None:
        """Write the states of its nodes to the queue now."""
        self._nodes.write()
