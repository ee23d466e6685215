"""The whole application with a stand-in for the worker, for tests of the HTTP side."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import DummyCookieJar, web
from aiohttp.test_utils import TestClient, TestServer

from server.app import create_app
from server.hub import EventHub
from server.keys import CATALOGUE, EDITOR
from server.node_library import NodeDefinitionsUnknown
from server.node_times import NodeTimes
from server.queue import Pause, Run, RunQueue
from server.settings import Settings
from server.worker_messages import Library, Pack
from server.worker_questions import Freeing, MemoryReport, Planned, Tokens, Tried, Value
from tests.graph.small_world import DEFINITIONS, SHELF

LIBRARY = Library(
    version="small",
    nodes=DEFINITIONS,
    packs=(Pack(name="fine"), Pack(name="broken", error="No module named 'nothing'")),
)


STOOD_IN = ("facts", "names", "fits", "space_title", "mentioned", "embeddings", "embedding_fit")
"""What the small shelf answers in place of a catalogue."""


class StationStandIn:
    """What the routes ask of a worker's station."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.draining = False
        self.restarts = 0

    def restart(self) -> None:
        self.restarts += 1

    def status(self) -> dict[str, Any]:
        state = {"state": "ready", "device": "paper", "message": "", "run": None}
        return {"number": self.number, "draining": self.draining, **state}


class StandIn:
    """What the routes ask of a dispatcher; tests say what it answers. It runs nothing."""

    def __init__(self, settings: Settings, queue: RunQueue, hub: EventHub) -> None:
        self.settings, self.queue, self.hub = settings, queue, hub
        self.library: Library | None = LIBRARY
        self.known = asyncio.Event()
        self.patience = 5.0
        self.values: dict[tuple[str, str], Value] = {}
        self.counted: Tokens | None = None
        self.planned: Planned | None = None
        self.reports: dict[int, MemoryReport] = {}
        self.freed: list[tuple[Freeing, int | None]] = []
        self.woken = 0
        self.stations = [StationStandIn(1), StationStandIn(2)]
        self.trials = self.asking = self
        self.times = NodeTimes(settings.cache / "node_times.json")
        self.elsewhere: dict[tuple[str, str], str] = {}
        self.tried: list[str] = []
        self.untried = ""
        self.trial: dict[str, Any] | None = None

    def machine_with(self, folder: str, name: str) -> str | None:
        return self.elsewhere.get((folder, name))

    async def start(self) -> None:
        return None

    async def ask(self, path: str) -> Tried | None:
        self.tried.append(path)
        if self.untried:
            return Tried(id=0, trouble=self.untried, is_absent=True)
        return Tried(id=0, trial=self.trial)

    async def stop(self) -> None:
        return None

    async def known_library(self, patience: float = 60.0) -> Library:
        try:
            async with asyncio.timeout(self.patience):
                while self.library is None:
                    await self.known.wait()
        except TimeoutError:
            raise NodeDefinitionsUnknown("The node definitions are not known yet.") from None
        return self.library

    def worker_status(self) -> dict[str, Any]:
        return {"state": "starting", "device": "paper", "message": "The worker is starting."}

    def worker_statuses(self) -> list[dict[str, Any]]:
        return [station.status() for station in self.stations]

    def wake(self) -> None:
        self.woken += 1

    async def cancel(self, run: str) -> Run:
        return self.queue.cancel(run)

    async def pause(self, kind: Pause) -> None:
        self.queue.line.pause = kind

    async def value(self, run: str, node: str, output: str, view: str = "picture") -> Value:
        return self.values.get((node, output), Value(id=0, kind="gone"))

    async def plan(
        self, workflow: dict[str, Any], wanted: list[str] | None, cases: Any = ({},)
    ) -> Planned | None:
        return self.planned

    async def tokens(self, workflow: dict[str, Any], node: str, text: str) -> Tokens | None:
        return self.counted

    async def memory(
        self, free: Freeing | None = None, worker: int | None = None
    ) -> dict[int, MemoryReport]:
        if free is not None:
            self.freed.append((free, worker))
        return self.reports


class Site:
    """The application, as a browser and as a test see it."""

    def __init__(self, client: TestClient[web.Request, web.Application], worker: StandIn) -> None:
        self.client = client
        self.worker = worker
        self.settings = worker.settings
        self.queue = worker.queue
        self.hub = worker.hub

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """The status and the JSON of the answer."""
        async with self.client.request(method, path, **options) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **options: Any) -> tuple[int, Any]:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        return await self.ask("POST", path, json=body)


@asynccontextmanager
async def site_at(folder: Path, **choices: Any) -> AsyncIterator[Site]:
    """A site whose root and data are below `folder`; its editor counts as built."""
    (folder / "workflows").mkdir(exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    settings = Settings.of(folder, **choices)
    made: list[StandIn] = []

    def stand_in(settings: Settings, queue: RunQueue, hub: EventHub) -> Any:
        made.append(StandIn(settings, queue, hub))
        return made[0]

    app = create_app(settings, stand_in)
    app[CATALOGUE] = _with_shelf(app[CATALOGUE])
    app[EDITOR].prepare = _built(app[EDITOR])  # type: ignore[method-assign]
    client = TestClient(TestServer(app), cookie_jar=DummyCookieJar())
    await client.start_server()
    crashes = Crashes()
    logging.getLogger("server.errors").addHandler(crashes)
    try:
        yield Site(client, made[0])
    finally:
        logging.getLogger("server.errors").removeHandler(crashes)
        await client.close()
    assert not crashes.told, crashes.told


class Crashes(logging.Handler):
    """Collects what the last resort logged: no request of any test may get that far."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(self.format(record))


def _with_shelf(catalogue: Any) -> Any:
    """The catalogue, answering the checker's questions about the small world's files."""
    for name in STOOD_IN:
        setattr(catalogue, name, getattr(SHELF, name))
    return catalogue


def _built(editor: Any) -> Any:
    async def prepare(report: Any = print) -> None:
        editor.state, editor.message = "ready", ""

    return prepare
