"""One worker and the run that it is at: follow it, cancel it, and tell what became of it."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from server.ahead import Ahead, give_back_the_stuck
from server.client import Client, Died, MakeClient, State, Unfit
from server.garbled import make_good
from server.heartbeat import replace_silent
from server.lacking import Lacking
from server.ledger import Ledger
from server.limits import keep_within_limits
from server.office import Office, Publish
from server.questions import Questions
from server.queue import Run
from server.run_at_work import Outcome, PutBack, RunAtWork
from server.runs_at_work import RunsAtWork
from server.settings import Settings
from server.trial_desk import TrialDesk
from server.worker_client import WorkerClient
from server.worker_messages import (
    Cancel,
    Ended,
    FromWorker,
    Happened,
    Library,
    Ready,
    StartTogether,
    Withdraw,
    Withdrawn,
)
from server.worker_questions import MemoryReport, Planned, Tokens, Tried, Unanswered, Value
from server.worker_wire import Garbled

log = logging.getLogger(__name__)

SILENCE = 30.0
"""Seconds without a sign of life after which the status says so."""

CANCEL_PATIENCE = 20.0
"""Seconds that a cancelled run has to stop by itself before its worker is ended."""


class Station:
    """A worker process (one after the other, where they die) and the run that it is at.

    `number` counts from 1 and is told with everything that is published of the worker.
    """

    def __init__(
        self,
        number: int,
        settings: Settings,
        ledger: Ledger,
        publish: Publish,
        office: Office,
        make: MakeClient = WorkerClient,
    ) -> None:
        self.number = number
        self.device = ""
        self.together = 1
        """How many runs at once are worth its while."""
        self.models = ""
        """The models of the run before, in the form of `Run.models`."""
        self.draining = False
        """Whether it is to begin no other run."""
        self.lacks = Lacking()
        """Models that its machine was found not to have."""
        self._settings = settings
        self._ahead = Ahead()
        self._publish = publish
        self._office = office
        self._state: State = "starting"
        self._message = "The worker is starting."
        self._client: Client = make(settings, self._received)
        self.ask = Questions(self._client)
        self.trials = TrialDesk(self._client, lambda: self.run is not None)
        """Where the trials of VAEs are asked for."""
        self.at_work = RunsAtWork(ledger, publish)
        """The runs that it is at."""
        self._fresh = True
        """Whether the worker process has not ended a run yet."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def run(self) -> Run | None:
        """The run that it is at, the first one where there are several."""
        return None if self.at_work.first is None else self.at_work.first.run

    async def start(self) -> None:
        """Start the worker; returns at once."""
        await self._client.start()
        self._spawn(replace_silent(self._client, self._is_computing))
        self._spawn(keep_within_limits(self, self._settings))
        self._spawn(give_back_the_stuck(self._client, self.at_work, self._ahead))

    async def stop(self) -> None:
        """End the worker; a run that is running goes back in line for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.stop()
        self.at_work.release()
        self.ask.died()

    async def retire(self, why: str) -> None:
        """End the worker for good; what it is at goes back in line."""
        self.draining = True
        for at_work in self.at_work:
            at_work.end(PutBack())
        self.trials.died()
        await self.stop()
        self._set_state("stopped", why)

    def machine_with(self, folder: str, name: str) -> str | None:
        """Its machine as people call it, if it is another one and has a model file so called."""
        return self._client.machine_with(folder, name)

    @property
    def is_given_up(self) -> bool:
        """Whether its worker could not be started and is not tried again."""
        return self._state == "stopped"

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

    @property
    def room(self) -> int:
        """How many more runs it should be handed now: several where runs are short."""
        most = self._ahead.most if self._client.is_here else 1
        # Many at a time, so that their claims are one transaction.
        return most - len(self.at_work) if len(self.at_work) <= most // 2 else 0

    def take(self, run: Run) -> RunAtWork:
        """The run, which counts as being at the worker from now on; `work_on` follows."""
        if not self.at_work:
            self._ahead.begin()
        at_work = self.at_work.take(run)
        self.models = run.models
        if self._state != "busy":
            self._set_state("busy", "")
        return at_work

    async def begin_together(self, several: Sequence[RunAtWork]) -> None:
        """Have the worker begin runs that were taken at the same time."""
        for at_work in several:
            at_work.is_begun = True
        starts = tuple(at_work.start for at_work in several)
        await self._client.send(StartTogether(starts=starts))

    async def work_on(self, at_work: RunAtWork) -> Outcome:
        """Run the run, if it is not begun yet, and say what became of it."""
        if not at_work.is_begun:
            await self._client.send(at_work.start)
        outcome = await at_work.outcome
        self.at_work.drop(at_work)
        self._ahead.ended()
        self._fresh = False
        if self._state == "busy" and not self.at_work:
            self._set_state("ready", "")
        return outcome

    async def cancel(self, run: str, *, put_back: bool = False) -> None:
        """Stop the run, if it is at this one; with `put_back` it is to be run again later."""
        at_work = self.at_work.get(run)
        if at_work is None:
            return
        at_work.returning = put_back
        at_work.is_cancelled = not put_back
        if self.at_work.is_behind(at_work):
            await self._client.send(Withdraw(runs=(run,)))
        await self._client.send(Cancel(run=run))
        self._spawn(self._insist(at_work))

    def restart(self, why: str = "it was to be restarted") -> None:
        """End the worker for this reason; another one is started in its place."""
        self._client.kill(why)

    async def _insist(self, at_work: RunAtWork) -> None:
        """End the worker if the run has not stopped in time."""
        await asyncio.sleep(CANCEL_PATIENCE)
        run = at_work.run.id
        if self.at_work.get(run) is at_work and not at_work.outcome.done():
            log.warning("Run %s did not stop when it was cancelled; its worker is ended.", run)
            self.at_work.put_back_behind()
            self.at_work.ended(Ended(run=run, status="cancelled"))
            self._client.kill("its run did not stop when it was cancelled")

    # --- what its limits ask (`server.limits.Watched`)

    def seconds_for(self, at_work: RunAtWork) -> float | None:
        """The limit that the running node's own pack sets."""
        return self._office.seconds_for(at_work.run, at_work.node)

    def title(self, at_work: RunAtWork) -> str:
        """The running node as people know it."""
        return self._office.title(at_work.run, at_work.node)

    async def memory_taken(self) -> int | None:
        """Bytes that the worker process has taken, where that can be known."""
        return await self._client.memory_taken()

    def stop_run(self, at_work: RunAtWork, why: str) -> None:
        """Stop the run, which fails with this sentence; gently first."""
        at_work.condemn(why)
        self._spawn(self.cancel(at_work.run.id))

    def end_worker(self, why: str) -> None:
        """End the process. What runs in it fails, unless other runs may have had a part in that."""
        self.at_work.fail(why, fresh=self._fresh)
        if self.at_work or not self._fresh:  # else it would be ended again as soon as it started
            self._client.kill("it took more memory than it may")

    # --- what the worker says

    def _received(self, message: FromWorker | Died | Unfit | Garbled) -> None:
        match message:
            case Library():
                self._office.learn(message)
            case Ready(device=device, together=together):
                self.device, self.together = device, together
                self._set_state("ready", "")
            case Happened(run=run, event=event):
                self.at_work.happened(run, event)
            case Ended():
                self.at_work.ended(message)
            case Value() | Planned() | Tokens() | MemoryReport() | Unanswered():
                self.ask.received(message)
            case Tried():
                self.trials.received(message)
            case Withdrawn(runs=runs):
                for run in runs:
                    self.at_work.withdrawn(run)
            case Died():
                self._died(message)
            case Garbled():
                make_good(self, message)
            case Unfit(run=run):
                if (at_work := self.at_work.get(run)) is not None:
                    at_work.end(message)

    def _died(self, died: Died) -> None:
        self.models = ""
        self._fresh = True
        self.trials.died()
        self.ask.died()
        where = f"Its log is {self._client.log}."
        if died.again:
            self._set_state("starting", f"The worker died: {died.reason}. It is being restarted.")
        else:
            self._set_state("stopped", f"The worker cannot be started: {died.reason}. {where}")

        def told(at_work: RunAtWork) -> str:
            during = f" while the node {self.title(at_work)} was running" if at_work.node else ""
            return f"The worker process died{during}: {died.reason}. {where}"

        self.at_work.died(told)

    def _is_computing(self) -> bool:
        return any(at_work.node for at_work in self.at_work)

    def _set_state(self, state: State, message: str) -> None:
        self._state, self._message = state, message
        self._publish(
            {"type": "worker", "number": self.number, "state": state, "message": message}, True
        )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
