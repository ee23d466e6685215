"""Keep the past within its limits: old runs are forgotten, and their temporary files deleted."""

import asyncio
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable

from server.queue import RunQueue
from server.settings import Settings

log = logging.getLogger(__name__)

PAUSE = 300.0
"""Seconds between two looks."""

DAY = 24 * 3600.0


class Upkeep:
    """Forgets what the limits of the history say. `tell` is called when runs were forgotten."""

    def __init__(self, settings: Settings, queue: RunQueue, tell: Callable[[], None]) -> None:
        self._settings = settings
        self._queue = queue
        self._tell = tell

    async def run(self) -> None:
        """Look every few minutes; ends when it is cancelled."""
        while True:
            try:
                await self.look()
            except (sqlite3.Error, OSError) as error:  # a full disk: the next look tries again
                log.warning("Old runs could not be forgotten: %s", error)
            await asyncio.sleep(PAUSE)

    async def look(self) -> int:
        """How many runs were forgotten just now."""
        limits = await asyncio.to_thread(lambda: self._queue.history.limits)
        if limits.runs is None and limits.days is None:
            return 0
        since = None if limits.days is None else time.time() - limits.days * DAY
        gone = await asyncio.to_thread(self._queue.history.prune, limits.runs, since)
        await asyncio.to_thread(self.drop_files, gone)
        if gone:
            self._tell()
        return len(gone)

    def drop_files(self, runs: Iterable[str]) -> None:
        """Delete the temporary files of these runs: previews and shown values. Pictures stay."""
        temp = self._settings.temp
        for run in runs:
            for folder in (temp / run, self._settings.previews / run, temp / "values" / run):
                # What is open on Windows stays, and goes with the next sweep.
                shutil.rmtree(folder, ignore_errors=True)
