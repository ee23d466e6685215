"""Take runs from the queue to the worker, and what happens in them to the queue and the pages."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from graph.events import Event, NodeChanged, Previewed, Produced
from server import worker
from server.heartbeat import replace_silent
from server.node_states import NodeStates
from server.queue import Run, RunQueue
from server.settings import Settings
from server.temp import sweep
from server.trial_desk import TrialDesk
from server.worker_client import Died, Entry, State, WorkerClient
from server.worker_library import keep_library, kept_library
from server.worker_messages import (
    AskMemory,
    AskPlan,
    AskValue,
    Cancel,
    Ended,
    Freeing,
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

PATIENCE = 30.0
"""Seconds to wait for the worker's answer to a question."""

Answer = Value | Planned | MemoryReport

Publish = Callable[[dict[str, Any], bool], None]
"""`EventHub.publish`: the message, and whether it is numbered and kept for replay."""


class NodeDefinitionsUnknown(Exception):
    """The worker has not sent its node definitions yet."""


class Dispatcher:
    """Runs the queue, one run at a time, for as long as it is started.

    `publish` hears of everything; `wake` is called after a run was added.
    """

    def __init__(
        self,
        settings: Settings,
        queue: RunQueue,
        publish: Publish,
        entry: Entry = worker.main,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._publish = publish
        self._client = WorkerClient(settings, self._received, entry, options)
        self.trials = TrialDesk(self._client, lambda: self._current is not None)
        """Where the trials of VAEs are asked for."""
        self._added = asyncio.Event()
        self._known = asyncio.Event()
        self._library: Library | None = None
        self._state: State = "starting"
        self._message = "The worker is starting."
        self._device = ""
        self._current: Run | None = None
        self._ended: asyncio.Future[Ended] | None = None
        self._nodes = NodeStates(queue)
        self._questions: dict[int, asyncio.Future[Answer | None]] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life

    async def start(self) -> None:
        """Start the worker and begin to work through the queue; returns at once."""
        self._queue.recover()
        library = await asyncio.to_thread(kept_library, self._settings)
        if library is not None and self._library is None:
            self._learn(library)
        await self._client.start()
        self._spawn(self._work())
        self._spawn(self._tidy())
        self._spawn(replace_silent(self._client, self._is_computing))

    async def stop(self) -> None:
        """End the worker; the run that was running goes back in line for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.stop()
        self._nodes.write()
        if self._current is not None:
            self._queue.release(self._current.id)
        for question in self._questions.values():
            question.cancel()

    # --- what the routes ask

    @property
    def library(self) -> Library | None:
        """The node definitions, once they are known."""
        return self._library

    async def known_library(self, patience: float = 60.0) -> Library:
        """The node definitions, waited for; raises `NodeDefinitionsUnknown` after `patience`."""
        try:
            async with asyncio.timeout(patience):
                await self._known.wait()
        except TimeoutError:
            raise NodeDefinitionsUnknown(
                f"The node definitions are not known yet: {self._message}"
            ) from None
        assert self._library is not None
        return self._library

    def worker_status(self) -> dict[str, Any]:
        """The worker's `state`, `device` and a `message` for people."""
        message = self._message
        silent = time.monotonic() - self._client.heard
        if self._state in ("ready", "busy") and silent > SILENCE:
            message = f"The worker has given no sign of life for {silent:.0f} s."
        return {"state": self._state, "device": self._device, "message": message}

    def wake(self) -> None:
        """Look at the queue: a run was added."""
        self._added.set()

    async def cancel(self, run: str) -> Run:
        """Cancel the run, waiting or running; raises `UnknownRun`."""
        before = self._queue.get(run)
        after = self._queue.cancel(run)
        if before.status != after.status:
            self._publish_run(after)
        elif self._current is not None and self._current.id == run:
            await self._client.send(Cancel(run=run))
            self._spawn(self._insist(run))
        return after

    async def value(self, run: str, node: str, output: str) -> Value:
        """What the node gave at `output`; of kind "gone" where it is no longer kept."""
        number = next(self._numbers)
        answer = await self._ask(AskValue(id=number, run=run, node=node, output=output))
        return answer if isinstance(answer, Value) else Value(id=number, kind="gone")

    async def plan(self, workflow: dict[str, Any], wanted: Sequence[str] | None) -> Planned | None:
        """What a run of the workflow would do; None where no worker is there to say it."""
        named = None if wanted is None else tuple(wanted)
        asked = AskPlan(id=next(self._numbers), workflow=workflow, wanted=named)
        answer = await self._ask(asked)
        return answer if isinstance(answer, Planned) else None

    async def memory(self, free: Freeing | None = None) -> MemoryReport | None:
        """What the worker has loaded, after `free`; None where no worker is there to say it."""
        answer = await self._ask(AskMemory(id=next(self._numbers), free=free))
        return answer if isinstance(answer, MemoryReport) else None

    async def _ask(self, question: AskValue | AskPlan | AskMemory) -> Answer | None:
        if not self._client.ready.is_set():
            return None
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._questions[question.id] = answer
        try:
            await self._client.send(question)
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._questions[question.id]

    # --- the work

    async def _work(self) -> None:
        while True:
            await self._client.ready.wait()
            run = self._queue.claim()
            if run is None:
                self._added.clear()
                await self._added.wait()
                continue
            await self._run(run)

    async def _tidy(self) -> None:
        await asyncio.to_thread(sweep, self._settings.temp)

    async def _run(self, run: Run) -> None:
        self._current = run
        self._nodes.begin(run.id)
        self._ended = asyncio.get_running_loop().create_future()
        self._set_state("busy", "")
        self._publish_run(run)
        await self._client.send(Start(run=run.id, workflow=run.workflow, wanted=run.wanted))
        ended = await self._ended
        self._nodes.write()
        self._current = None
        if self._state == "busy":
            self._set_state("ready", "")
        self._publish_run(self._queue.finish(run.id, ended.status, ended.error))

    async def _insist(self, run: str) -> None:
        """End the worker if the run has not stopped in time."""
        await asyncio.sleep(CANCEL_PATIENCE)
        if self._current is not None and self._current.id == run:
            log.warning("Run %s did not stop when it was cancelled; its worker is ended.", run)
            self._end(Ended(run=run, status="cancelled"))
            self._client.kill("its run did not stop when it was cancelled")

    # --- what the worker says

    def _received(self, message: FromWorker | Died) -> None:
        match message:
            case Library():
                self._learn(message)
                self._spawn(asyncio.to_thread(keep_library, self._settings, message))
            case Ready(device=device):
                self._device = device
                self._set_state("ready", "")
            case Happened(run=run, event=event):
                self._happened(run, event)
            case Ended():
                self._end(message)
            case Value(id=number) | Planned(id=number) | MemoryReport(id=number):
                if (question := self._questions.get(number)) and not question.done():
                    question.set_result(message)
            case Tried():
                self.trials.received(message)
            case Died():
                self._died(message)

    def _happened(self, run: str, event: Event) -> None:
        if self._current is None or self._current.id != run:
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
        self.trials.died()
        for question in self._questions.values():
            if not question.done():
                question.set_result(None)
        where = f"Its log is {worker.log_path(self._settings)}."
        if died.again:
            self._set_state("starting", f"The worker died: {died.reason}. It is being restarted.")
        else:
            self._set_state("stopped", f"The worker cannot be started: {died.reason}. {where}")
        if self._current is None:
            return
        running = self._nodes.running
        during = f" while the node {self._title(running[-1])} was running" if running else ""
        message = "The worker process died while this node was running."
        for node in running:
            self._happened(
                self._current.id, NodeChanged(node=node, state="failed", message=message)
            )
        error = f"The worker process died{during}: {died.reason}. {where}"
        self._end(Ended(run=self._current.id, status="failed", error=error))

    # --- small things

    def _is_computing(self) -> bool:
        return self._current is not None and bool(self._nodes.running)

    def _title(self, node: str) -> str:
        """The node as a person knows it: its title and id."""
        assert self._current is not None
        placed = self._current.workflow.get("nodes", {}).get(node, {})
        definition = self._library.nodes.get(placed.get("type", "")) if self._library else None
        title = placed.get("title") or (definition.title if definition else placed.get("type", ""))
        return f"{title} ({node})"

    def _learn(self, library: Library) -> None:
        changed = self._library != library
        self._library = library
        self._known.set()
        if changed:
            self._publish({"type": "nodes"}, True)

    def _end(self, ended: Ended) -> None:
        current = self._current is not None and self._current.id == ended.run
        if current and self._ended is not None and not self._ended.done():
            self._ended.set_result(ended)

    def _set_state(self, state: State, message: str) -> None:
        self._state, self._message = state, message
        self._publish({"type": "worker", "state": state, "message": message}, True)

    def _publish_run(self, run: Run) -> None:
        message = {"type": "run", "run": run.id, "status": run.status, "error": run.error}
        self._publish(message, True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
