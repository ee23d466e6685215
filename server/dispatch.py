"""Take runs from the queue to the workers, and what became of them back into the queue."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

from graph.subgraph_values import titled
from server import worker
from server.alike import alike
from server.begun import take_begun
from server.client import MakeClient, Unfit
from server.ledger import Ledger, Work
from server.node_times import NodeTimes
from server.office import Publish
from server.queue import Ending, Pause, Run, RunQueue, Status, progress
from server.queue.rows import Changes
from server.run_at_work import Lost, Outcome, PutBack, RunAtWork
from server.settings import Settings
from server.station import Station
from server.temp import sweep
from server.trial_desk import TrialDesks
from server.worker_client import Entry, WorkerClient
from server.worker_library import keep_library, kept_library
from server.worker_messages import (
    Ended,
    Freeing,
    Library,
    MemoryReport,
    Planned,
    Tokens,
    Value,
    View,
)

log = logging.getLogger(__name__)

SAVING = 60.0
"""Seconds between two savings of how long nodes took."""

REMEMBERED = 200
"""Runs of which it is known which worker ran them, so that their values are asked for there."""


class NodeDefinitionsUnknown(Exception):
    """No worker has sent its node definitions yet."""


def workers_here(
    settings: Settings, entry: Entry = worker.main, **options: Any
) -> list[tuple[Settings, MakeClient]]:
    """A process on this machine for each of its devices, or several; `entry` is what each runs."""
    make = partial(WorkerClient, entry=entry, options=options)
    return [(own, make) for own in settings.for_workers()]


class Dispatcher:
    """Runs the queue, one run at a time on each worker, for as long as it is started.

    `publish` hears of everything; `wake` is called after a run was added.
    """

    def __init__(
        self,
        settings: Settings,
        queue: RunQueue,
        publish: Publish,
        workers: Sequence[tuple[Settings, MakeClient]] | None = None,
    ) -> None:
        """`workers`: each with its settings, in place of `workers_here`."""
        chosen = workers_here(settings) if workers is None else workers
        self._settings = settings
        self._queue = queue
        self._publish = publish
        self._ledger = Ledger(queue, lambda: self._publish({"type": "queue"}, True))
        self.stations = [
            Station(number, own, self._ledger, publish, self, make)
            for number, (own, make) in enumerate(chosen, start=1)
        ]
        self.times = NodeTimes(settings.cache / "node_times.json")
        """How long nodes took."""
        self._wakes = {station: asyncio.Event() for station in self.stations}
        self._unclaimed: set[str] = set()
        """Runs that were cancelled after they were claimed and before a worker had them."""
        self._stopping_all = False
        """Whether what is claimed now is put back: the queue is paused at once."""
        self._known = asyncio.Event()
        self._library: Library | None = None
        self._ran_at: OrderedDict[str, Station] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the workers and begin to work through the queue; returns at once."""
        begun = await asyncio.to_thread(take_begun, self._settings)
        self._queue.recover(begun)
        library = await asyncio.to_thread(kept_library, self._settings)
        if library is not None and self._library is None:
            self._keep(library)
        for station in self.stations:
            await station.start()
            self._spawn(self._work(station))
        self._spawn(self._tidy())

    async def stop(self) -> None:
        """End the workers; what was running goes back in line for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(station.stop() for station in self.stations))
        await self._ledger.close()
        await asyncio.to_thread(self.times.save)

    # --- what the routes ask

    @property
    def library(self) -> Library | None:
        """The node definitions, once they are known."""
        return self._library

    @property
    def trials(self) -> TrialDesks:
        """Where the trials of VAEs are asked for."""
        return TrialDesks([station.trials for station in self.stations if station.is_here])

    async def known_library(self, patience: float = 60.0) -> Library:
        """The node definitions, waited for; raises `NodeDefinitionsUnknown` after `patience`."""
        try:
            async with asyncio.timeout(patience):
                await self._known.wait()
        except TimeoutError:
            message = self.worker_status()["message"]
            raise NodeDefinitionsUnknown(
                f"The node definitions are not known yet: {message}"
            ) from None
        assert self._library is not None
        return self._library

    def worker_status(self) -> dict[str, Any]:
        """The `state`, `device` and `message` of the worker that is nearest to work."""
        order = ("busy", "ready", "starting", "stopped")
        nearest = min(self.worker_statuses(), key=lambda status: order.index(status["state"]))
        found = {name: nearest[name] for name in ("state", "device", "message")}
        return found | {"message": self._ledger.trouble or found["message"]}

    def worker_statuses(self) -> list[dict[str, Any]]:
        """Each worker's `number`, `state`, `device`, `message`, `run` and whether it drains."""
        return [station.status() for station in self.stations]

    def wake(self) -> None:
        """Look at the queue: a run was added."""
        for wake in self._wakes.values():
            wake.set()

    async def pause(self, kind: Pause) -> None:
        """Pause the queue or let it go on; "now" puts what runs back in line as well."""
        await asyncio.to_thread(setattr, self._queue.line, "pause", kind)
        self._stopping_all = kind == "now"
        if kind == "now":
            for station in self.stations:
                for at_work in list(station.at_work):
                    await station.cancel(at_work.run.id, put_back=True)
        self.wake()

    async def cancel(self, run: str) -> Run:
        """Cancel the run, waiting or running; raises `UnknownRun`."""
        before = self._queue.get(run)
        after = self._queue.cancel(run)
        if before.status != after.status:
            self._publish_run(run, after.status, after.error)
        stations = [one for one in self.stations if run in (at.run.id for at in one.at_work)]
        if after.status == "running" and not stations:
            self._unclaimed.add(run)  # it is on its way to a worker
        for station in stations:
            await station.cancel(run)
        return after

    async def value(self, run: str, node: str, output: str, view: View = "picture") -> Value:
        """What the node gave at `output`; of kind "gone" where it is no longer kept."""
        station = self._ran_at.get(run, self.stations[0])
        return await station.ask.value(run, node, output, view)

    async def plan(
        self,
        workflow: dict[str, Any],
        wanted: Sequence[str] | None,
        cases: Sequence[Changes] = ({},),
    ) -> Planned | None:
        """What runs of the workflow would do, one after the other, each with other values; None
        where no worker is there to say it."""
        return await self._asked().ask.plan(workflow, wanted, cases)

    async def tokens(self, workflow: dict[str, Any], node: str, text: str) -> Tokens | None:
        """How the encoders wired to the node read the text; None where no worker is there."""
        return await self._asked().ask.tokens(workflow, node, text)

    async def memory(
        self, free: Freeing | None = None, worker: int | None = None
    ) -> dict[int, MemoryReport]:
        """What each worker that can be asked has loaded, after `free`, by number.

        The one that ran something last comes first. `worker`: the only one to let something go;
        where models are named, which each worker numbers by itself, it is else the first one.
        """
        first = self._asked()
        if worker is None and free is not None and free.models:
            worker = first.number
        stations = [first, *(station for station in self.stations if station is not first)]
        reports = await asyncio.gather(
            *(
                station.ask.memory(free if worker in (None, station.number) else None)
                for station in stations
            )
        )
        found = zip(stations, reports, strict=True)
        return {station.number: report for station, report in found if report is not None}

    def _asked(self) -> Station:
        """The worker that ran something last and can be asked."""
        recent = [*reversed(self._ran_at.values()), *self.stations]
        return next((station for station in recent if station.takes_questions), self.stations[0])

    # --- the work

    async def _work(self, station: Station) -> None:
        while True:
            await station.is_ready()
            self._wakes[station].clear()
            runs = await self._claimed(station)
            taken = [station.take(run) for run in runs]
            if station.together > 1 and len(taken) > 1:
                await station.begin_together(taken)
            for run, at_work in zip(runs, taken, strict=True):
                self._spawn(self._run(at_work, station))
                if self._stopping_all or run.id in self._unclaimed:  # since it was claimed
                    put_back = run.id not in self._unclaimed
                    self._unclaimed.discard(run.id)
                    self._spawn(station.cancel(run.id, put_back=put_back))
            await self._wakes[station].wait()

    async def _claimed(self, station: Station) -> list[Run]:
        """The runs that the station is to be handed now."""
        room = 0 if station.draining else station.room
        if not room or (station.together > 1 and station.at_work):
            return []
        runs = await self._ledger.do(self._claim_of(station, room))
        if runs and (station.draining or not station.takes_questions):  # since it was asked
            for run in runs:
                await self._ledger.do(partial(progress.release, run=run.id))
            self.wake()
            return []
        return runs

    def _claim_of(self, station: Station, room: int) -> Work[list[Run]]:
        """What claims the runs: those to be sampled together, or one after the other."""
        models, lacking = station.models, station.lacks.models()
        library = self._library
        if station.together < 2 or library is None:
            idle = not station.at_work
            return partial(
                progress.claim_several, count=room, models=models, lacking=lacking, idle=idle
            )
        fit = partial(alike, library=library)
        return partial(
            progress.claim_alike,
            count=station.together,
            models=models,
            lacking=lacking,
            alike=fit,
        )

    async def _tidy(self) -> None:
        await asyncio.to_thread(sweep, self._settings.temp)
        while True:
            await asyncio.sleep(SAVING)
            await asyncio.to_thread(self.times.save)

    async def _run(self, at_work: RunAtWork, station: Station) -> None:
        run = at_work.run
        self._ran_at[run.id] = station
        self._ran_at.move_to_end(run.id)
        while len(self._ran_at) > REMEMBERED:
            self._ran_at.popitem(last=False)
        self._publish_run(run.id, run.status, run.error)
        outcome = await station.work_on(at_work)
        self._wakes[station].set()
        after = await self._ledger.do(self._becomes(station, run, outcome))
        self._publish_run(run.id, after.status, after.error)
        if self._library is not None:
            self.times.learn_from(run.workflow, at_work.took, self._library.nodes)
        if after.batch is not None and after.status == "failed":
            self._publish({"type": "queue"}, True)  # it may have taken others of its batch along
        if after.is_in_line:
            self.wake()

    def _becomes(self, station: Station, run: Run, outcome: Outcome) -> Work[Ending]:
        """What writes down what becomes of the run."""
        match outcome:
            case Ended(status=status, error=error):
                return partial(progress.finish, run=run.id, status=status, error=error)
            case Lost(error=error):
                return partial(progress.interrupt, run=run.id, error=error)
            case PutBack():
                return partial(progress.release, run=run.id)
            case Unfit(error=error):
                return self._elsewhere(station, run, error)

    def _elsewhere(self, station: Station, run: Run, error: str) -> Work[Ending]:
        """Puts the run back in line for a worker that may have its models; fails it where none
        may."""
        station.lacks.add(run.models)
        others = [other for other in self.stations if not other.is_given_up]
        if any(run.models not in other.lacks.models() for other in others):
            return partial(progress.release, run=run.id)
        for other in others:
            other.lacks.forget(run.models)  # they are asked anew when it is tried again
        return partial(progress.finish, run=run.id, status="failed", error=error)

    # --- what the stations ask (`server.station.Office`)

    def learn(self, library: Library) -> None:
        """A worker said which nodes there are."""
        self._keep(library)
        self._spawn(asyncio.to_thread(keep_library, self._settings, library))

    def title(self, run: Run, node: str) -> str:
        """The node as a person knows it: its title and id."""
        definitions = self._library.nodes if self._library else {}
        return f"{titled(run.workflow, node, definitions)} ({node})"

    def seconds_for(self, run: Run, node: str) -> float | None:
        """How long the node may run, where its own pack says so."""
        type_ = run.workflow.get("nodes", {}).get(node, {}).get("type", "")
        definition = self._library.nodes.get(type_) if self._library else None
        return definition.time_limit if definition else None

    def _keep(self, library: Library) -> None:
        changed = self._library != library
        self._library = library
        self._known.set()
        if changed:
            self._publish({"type": "nodes"}, True)

    def _publish_run(self, run: str, status: Status, error: str | None) -> None:
        self._publish({"type": "run", "run": run, "status": status, "error": error}, True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
