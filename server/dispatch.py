"""Take runs from the queue to the workers, and what became of them back into the queue."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from server import worker
from server.alike import alike
from server.asking import Asking
from server.begun import take_begun
from server.client import MakeClient, Unfit
from server.ledger import Ledger, Work
from server.node_library import NodeLibrary
from server.node_times import NodeTimes
from server.office import Publish
from server.queue import Ending, Pause, Run, RunQueue, Status, progress
from server.run_at_work import Lost, Outcome, PutBack, RunAtWork
from server.settings import Settings
from server.station import Station
from server.temp import sweep
from server.trial_desk import TrialDesks
from server.worker_client import Entry, WorkerClient
from server.worker_messages import Ended, Library

log = logging.getLogger(__name__)

SAVING = 60.0
"""Seconds between two savings of how long nodes took."""


def workers_here(
    settings: Settings, entry: Entry = worker.main, **options: Any
) -> list[tuple[Settings, MakeClient]]:
    """A process on this machine for each of its devices, or several; `entry` is what each runs."""
    make = partial(WorkerClient, entry=entry, options=options)
    return [(own, make) for own in settings.for_workers()]


Follow = Callable[["Dispatcher"], Coroutine[Any, Any, None]]
"""What keeps the workers of a dispatcher as they should be, until it is cancelled."""


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
        follow: Follow | None = None,
    ) -> None:
        """`workers`: each with its settings, in place of `workers_here`. `follow` runs along and
        may add workers, or remove them."""
        chosen = workers_here(settings) if workers is None else workers
        self._settings = settings
        self._queue = queue
        self._publish = publish
        self._ledger = Ledger(queue, lambda: self._publish({"type": "queue"}, True))
        self._library = NodeLibrary(settings, publish)
        self._follow = follow
        self.stations = [
            Station(number, own, self._ledger, publish, self._library, make)
            for number, (own, make) in enumerate(chosen, start=1)
        ]
        self.asking = Asking(self.stations)
        """Where the workers are asked for values, plans, tokens and their memory."""
        self.times = NodeTimes(settings.cache / "node_times.json")
        """How long nodes took."""
        self._wakes = {station: asyncio.Event() for station in self.stations}
        self._unclaimed: set[str] = set()
        """Runs that were cancelled after they were claimed and before a worker had them."""
        self._stopping_all = False
        """Whether what is claimed now is put back: the queue is paused at once."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the workers and begin to work through the queue; returns at once."""
        begun = await asyncio.to_thread(take_begun, self._settings)
        self._queue.recover(begun)
        await self._library.remember()
        for station in self.stations:
            await station.start()
            self._spawn(self._work(station))
        self._spawn(self._tidy())
        if self._follow is not None:
            self._spawn(self._follow(self))

    async def add_worker(self, settings: Settings, make: MakeClient) -> None:
        """Have one more worker from now on; its number is in the settings."""
        station = Station(
            settings.worker, settings, self._ledger, self._publish, self._library, make
        )
        self.stations.append(station)
        self._wakes[station] = asyncio.Event()
        await station.start()
        self._spawn(self._work(station))

    async def remove_worker(self, number: int, why: str) -> None:
        """Do without the worker from now on, unless it is the only one or is gone already.

        A run that it is at goes back in line.
        """
        station = next((one for one in self.stations if one.number == number), None)
        if station is None or len(self.stations) == 1:
            return
        self.stations.remove(station)
        del self._wakes[station]
        await station.retire(why)
        self.wake()

    async def stop(self) -> None:
        """End the workers; what was running goes back in line for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(station.stop() for station in self.stations))
        await self._ledger.close()
        await self._library.close()
        await asyncio.to_thread(self.times.save)

    # --- what the routes ask

    @property
    def library(self) -> Library | None:
        """The node definitions, once they are known."""
        return self._library.now

    @property
    def trials(self) -> TrialDesks:
        """Where the trials of VAEs are asked for."""
        return TrialDesks(lambda: [station.trials for station in self.stations])

    def machine_with(self, folder: str, name: str) -> str | None:
        """Another machine that has a model file of this name, as people call it."""
        found = (station.machine_with(folder, name) for station in self.stations)
        return next((machine for machine in found if machine is not None), None)

    async def known_library(self, patience: float = 60.0) -> Library:
        """The node definitions, waited for; raises `NodeDefinitionsUnknown` after `patience`."""
        return await self._library.known(patience, lambda: str(self.worker_status()["message"]))

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

    # --- the work

    async def _work(self, station: Station) -> None:
        while (wake := self._wakes.get(station)) is not None:
            await station.is_ready()
            wake.clear()
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
            await wake.wait()

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
        library = self._library.now
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
        self.asking.ran(run.id, station)
        self._publish_run(run.id, run.status, run.error)
        outcome = await station.work_on(at_work)
        if (wake := self._wakes.get(station)) is not None:
            wake.set()
        after = await self._ledger.do(self._becomes(station, run, outcome))
        self._publish_run(run.id, after.status, after.error)
        if self.library is not None:
            self.times.learn_from(run.workflow, at_work.took, self.library.nodes)
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

    def _publish_run(self, run: str, status: Status, error: str | None) -> None:
        self._publish({"type": "run", "run": run, "status": status, "error": error}, True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
