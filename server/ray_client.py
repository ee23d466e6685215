"""The near end of a worker on another machine: a `server.client.Client` that speaks through Ray."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graph.definition import Data, NodeDefinition
from graph.events import Produced
from server.client import Died, Receive, Unfit
from server.ray_machine import About, Parcel
from server.remote_files import Files, Needed, missing, opened, renamed, unpacked
from server.settings import Settings
from server.worker_messages import (
    Cancel,
    Ended,
    FromWorker,
    Happened,
    Library,
    Ready,
    Start,
    StartTogether,
)
from server.worker_questions import AskTrial, Tried
from server.worker_wire import Garbled, joined, packed_or_told, read_said

log = logging.getLogger(__name__)

FAILED_STARTS = 3
"""After this many failures in a row to start there, the machine is given up."""

STOP_PATIENCE = 10.0
"""Seconds that the machine has to end its worker."""

MakeActor = Callable[[Settings, str], Any]
"""Makes the handle of a new actor with a `Machine`, given what people said of files."""


class RayClient:
    """One actor after another on one machine. `machine` is what people call it."""

    def __init__(
        self, settings: Settings, receive: Receive, files: Files, machine: str, make: MakeActor
    ) -> None:
        self._settings = settings
        self._receive = receive
        self._files = files
        self._machine = machine
        self._make = make
        self._actor: Any = None
        self._about = About(machine, "?", {})
        self._definitions: Mapping[str, NodeDefinition] = {}
        self._failures = 0
        self._following: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self.ready = asyncio.Event()
        self.heard = time.monotonic()

    @property
    def log(self) -> str:
        """Where its log is."""
        return f"{self._about.log} on {self._about.host}"

    def machine_with(self, folder: str, name: str) -> str | None:
        """The machine, if it had a model file of this name when the actor was made."""
        return self._machine if name in self._about.models.get(folder, ()) else None

    @property
    def is_here(self) -> bool:
        """It reads the files of another machine."""
        return False

    async def start(self) -> None:
        """Have an actor made, and another one whenever it is lost; returns at once."""
        self._following = asyncio.get_running_loop().create_task(self._follow())

    async def send(self, message: Data) -> None:
        """Tell the worker something; before a run, send what it needs."""
        actor = self._actor
        if actor is None:
            return
        from ray.exceptions import RayError, RayTaskError

        try:
            await self._send(actor, message)
        except RayTaskError as error:  # the actor lives, but could not do it
            why = f"{self._machine} could not take it: {str(error).strip().splitlines()[-1]}"
            self._receive(Garbled.of(message.model_dump(), why))
        except RayError:
            pass  # `_follow` hears of a lost actor, too

    async def _send(self, actor: Any, message: Data) -> None:
        if isinstance(message, Start | StartTogether):
            asked = (message,) if isinstance(message, Start) else message.starts
            prepared = [await self._prepared(actor, start) for start in asked]
            starts = tuple(start for start in prepared if start is not None)
            if not starts:
                return
            message = starts[0] if len(starts) == 1 else StartTogether(starts=starts)
        if isinstance(message, AskTrial):
            if (trial := await self._prepared_trial(actor, message)) is None:
                return
            message = trial
        packed = packed_or_told(message)
        if isinstance(packed, Garbled):
            self._receive(packed)
        else:
            await actor.send.remote(joined([packed]))

    def kill(self, reason: str) -> None:
        """End the worker process there; the actor stays and starts another."""
        self.ready.clear()
        if self._actor is not None:
            self._spawn(self._actor.kill.remote(reason))

    async def memory_taken(self) -> int | None:
        """Bytes that the worker has taken of its machine's memory."""
        from ray.exceptions import RayError

        try:
            taken = None if self._actor is None else await self._actor.memory_taken.remote()
        except RayError:
            return None
        return None if taken is None else int(taken)

    async def stop(self) -> None:
        """End the worker and the actor."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._end_actor()

    async def _end_actor(self) -> None:
        import ray
        from ray.exceptions import RayError

        actor, self._actor = self._actor, None
        if actor is not None:
            with contextlib.suppress(RayError, TimeoutError):
                async with asyncio.timeout(STOP_PATIENCE):
                    await actor.stop.remote()
            await asyncio.to_thread(ray.kill, actor)

    # --- the actor

    async def _follow(self) -> None:
        """Hear what the actor says for as long as it lives, then make another one."""
        from ray.exceptions import RayError

        while self._failures < FAILED_STARTS:
            try:
                actor = await asyncio.to_thread(self._make, self._settings, self._statements())
                self._about = About(*await actor.start.remote())
                self._actor = actor
                while True:
                    for parcel in await actor.receive.remote():
                        await self._heard(Parcel(*parcel))
            except RayError as error:
                self._lost(error)
                await asyncio.sleep(self._failures * 1.0)
            except Exception as error:  # else nobody would ever hear that machine again
                log.exception("What %s said could not be dealt with.", self._machine)
                await self._end_actor()
                self._lost(error)
                await asyncio.sleep(self._failures * 1.0)

    def _statements(self) -> str:
        try:
            return (self._settings.data / "statements.json").read_text("utf-8")
        except OSError:  # nobody has said anything yet
            return ""

    def _lost(self, error: Exception) -> None:
        log.error("The actor on %s was lost: %s", self._machine, error)
        self._actor = None
        self._failures = 1 if self.ready.is_set() else self._failures + 1
        self.ready.clear()
        kind = type(error).__name__
        self._receive(
            Died(
                f"the machine {self._machine} or its Ray actor was lost ({kind})",
                again=self._failures < FAILED_STARTS,
            )
        )

    async def _heard(self, parcel: Parcel) -> None:
        self.heard = time.monotonic()
        if parcel.died is not None:
            self.ready.clear()
            self._receive(Died(*parcel.died))
            return
        if parcel.garbled is not None:
            self._receive(Garbled(*parcel.garbled))
            return
        for message in read_said(parcel.message):
            await self._heard_one(message, parcel.content)

    async def _heard_one(self, message: FromWorker | Garbled, content: bytes | None) -> None:
        if content is not None and not isinstance(message, Garbled):
            try:
                message = await asyncio.to_thread(unpacked, message, content, self._settings)
            except OSError as error:
                await self._cannot_keep(message, error)
                return
        match message:
            case Library(nodes=nodes):
                self._definitions = nodes
            case Ready(device=device):
                self._failures = 0
                self.ready.set()
                message = Ready(device=f"{device} on {self._machine}")
        self._receive(message)

    async def _cannot_keep(self, message: FromWorker, error: OSError) -> None:
        """What a run made cannot be written here: it fails. A preview is not worth that."""
        if isinstance(message, Happened) and isinstance(message.event, Produced):
            sentence = f"What {self._machine} made could not be kept here: {error}."
            self._receive(Ended(run=message.run, status="failed", error=sentence))
            await self.send(Cancel(run=message.run))

    # --- a run

    async def _prepared(self, actor: Any, start: Start) -> Start | None:
        """The run with the names that its files have there; None where one is not there."""
        saved = start.workflow
        try:
            start = await asyncio.to_thread(opened, start, self._definitions)
            needed = await asyncio.to_thread(
                self._files.needed_by, start.workflow, self._definitions
            )
            models = [one for one in needed if one.is_model]
            names: list[str | None] = await actor.find.remote(models)
            lacking = [one for one, name in zip(models, names, strict=True) if name is None]
            if lacking:
                self._receive(Unfit(start.run, missing(lacking, self._machine)))
                return None
            for one in needed:
                if not one.is_model:
                    await self._deliver(actor, one)
        except OSError as error:
            sentence = f"A file of the run cannot be read: {error}."
            self._receive(Ended(run=start.run, status="failed", error=sentence))
            return None
        there = [(one, name) for one, name in zip(models, names, strict=True) if name is not None]
        workflow = renamed(start.workflow, there)
        return start.model_copy(update={"workflow": workflow, "saved": saved})

    async def _prepared_trial(self, actor: Any, asked: AskTrial) -> AskTrial | None:
        """The trial of the file there that is the same; None where there is none."""
        try:
            wanted = await asyncio.to_thread(self._files.model_at, Path(asked.path))
        except OSError as error:
            self._receive(Tried(id=asked.id, trouble=f"It cannot be read: {error}."))
            return None
        path = None if wanted is None else await actor.path_of.remote(wanted)
        if path is None:
            why = missing([wanted], self._machine) if wanted else "It is in no models folder."
            self._receive(Tried(id=asked.id, trouble=why, is_absent=True))
            return None
        return asked.model_copy(update={"path": path})

    async def _deliver(self, actor: Any, needed: Needed) -> None:
        path: Path = self._files.path(needed.folder, needed.name)
        content = await asyncio.to_thread(path.read_bytes)
        await actor.keep.remote(needed.name, content)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # `_follow` hears of a lost actor, too
