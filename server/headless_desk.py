"""A worker for the time of one command, and what it says on standard output and error."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graph.definition import NodeDefinition
from graph.events import NodeChanged, Noted, Produced, Progressed
from graph.subgraph_values import named_nodes
from graph.subgraphs import Flat
from graph.workflow import Workflow
from server import worker
from server.client import Died, Unfit
from server.queue import ATTEMPTS
from server.settings import Settings
from server.worker_client import Entry, WorkerClient
from server.worker_library import keep_library
from server.worker_messages import Cancel, Ended, FromWorker, Happened, Library, Start
from server.worker_wire import ADVICE, Garbled

RUN = "headless"
"""The id of the only run; it names a folder below temp."""


class CannotRun(Exception):
    """A sentence that ends the command with exit code 1."""


class Desk:
    """A worker for the time of one command, and what it says."""

    def __init__(self, settings: Settings, options: dict[str, Any], entry: Entry) -> None:
        self._settings = settings
        self._client = WorkerClient(settings, self._hear, entry, options)
        self._output = Path(options.get("output", settings.output))
        self._known: asyncio.Future[Library] | None = None
        self._ended: asyncio.Future[Ended | Died] | None = None
        self._titles: dict[str, str] = {}
        self.pictures: list[Path] = []
        """The pictures that the run made, as far as it is."""
        self.quiet = False
        """Whether outputs are not to be printed."""

    async def start(self) -> None:
        """Start the worker."""
        self._known = asyncio.get_running_loop().create_future()
        await self._client.start()

    async def stop(self) -> None:
        """End the worker."""
        await self._client.stop()

    async def library(self) -> Library:
        """The node definitions. Raises `CannotRun` where the worker dies first."""
        assert self._known is not None
        library = await self._known
        keep_library(self._settings, library)
        for pack in library.packs:
            if pack.error:
                print(f"warning: the pack {pack.name} is missing: {pack.error}", file=sys.stderr)
        return library

    def follow(self, workflow: Workflow, definitions: dict[str, NodeDefinition]) -> None:
        """Call nodes by their titles from now on."""
        self._titles = {one.id: one.title for one in named_nodes(Flat(workflow, definitions))}

    async def run(self, workflow: Workflow, wanted: Sequence[str] | None = None) -> str | None:
        """Run the wanted nodes, by default every output; why it did not end well, or None.

        A run that the worker dies under is begun once more. Raises `CannotRun` where there is no
        worker any more.
        """
        why = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                print(f"{why} The run is begun once more.", file=sys.stderr)
            ended = await self._once(workflow, wanted)
            if isinstance(ended, Ended):
                unsaid = f"The run was {ended.status}."
                return None if ended.status == "finished" else ended.error or unsaid
            why = self._told(ended)
        return why

    async def _once(self, workflow: Workflow, wanted: Sequence[str] | None) -> Ended | Died:
        self._ended = asyncio.get_running_loop().create_future()
        self.pictures = []
        ready = asyncio.ensure_future(self._client.ready.wait())
        either: tuple[asyncio.Future[Any], ...] = ready, self._ended
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not ready.cancel():  # it came; else the worker cannot be started
            nodes = None if wanted is None else tuple(wanted)
            await self._client.send(Start(run=RUN, workflow=workflow.to_json(), wanted=nodes))
        try:
            return await self._ended
        except asyncio.CancelledError:
            await self._client.send(Cancel(run=RUN))
            raise

    def _hear(self, message: FromWorker | Died | Unfit | Garbled) -> None:
        match message:
            case Library() if self._known is not None and not self._known.done():
                self._known.set_result(message)
            case Ended() if self._ended is not None and not self._ended.done():
                self._ended.set_result(message)
            case Happened(event=event):
                self._print(event)
            case Died(again=True) if self._ended is not None and not self._ended.done():
                self._ended.set_result(message)
            case Died():
                self._give_up(self._told(message))
            case Garbled(why=why):
                self._give_up(f"The worker process is not understood: {why}. {ADVICE}")

    def _told(self, died: Died) -> str:
        log = worker.log_path(self._settings)
        return f"The worker process died: {died.reason}. Its log is {log}."

    def _give_up(self, why: str) -> None:
        for waiting in (self._known, self._ended):
            if waiting is not None and not waiting.done():
                waiting.set_exception(CannotRun(why))
                waiting.exception()  # looked at, so that nobody waiting is no complaint

    def _print(self, event: Any) -> None:
        title = self._titles.get(getattr(event, "node", ""), "")
        match event:
            case Progressed(step=step, steps=steps, label=label):
                print(f"{title} {step}/{steps} {label}".rstrip(), file=sys.stderr)
            case Noted(message=message):
                print(f"{title}: {message}" if title else message, file=sys.stderr)
            case NodeChanged(state="running" | "cached" as state):
                print(f"{title}: {state}", file=sys.stderr)
            case Produced(file=file, area=area, kind=kind) if file:
                path = (self._output if area == "output" else self._settings.temp) / file
                if kind == "image":
                    self.pictures.append(path)
                self._say(path)
            case Produced(data=data):
                self._say(data)

    def _say(self, thing: object) -> None:
        if not self.quiet:
            print(thing, flush=True)
