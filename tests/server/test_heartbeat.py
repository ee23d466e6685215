"""A worker that has fallen silent is replaced, unless a node may be the reason."""

import asyncio
from typing import Any

from server.heartbeat import LOOKS, replace_silent
from server.settings import Settings
from tests.helpers import fake_worker
from tests.helpers.desk import PATIENCE, at_desk

PAUSE = 0.001  # seconds between two looks, in place of five


class Client:
    """What is looked at of a worker's client; `looks` tells how often it was."""

    def __init__(self, speaks_every: int = 10**9, ready: bool = True) -> None:
        self.looks = 0
        self.killed: list[str] = []
        self.ready = asyncio.Event()
        if ready:
            self.ready.set()
        self._speaks_every = speaks_every

    @property
    def heard(self) -> float:
        self.looks += 1
        return self.looks // self._speaks_every

    def kill(self, reason: str) -> None:
        self.killed.append(reason)


async def watched(client: Client, computing: bool = False, looks: int = 5 * LOOKS) -> list[str]:
    """Why the client's worker was given up, each time within so many looks."""
    given: Any = client
    watching = asyncio.create_task(replace_silent(given, lambda: computing, PAUSE))
    async with asyncio.timeout(PATIENCE):
        while client.looks < looks:
            await asyncio.sleep(PAUSE)
    watching.cancel()
    return client.killed


async def test_a_worker_that_says_nothing_is_given_up() -> None:
    assert not await watched(Client(), looks=LOOKS - 2)
    assert "no sign of life" in (await watched(Client()))[0]


async def test_a_worker_is_left_alone_while_a_node_runs_and_while_it_starts() -> None:
    assert not await watched(Client(), computing=True)
    assert not await watched(Client(ready=False))


async def test_a_worker_that_speaks_now_and_then_is_left_alone() -> None:
    assert not await watched(Client(speaks_every=LOOKS - 1))


async def test_a_replaced_worker_says_why_and_its_successor_works(settings: Settings) -> None:
    async with at_desk(settings, fake_worker.main) as desk:
        await desk.until(lambda: desk.dispatcher.worker_status()["state"] == "ready")
        desk.dispatcher.stations[0]._client.kill("it gave no sign of life")
        await desk.until(lambda: len(desk.of_type("worker")) > 1)
        assert "died: it gave no sign of life." in desk.of_type("worker")[-1]["message"]
        assert (await desk.ended(desk.add("quick"))).status == "finished"
