"""Have the worker try VAEs, one at a time and while it has nothing else to do."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

from server.client import Client
from server.worker_questions import AskTrial, Tried

PATIENCE = 300.0
"""Seconds that a trial may take: a VAE of 335 MB takes a few on two cores, and disks are slow."""

PAUSE = 1.0
"""Seconds between two looks whether a run has ended."""


class TrialDesk:
    """Asks the worker, and hears its answers. `is_busy` says whether a run is on."""

    def __init__(self, client: Client, is_busy: Callable[[], bool]) -> None:
        self._client = client
        self._is_busy = is_busy
        self._one = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Tried | None]] = {}

    async def ask(self, path: str) -> Tried | None:
        """What the trial of the file gave; None where the worker died over it or took too long.

        Waits until there is a worker without a run, for as long as that takes.
        """
        async with self._one:
            await self._client.ready.wait()
            while self._is_busy():
                await asyncio.sleep(PAUSE)
                await self._client.ready.wait()
            number = next(self._numbers)
            answer: asyncio.Future[Tried | None] = asyncio.get_running_loop().create_future()
            self._waiting[number] = answer
            try:
                await self._client.send(AskTrial(id=number, path=path))
                async with asyncio.timeout(PATIENCE):
                    return await answer
            except TimeoutError:
                return None
            finally:
                del self._waiting[number]

    @property
    def is_free(self) -> bool:
        """Whether its worker is there and has nothing else to do."""
        return self._client.ready.is_set() and not self._is_busy() and not self._one.locked()

    def received(self, message: Tried) -> None:
        """The worker answered."""
        waiting = self._waiting.get(message.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def died(self) -> None:
        """The worker died; nobody answers any more."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)


class TrialDesks:
    """The desks of all workers as one: whichever is free first has the trial, and where its machine
    has no such file, the next one."""

    def __init__(self, desks: Callable[[], Sequence[TrialDesk]]) -> None:
        self._desks = desks

    async def ask(self, path: str) -> Tried | None:
        """As `TrialDesk.ask`; where no machine has the file, what the last one said."""
        asked: list[TrialDesk] = []
        answer: Tried | None = None
        while left := [desk for desk in self._desks() if desk not in asked]:
            if (free := next((desk for desk in left if desk.is_free), None)) is None:
                await asyncio.sleep(PAUSE)
                continue
            asked.append(free)
            answer = await free.ask(path)
            if answer is None or not answer.is_absent:
                break
        return answer
