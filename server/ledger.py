"""Write what becomes of runs into the queue: many things in one transaction, until it is written.

A thread of its own does it, so that nobody waits for the disk: whatever comes while it writes goes
into its next transaction. Where the disk is full it tries again until there is room, in order, and
nothing is lost meanwhile.
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from server.queue import RunQueue

log = logging.getLogger(__name__)

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

GATHERING = 0.003
"""Seconds that what comes right after a transaction waits for more to come."""

PAUSE = 1.0
"""Seconds until a transaction that failed is tried again."""

TROUBLE = (
    "The queue cannot be written ({reason}), so no run is begun. It goes on by itself once there "
    "is room on the disk that holds the data folder."
)


class _Wish:
    """A piece of work, and who waits for what comes of it."""

    def __init__(self, work: Work[Any], waiting: "asyncio.Future[Any] | None") -> None:
        self.work = work
        self.waiting = waiting


class Ledger:
    """See above. To be used from the event loop's thread; it begins when it is first used.

    `tell` is called, on the loop, whenever `trouble` changes.
    """

    def __init__(self, queue: RunQueue, tell: Callable[[], None] = lambda: None) -> None:
        self.trouble = ""
        """Why nothing can be written just now, as a sentence for people; "" where all is well."""
        self._queue = queue
        self._tell = tell
        self._wishes: list[_Wish] = []
        self._change = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def note(self, work: Work[Any]) -> None:
        """Have the work done; nobody waits for it."""
        self._add(_Wish(work, None))

    async def do(self, work: Work[T]) -> T:
        """What the work gives, once it is written; raises what it raises."""
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._add(_Wish(work, waiting))
        return await waiting

    async def close(self) -> None:
        """Write what waits, and end; where the disk is full the next start finds runs running."""
        with self._change:
            self._closing = True
            self._change.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _add(self, wish: _Wish) -> None:
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._write, daemon=True, name="ledger")
            self._thread.start()
        with self._change:
            self._wishes.append(wish)
            self._change.notify()

    def _write(self) -> None:
        written = float("-inf")
        while True:
            with self._change:
                while not self._wishes and not self._closing:
                    self._change.wait()
                closing = self._closing
            if not closing and time.monotonic() - written < 10 * GATHERING:
                time.sleep(GATHERING)
            with self._change:
                wishes, self._wishes = self._wishes, []
            if not wishes:
                return
            self._grant(wishes)
            written = time.monotonic()
            if closing and self.trouble:
                return

    def _grant(self, wishes: Sequence[_Wish]) -> None:
        """Do the work, again and again while the disk does not let us."""
        while True:
            try:
                results = self._queue.together([wish.work for wish in wishes])
            except sqlite3.OperationalError as error:
                self._troubled(TROUBLE.format(reason=error))
                with self._change:
                    if self._change.wait_for(lambda: self._closing, PAUSE):
                        return
                continue
            self._troubled("")
            self._on_loop(partial(_answer, wishes, results))
            return

    def _troubled(self, sentence: str) -> None:
        if sentence == self.trouble:
            return
        self.trouble = sentence
        log.log(logging.ERROR if sentence else logging.INFO, "%s", sentence or "It is written.")
        self._on_loop(self._tell)

    def _on_loop(self, work: Callable[[], None]) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)


def _answer(wishes: Sequence[_Wish], results: Sequence[Any]) -> None:
    for wish, result in zip(wishes, results, strict=True):
        waiting = wish.waiting
        if isinstance(result, Exception) and waiting is None:
            log.error("What became of a run could not be written.", exc_info=result)
        if waiting is None or waiting.done():  # nobody waits any more: the program ends
            continue
        if isinstance(result, Exception):
            waiting.set_exception(result)
        else:
            waiting.set_result(result)
