"""What becomes of a message between server and worker that did not get through.

Whoever waits for it is told. Where nobody knows who that is, another worker is started, as nothing
can be relied upon any more.
"""

import logging
from typing import Protocol

from server.questions import Questions
from server.run_at_work import RunAtWork
from server.runs_at_work import RunsAtWork
from server.trial_desk import TrialDesk
from server.worker_inbox import BEGINNINGS
from server.worker_messages import Ended
from server.worker_questions import Tried, Unanswered
from server.worker_wire import ADVICE, Garbled

log = logging.getLogger(__name__)

SENTENCE = (
    "Something that the program and its worker say to each other of this run did not get through: "
    "{why}. " + ADVICE
)


class Concerned(Protocol):
    """The station between whose worker and the server a message was lost."""

    number: int
    at_work: RunsAtWork
    ask: Questions
    trials: TrialDesk

    def stop_run(self, at_work: RunAtWork, why: str) -> None:
        """Stop the run, which fails with this sentence."""
        ...

    def restart(self, why: str) -> None:
        """End the worker for this reason; another one is started in its place."""
        ...


def make_good(station: Concerned, lost: Garbled) -> None:
    """Tell whoever waits for the message."""
    log.error("Between the server and worker %d: %s", station.number, lost)
    if lost.runs:
        for at_work in filter(None, map(station.at_work.get, lost.runs)):
            why = SENTENCE.format(why=lost.why)
            if lost.kind in (*BEGINNINGS, "ended"):  # the worker is not at it
                at_work.end(Ended(run=at_work.run.id, status="failed", error=why))
            elif not at_work.fails_anyway:
                at_work.fails_anyway = True
                station.stop_run(at_work, why)
    elif lost.id is None:
        station.restart(f"the program and it do not understand each other: {lost.why}")
    elif lost.kind in ("ask_trial", "tried"):
        station.trials.received(Tried(id=lost.id, trouble=lost.why))
    else:
        station.ask.received(Unanswered(id=lost.id, trouble=lost.why))
