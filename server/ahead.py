"""How many runs a worker is handed ahead of time, so that short ones follow each other at once."""

import asyncio
import time

from server.client import Client
from server.runs_at_work import RunsAtWork
from server.worker_messages import Withdraw

WORTH = 0.1
"""Seconds of work that lie ready at a worker; more would only hold runs back from others."""

MOST = 64

NEWEST = 0.2
"""How much the newest run counts beside all those before."""

STUCK = 0.5
"""Seconds that a run may take until those behind it are given back."""


class Ahead:
    """Learns from each run's end how long runs take just now."""

    def __init__(self) -> None:
        self._seconds = WORTH
        self._since = time.monotonic()

    @property
    def most(self) -> int:
        """So many runs may be at the worker, the one that it is at included."""
        return max(1, min(MOST, int(WORTH / max(self._seconds, 1e-6))))

    def begin(self) -> None:
        """A run was handed to the idle worker."""
        self._since = time.monotonic()

    def ended(self) -> None:
        """A run ended; if there is another one, it begins now."""
        now = time.monotonic()
        self._seconds += NEWEST * (now - self._since - self._seconds)
        self._since = now

    @property
    def is_stuck(self) -> bool:
        """Whether the run takes so long that those behind it are better given back."""
        return time.monotonic() - self._since > STUCK

    def forget(self) -> None:
        """Runs take long just now: begin anew with one at a time."""
        self._seconds = WORTH


async def give_back_the_stuck(client: Client, at_work: RunsAtWork, ahead: Ahead) -> None:
    """Where a run takes long after all, have the worker give back those that were handed out behind
    it; runs until it is cancelled."""
    while True:
        await asyncio.sleep(STUCK / 2)
        behind = at_work.behind
        if behind and ahead.is_stuck:
            ahead.forget()
            await client.send(Withdraw(runs=tuple(one.run.id for one in behind)))
