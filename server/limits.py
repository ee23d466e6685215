"""Stop a run whose node takes too long, and end a worker that takes too much memory."""

import asyncio
from typing import Protocol

from server.run_at_work import RunAtWork
from server.runs_at_work import RunsAtWork
from server.settings import Settings

PAUSE = 0.5
"""Seconds between two looks."""


class Watched(Protocol):
    """What is asked of, and done to, the worker that is looked after."""

    at_work: RunsAtWork
    """The runs that it is at."""

    def seconds_for(self, at_work: RunAtWork) -> float | None:
        """The limit that the running node's own pack sets."""
        ...

    def title(self, at_work: RunAtWork) -> str:
        """The running node as people know it."""
        ...

    async def memory_taken(self) -> int | None:
        """Bytes that its process has taken, where that can be known."""
        ...

    def stop_run(self, at_work: RunAtWork, why: str) -> None:
        """Stop the run, which fails with this sentence; gently first."""
        ...

    def end_worker(self, why: str) -> None:
        """End its process; what runs in it fails with this sentence."""
        ...


async def keep_within_limits(
    worker: Watched, settings: Settings, pause: float | None = None
) -> None:
    """Look at the worker every `pause` seconds; runs until it is cancelled."""
    while True:
        await asyncio.sleep(PAUSE if pause is None else pause)
        for at_work in list(worker.at_work):
            _look_at_time(worker, at_work, settings.node_limit)
        if settings.worker_memory is not None:
            await _look_at_memory(worker, settings.worker_memory)


def _look_at_time(worker: Watched, at_work: RunAtWork, common: float | None) -> None:
    if not at_work.node or at_work.verdict:
        return
    own = worker.seconds_for(at_work)
    limit = common if own is None else own
    # Runs that are sampled together take turns, so each has the time of all.
    if limit is None or at_work.seconds <= limit * len(worker.at_work):
        return
    more = "Start with a higher --node-limit" if own is None else "Its node pack sets that limit"
    worker.stop_run(
        at_work,
        f"{worker.title(at_work)} was stopped because it ran for longer than {limit:g} seconds. "
        f"{more}, or give it less to do.",
    )


async def _look_at_memory(worker: Watched, limit: int) -> None:
    taken = await worker.memory_taken()
    if taken is None or taken <= limit:
        return
    during = [worker.title(at_work) for at_work in worker.at_work if at_work.node]
    where = f" while the node {' and '.join(during)} was running" if during else ""
    worker.end_worker(
        f"The worker was ended{where}, because it took {taken / 1e9:.1f} GB of memory and "
        f"--worker-memory allows {limit / 1e9:g} GB. Make the picture or the batch smaller, or "
        "allow more."
    )
