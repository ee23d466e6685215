"""The node definitions as a worker said them last, and what follows from them for people."""

import asyncio
from collections.abc import Callable

from graph.subgraph_values import titled
from server.office import Publish
from server.queue import Run
from server.settings import Settings
from server.worker_library import keep_library, kept_library
from server.worker_messages import Library


class NodeDefinitionsUnknown(Exception):
    """No worker has sent its node definitions yet."""


class NodeLibrary:
    """See above (it is the stations' `server.office.Office`); to be used from the event loop's
    thread. What is known is kept for the next start."""

    def __init__(self, settings: Settings, publish: Publish) -> None:
        self.now: Library | None = None
        """The definitions, once they are known."""
        self._settings = settings
        self._publish = publish
        self._known = asyncio.Event()
        self._keeping: set[asyncio.Task[None]] = set()

    async def remember(self) -> None:
        """Take what was kept at an earlier start, if it is of the same source."""
        library = await asyncio.to_thread(kept_library, self._settings)
        if library is not None and self.now is None:
            self._take(library)

    async def known(self, patience: float, why: Callable[[], str]) -> Library:
        """The definitions, waited for; raises `NodeDefinitionsUnknown` after `patience` seconds,
        and says `why`."""
        try:
            async with asyncio.timeout(patience):
                await self._known.wait()
        except TimeoutError:
            message = f"The node definitions are not known yet: {why()}"
            raise NodeDefinitionsUnknown(message) from None
        assert self.now is not None
        return self.now

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._keeping, return_exceptions=True)

    # --- what the stations ask (`server.office.Office`)

    def learn(self, library: Library) -> None:
        """A worker said which nodes there are."""
        self._take(library)
        keeping = asyncio.to_thread(keep_library, self._settings, library)
        task = asyncio.get_running_loop().create_task(keeping)
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def title(self, run: Run, node: str) -> str:
        """The node as a person knows it: its title and id."""
        definitions = self.now.nodes if self.now else {}
        return f"{titled(run.workflow, node, definitions)} ({node})"

    def seconds_for(self, run: Run, node: str) -> float | None:
        """How long the node may run, where its own pack says so."""
        type_ = run.workflow.get("nodes", {}).get(node, {}).get("type", "")
        definition = self.now.nodes.get(type_) if self.now else None
        return definition.time_limit if definition else None

    def _take(self, library: Library) -> None:
        changed = self.now != library
        self.now = library
        self._known.set()
        if changed:
            self._publish({"type": "nodes"}, True)
