"""The far end of `server.ray_client`: a worker process on the machine where this object lives.

It lives in a Ray actor, but knows nothing of Ray: what it is told and what it says are bytes.
"""

import asyncio
import importlib
import os
import platform
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from server.client import Died, Unfit
from server.remote_files import Files, Needed, attached_to
from server.settings import Settings
from server.worker_client import WorkerClient
from server.worker_messages import FromWorker
from server.worker_wire import Garbled, joined, pack, read_told

MODELS, DATA = "LATENT_LOOM_MODELS", "LATENT_LOOM_DATA"
"""Variables of a machine's environment: its models folders, joined as PATH is, and where the worker
may write."""


class Parcel(NamedTuple):
    """Something that the worker said, with the content of the file that it speaks of, if any.

    Of a worker that died, `died` is the reason and whether another one is being started;
    `garbled` are the fields of a `Garbled`.
    """

    message: bytes = b""
    content: bytes | None = None
    died: tuple[str, bool] | None = None
    garbled: tuple[str, str, tuple[str, ...], int | None] | None = None


class About(NamedTuple):
    """What a person should know of the machine; `models` are the names of its files by folder."""

    host: str
    log: str
    models: dict[str, list[str]]


class Machine:
    """See above. `settings` are what `Settings.to_json` gives for the program that asks."""

    def __init__(
        self, settings: dict[str, Any], entry: str, options: dict[str, Any], statements: str
    ) -> None:
        self._settings = here(Settings.from_json(settings))
        self._entry = entry
        self._options = options
        self._statements = statements
        self._said: asyncio.Queue[Parcel] = asyncio.Queue()
        self._client: WorkerClient | None = None

    async def start(self) -> About:
        """Start the worker."""
        settings = self._settings
        settings.make_folders()
        if self._statements:
            (settings.data / "statements.json").write_text(self._statements, "utf-8")
        self._files = Files(settings)
        module, _, name = self._entry.partition(":")
        entry = getattr(importlib.import_module(module), name)
        self._client = WorkerClient(settings, self._hear, entry, self._options)
        await self._client.start()
        models = await asyncio.to_thread(self._files.models)
        return About(platform.node() or "?", self._client.log, models)

    async def find(self, wanted: list[Needed]) -> list[str | None]:
        """The names of the files here that have the same content."""
        return await asyncio.to_thread(lambda: [self._files.same(one) for one in wanted])

    async def path_of(self, wanted: Needed) -> str | None:
        """Where the file lies here that has the same content."""
        name = await asyncio.to_thread(self._files.same, wanted)
        return None if name is None else str(self._files.path(wanted.folder, name))

    async def keep(self, name: str, content: bytes) -> None:
        """Put a file into the input folder, for the run that follows."""
        path = self._settings.input.joinpath(*name.split("/"))
        if not path.resolve().is_relative_to(self._settings.input.resolve()):
            raise ValueError(f"{name!r} leads out of the input folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        draft.write_bytes(content)
        os.replace(draft, path)

    async def send(self, message: bytes) -> None:
        """Tell the worker something, as it lies in a pipe."""
        assert self._client is not None
        for one in read_told(message):
            if isinstance(one, Garbled):
                self._hear(one)
            else:
                await self._client.send(one)

    async def receive(self) -> list[Parcel]:
        """What the worker has said since; waits for it to say something."""
        parcels = [await self._said.get()]
        while not self._said.empty():
            parcels.append(self._said.get_nowait())
        return parcels

    async def kill(self, reason: str) -> None:
        """End the worker at once; another one is started."""
        assert self._client is not None
        self._client.kill(reason)

    async def memory_taken(self) -> int | None:
        """Bytes that the worker has taken of this machine's memory."""
        assert self._client is not None
        return await self._client.memory_taken()

    async def stop(self) -> None:
        """End the worker, gently first."""
        if self._client is not None:
            await self._client.stop()

    def _hear(self, message: FromWorker | Died | Unfit | Garbled) -> None:
        if isinstance(message, Died):
            self._said.put_nowait(Parcel(died=(message.reason, message.again)))
            return
        if isinstance(message, Garbled):
            fields = (message.why, message.kind, message.runs, message.id)
            self._said.put_nowait(Parcel(garbled=fields))
            return
        assert not isinstance(message, Unfit)
        attached = attached_to(message, self._settings)
        content = None
        if attached is not None:
            try:
                content = attached.path.read_bytes()
                if attached.area != "preview":
                    attached.path.unlink()  # it belongs to the machine that asked for it
            except OSError as error:
                if attached.area != "preview":  # of which a newer one is being written
                    self._hear(Garbled.of(message.model_dump(), f"its file is lost: {error}"))
                return
        self._said.put_nowait(Parcel(joined([pack(message)]), content))


def here(asked: Settings) -> Settings:
    """The settings of a worker on this machine, for a program that runs on another one."""
    named = [Path(text) for text in os.environ.get(MODELS, "").split(os.pathsep) if text]
    models = tuple(named or (path for path in asked.models if path.is_dir()))
    base = Path(os.environ.get(DATA) or Path(tempfile.gettempdir()) / "latent-loom")
    found = Settings.of(Path.cwd(), base / f"worker-{asked.worker}", models)
    kept = ("precision", "device", "worker", "memory", "compiling", "metadata", "together")
    return replace(found, **{name: getattr(asked, name) for name in kept})
