"""Look at the models folders beside everything else, and tell the pages when they have changed."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from server.hub import EventHub


class Refreshable(Protocol):
    """What is looked at again; True if it has changed. Blocks, so it runs in a thread."""

    def refresh(self) -> bool: ...


class ModelWatch:
    """One look at a time; a wish that comes during a look is granted after it."""

    def __init__(
        self, files: Refreshable, hub: EventHub, then: Callable[[], None] = lambda: None
    ) -> None:
        """`then` is called after every look."""
        self._then = then
        self._files = files
        self._hub = hub
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def look(self) -> None:
        """Look at the folders soon; returns at once. A change is published as `models`."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Wait for the look that is going on."""
        self._again = False
        if self._task is not None:
            await self._task

    async def _look(self) -> None:
        while self._again:
            self._again = False
            if await asyncio.to_thread(self._files.refresh):
                self._hub.publish({"type": "models"})
            self._then()
