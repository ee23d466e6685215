"""One worker and the run that it is at: follow it, cancel it, and tell what became of it."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from graph.events import Event, NodeChanged, Previewed, Produced
from server import worker
from server.heartbeat import replace_silent
from server.node_states import NodeStates
from server.questions import Questions
from server.queue import Run, RunQueue
from server.settings import Settings
from server.trial_desk import TrialDesk
from server.worker_client import Died, Entry, State, WorkerClient
from server.worker_messages import (
    Cancel,
    Ended,
    FromWorker,
    Happened,
    Library,
    MemoryReport,
    Planned,
    Ready,
    Start,
    Tried,
    Value,
)

log = logging.getLogger(__name__)

SILENCE = 30.0
"""Seconds without a sign of life after which the status says so."""

CANCEL_PATIENCE = 20.0
"""Seconds that a cancelled run has to stop by itself before its worker is ended."""

Publish = Callable[[dict[str, Any], bool], None]
"""`EventHub.publish`: the message, and whether it is numbered and kept for replay."""


@dataclass(frozen=True)
class Lost:
    """The worker died in the middle of a run; `error` is a sentence for people."""

    error: str


@dataclass(frozen=True)
class PutBack:
    """The run was stopped in order to be run again later."""


Outcome = Ended | Lost | PutBack


class Office(Protocol):
    """What a station needs of the one who hands out the runs."""

    def learn(self, library: Library) -> None:
        """The worker said which nodes there are."""
        ...

    def title(self, run: Run, node: str) -> str:
        """What people call the node."""
        ...


class Station:
    """A worker process (one after the other, where they die) and the run that it is at.

    `number` counts from 1 and is told with everything that is published of the worker.
    """

    def __init__(
        self,
        number: int,
        settings: Settings,
        queue: RunQueue,
        publish: Publish,
        office: Office,
        entry: Entry = worker.main,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.number = number
        self.device = ""
        self.models = ""
        """The models of the run before, in the form of `Run.models`."""
        self.draining = False
        """Whether it is to begin no other run."""
        self._settings = settings
        self._queue = queue
        self._publish = publish
        self._office = office
        self._state: State = "starting"
        self._message = "The worker is starting."
        self._client = WorkerClient(settings, self._received, entry, options)
        self.ask = Questions(self._client)
        self.trials = TrialDesk(self._client, lambda: self.run is not None)
        """Where the trials of VAEs are asked for."""
        self.run: Run | None = None
        """The run that it is at."""
        self._outcome: asyncio.Future[Outcome] | None = None
        self._returning = False
        self._nodes = NodeStates(queue)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the worker; returns at once."""
        await self._client.start()
        self._spawn(replace_silent(self._client, self._is_computing))

    async def stop(self) -> None:
        """End the worker; a run that is running goes back in line for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.stop()
        self._nodes.write()
        if self.run is not None:
            self._queue.release(self.run.id)
        self.ask.died()

    async def is_ready(self) -> None:
        """Wait until the worker takes runs."""
        await self._client.ready.wait()

    @property
    def takes_questions(self) -> bool:
        """Whether the worker is there to answer."""
        return self._client.ready.is_set()

    def status(self) -> dict[str, Any]:
        """The worker's `number`, `state`, `device`, `run`, and a `message` for people."""
        message = self._message
        silent = time.monotonic() - self._client.heard
        if self._state in ("ready", "busy") and silent > SILENCE:
            message = f"The worker has given no sign of life for {silent:.0f} s."
        return {
            "number": self.number,
            "state": self._state,
            "device": self.device,
            "message": message,
            "draining": self.draining,
            "run": None if self.run is None else self.run.id,
        }

    async def work_on(self, run: Run) -> Outcome:
        """Run the run, and say what became of it."""
        self.run = run
        self.models = run.models
        self._returning = False
        self._nodes.begin(run.id)
        self._outcome = asyncio.get_running_loop().create_future()
        self._set_state("busy", "")
        await self._client.send(Start(run=run.id, workflow=run.workflow, wanted=run.wanted))
        outcome = await self._outcome
        self._nodes.write()
        self.run = None
        if self._state == "busy":
            self._set_state("ready", "")
        return outcome

    async def cancel(self, run: str, *, put_back: bool = False) -> None:
        """Stop the run, if it is at this one; with `put_back` it is to be run again later."""
        if self.run is None or self.run.id != run:
            return
        self._returning = put_back
        await self._client.send(Cancel(run=run))
        self._spawn(self._insist(run))

    def restart(self) -> None:
        """End the worker; another one is started in its place."""
        self._client.kill("it was to be restarted")

    async def _insist(self, run: str) -> None:
        """End the worker if the run has not stopped in time."""
        await asyncio.sleep(CANCEL_PATIENCE)
        if self.run is not None and self.run.id == run:
            log.warning("Run %s did not stop when it was cancelled; its worker is ended.", run)
            self._end(Ended(run=run, status="cancelled"))
            self._client.kill("its run did not stop when it was cancelled")

    # --- what the worker says

    def _received(self, message: FromWorker | Died) -> None:
        match message:
            case Library():
                self._office.learn(message)
            case Ready(device=device):
                self.device = device
                self._set_state("ready", "")
            case Happened(run=run, event=event):
                self._happened(run, event)
            case Ended():
                self._end(message)
            case Value() | Planned() | MemoryReport():
                self.ask.received(message)
            case Tried():
                self.trials.received(message)
            case Died():
                self._died(message)

    def _happened(self, run: str, event: Event) -> None:
        if self.run is None or self.run.id != run:
            return  # of a run that was given up meanwhile
        if isinstance(event, Previewed):
            url = f"/api/runs/{run}/preview/{event.node}?step={event.step}"
            self._publish({"type": "preview", "run": run, "node": event.node, "url": url}, False)
            return
        if isinstance(event, NodeChanged):
            self._nodes.note(event)
        if isinstance(event, Produced):
            self._queue.produced(run, event)
        self._publish({**event.model_dump(mode="json"), "run": run}, True)

    def _died(self, died: Died) -> None:
        self.models = ""
        self.trials.died()
        self.ask.died()
        where = f"Its log is {worker.log_path(self._settings)}."
        if died.again:
            self._set_state("starting", f"The worker died: {died.reason}. It is being restarted.")
        else:
            self._set_state("stopped", f"The worker cannot be started: {died.reason}. {where}")
        if self.run is None:
            return
        running = self._nodes.running
        during = ""
        if running:
            during = f" while the node {self._office.title(self.run, running[-1])} was running"
        message = "The worker process died while this node was running."
        for node in running:
            self._happened(self.run.id, NodeChanged(node=node, state="failed", message=message))
        if self._outcome is not None and not self._outcome.done():
            error = f"The worker process died{during}: {died.reason}. {where}"
            self._outcome.set_result(Lost(error))

    def _is_computing(self) -> bool:
        return self.run is not None and bool(self._nodes.running)

    def _end(self, ended: Ended) -> None:
        current = self.run is not None and self.run.id == ended.run
        if current and self._outcome is not None and not self._outcome.done():
            back = self._returning and ended.status == "cancelled"
            self._outcome.set_result(PutBack() if back else ended)

    def _set_state(self, state: State, message: str) -> None:
        self._state, self._message = state, message
        self._publish(
            {"type": "worker", "number": self.number, "state": state, "message": message}, True
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
