"""The runs that one worker is at, in the order in which it begins them, and what becomes of
them."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import quote

from graph.events import Event, NodeChanged, Previewed, Produced
from server.ledger import Ledger
from server.office import Publish
from server.queue import Run, progress
from server.run_at_work import Lost, Outcome, PutBack, RunAtWork
from server.worker_messages import Ended


class RunsAtWork:
    """See above; to be used from the event loop's thread. Several where runs are short, or are
    sampled together."""

    def __init__(self, ledger: Ledger, publish: Publish) -> None:
        self._ledger = ledger
        self._publish = publish
        self._runs: dict[str, RunAtWork] = {}

    def __iter__(self) -> Iterator[RunAtWork]:
        return iter(list(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)

    def __contains__(self, at_work: object) -> bool:
        return any(one is at_work for one in self)

    @property
    def first(self) -> RunAtWork | None:
        """The one that the worker begins, or began, before the others."""
        return next(iter(self._runs.values()), None)

    @property
    def behind(self) -> list[RunAtWork]:
        """Those that the worker begins when it has ended another one."""
        return [one for one in self if self.is_behind(one)]

    def is_behind(self, at_work: RunAtWork) -> bool:
        """Whether the worker has another run to end before it begins this one."""
        return at_work is not self.first and not at_work.is_begun

    def put_back_behind(self) -> None:
        """Put back what is behind another run, before its worker dies of that one.

        Once that run has left, the next in line would count as the one that the worker was at.
        """
        for one in self.behind:
            one.end(PutBack())

    def get(self, run: str) -> RunAtWork | None:
        """The run, if the worker is at it."""
        return self._runs.get(run)

    def take(self, run: Run) -> RunAtWork:
        """The run, which counts as being at the worker from now on."""
        at_work = self._runs[run.id] = RunAtWork(run, self._ledger)
        return at_work

    def drop(self, at_work: RunAtWork) -> None:
        """The worker is at the run no longer."""
        at_work.write()
        del self._runs[at_work.run.id]

    def release(self) -> None:
        """Write how far each came, and put it back in line for the next start."""
        for at_work in self:
            at_work.write()
            self._ledger.note(partial(progress.release, run=at_work.run.id))

    # --- what the worker says of them

    def happened(self, run: str, event: Event) -> None:
        """Something happened in the run: note it, and tell everybody."""
        at_work = self._runs.get(run)
        if at_work is None:
            return  # of a run that was given up meanwhile
        if isinstance(event, Previewed):
            url = f"/api/runs/{run}/preview/{quote(event.node, safe='')}?step={event.step}"
            self._publish({"type": "preview", "run": run, "node": event.node, "url": url}, False)
            return
        if isinstance(event, NodeChanged):
            at_work.note(event)
        if isinstance(event, Produced):
            self._ledger.note(partial(progress.produced, run=run, output=event))
        self._publish({**event.model_dump(mode="json"), "run": run}, True)

    def ended(self, ended: Ended) -> None:
        """The worker ended the run; where it was stopped for a reason, that is what it fails of."""
        at_work = self._runs.get(ended.run)
        if at_work is None:
            return
        if at_work.verdict and (at_work.fails_anyway or ended.status == "cancelled"):
            if at_work.blamed:
                failed = NodeChanged(node=at_work.blamed, state="failed", message=at_work.verdict)
                self.happened(ended.run, failed)
            at_work.end(Ended(run=ended.run, status="failed", error=at_work.verdict))
        elif ended.status == "cancelled" and at_work.returning:
            at_work.end(PutBack())
        else:
            at_work.end(ended)

    def withdrawn(self, run: str) -> None:
        """The worker gave the run back without having begun it."""
        if (at_work := self._runs.get(run)) is None:
            return
        if at_work.is_cancelled:
            self.ended(Ended(run=run, status="cancelled"))
        else:
            at_work.end(PutBack())

    # --- what becomes of them when the worker ends

    def died(self, told: Callable[[RunAtWork], str]) -> None:
        """The worker process died. Those behind had no part in that; `told` says it of the others
        as a sentence."""
        for at_work in self:
            if self.is_behind(at_work):
                at_work.end(PutBack())
                continue
            why = told(at_work)
            self._fail_nodes(at_work, "The worker process died while this node was running.")
            at_work.end(Lost(why))

    def fail(self, why: str, *, fresh: bool) -> None:
        """The worker is ended because of what its runs do. They fail with this sentence, and are
        tried again where others may have had a part in that: unless it is a `fresh` process, in
        which one run alone was begun."""
        blameless = not fresh or sum(one.is_begun for one in self) > 1
        for at_work in self:
            if self.is_behind(at_work):
                at_work.end(PutBack())
                continue
            self._fail_nodes(at_work, why)
            failed: Outcome = Ended(run=at_work.run.id, status="failed", error=why)
            at_work.end(Lost(why) if blameless else failed)

    def _fail_nodes(self, at_work: RunAtWork, why: str) -> None:
        for node in at_work.nodes:
            self.happened(at_work.run.id, NodeChanged(node=node, state="failed", message=why))
