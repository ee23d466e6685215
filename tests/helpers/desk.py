"""A dispatcher with its queue, and everything that it publishes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from server.dispatch import Dispatcher, workers_here
from server.queue import Run, RunQueue
from server.settings import Settings
from server.worker_client import Entry
from tests.helpers import fake_worker

PATIENCE = 120.0  # seconds; a process start takes about one, and ten on a very busy machine


class Desk:
    """See above."""

    def __init__(self, settings: Settings, entry: Entry, **options: Any) -> None:
        self.queue = RunQueue(settings.database)
        self.heard: list[dict[str, Any]] = []
        self.replayed: list[bool] = []
        workers = workers_here(settings, entry, **options)
        self.dispatcher = Dispatcher(settings, self.queue, self._hear, workers)

    def add(self, *types: str) -> str:
        """The id of a new run of one node of each type: n0, n1, ..."""
        nodes = {f"n{k}": {"type": name, "title": ""} for k, name in enumerate(types)}
        return self.add_workflow({"version": 1, "nodes": nodes})

    def add_workflow(self, workflow: dict[str, Any]) -> str:
        run = self.queue.add(workflow).id
        self.dispatcher.wake()
        return run

    async def ended(self, run: str) -> Run:
        await self.until(lambda: self.queue.get(run).finished is not None)
        ended = self.queue.get(run)
        told = {"type": "run", "run": run}
        if any({**told, "status": "running"}.items() <= one.items() for one in self.heard):
            last = {**told, "status": ended.status}  # it is written a moment before it is told
            await self.until(lambda: any(last.items() <= one.items() for one in self.heard))
        return ended

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    async def running(self, run: str, node: str = "n0") -> None:
        event = {"type": "node", "run": run, "node": node, "state": "running"}
        await self.until(lambda: any(event.items() <= message.items() for message in self.heard))

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == name]

    def _hear(self, message: dict[str, Any], replay: bool) -> None:
        self.heard.append(message)
        self.replayed.append(replay)


@asynccontextmanager
async def at_desk(
    settings: Settings, entry: Entry = fake_worker.main, **options: Any
) -> AsyncIterator[Desk]:
    """A desk whose worker is started and, at the end, stopped."""
    desk = Desk(settings, entry, **options)
    await desk.dispatcher.start()
    try:
        yield desk
    finally:
        await desk.dispatcher.stop()
        desk.queue.close()
