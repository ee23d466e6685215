"""The worker's end of the pipe: what it is told, sorted by who does it, and what it says.

Nothing heavy is imported here.
"""

import contextlib
import logging
import os
import queue
import threading
import traceback
from collections import deque
from collections.abc import Callable, Collection, Sequence
from multiprocessing.connection import Connection

from graph.cancel import Cancel as CancelWish
from graph.definition import Data
from graph.events import NodeChanged
from server.begun import Begun
from server.worker_messages import (
    Cancel,
    Ended,
    Happened,
    Start,
    StartTogether,
    Stop,
    ToWorker,
    Unable,
    Withdraw,
    Withdrawn,
)
from server.worker_questions import (
    AskMemory,
    AskPlan,
    AskTokens,
    AskTrial,
    AskValue,
    Question,
    Tried,
    Unanswered,
)
from server.worker_wire import ADVICE, Garbled, joined, pack, read_told

TOGETHER = 32
"""Messages that are sent together at most."""

BEGINNINGS = ("start", "start_together")
"""The kinds of messages that begin runs."""

LOST_FOR_WORDS = 4
"""The exit code of a process that cannot go on as it does not understand the server."""

log = logging.getLogger(__name__)

Send = Callable[[Data], None]


class Inbox:
    """Both directions of the pipe; a thread reads, so that a wish to cancel arrives in a run."""

    def __init__(self, connection: Connection, begun: Begun | None = None) -> None:
        """`begun` keeps which runs were begun, beyond the process's death."""
        self._connection = connection
        self._begun = begun
        self._unsent: list[bytes] = []
        self._sending = threading.Lock()
        self._changing = threading.Lock()
        self._current: dict[str, CancelWish] = {}
        self._cancelled: set[str] = set()
        self.starts = Starts()
        self.trials: queue.SimpleQueue[AskTrial] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[Question] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=or_end, args=(self._read,), daemon=True).start()

    def send(self, message: Data) -> None:
        """Tell the server; where it is gone, the reading thread ends this process.

        That a node waits or has finished is told with the next message, which follows at once.
        Raises `ValueError` where the message holds what cannot be told; nothing else is lost then.
        """
        packed = pack(message)
        with self._sending, contextlib.suppress(OSError):
            self._unsent.append(packed)
            if not _can_wait(message) or len(self._unsent) >= TOGETHER:
                unsent, self._unsent = self._unsent, []
                self._connection.send_bytes(joined(unsent))

    def begin(self, run: str) -> CancelWish:
        """The wish to cancel `run`, which is the current one from now on."""
        return self.begin_all([run])[0]

    def begin_all(self, runs: Sequence[str]) -> list[CancelWish]:
        """The wish to cancel each of the runs, which are the current ones from now on."""
        with self._changing:
            self._current = {run: CancelWish() for run in runs}
            for run, wish in self._current.items():
                if run in self._cancelled:
                    wish.request()
                    self._cancelled.discard(run)
            wishes = list(self._current.values())
        if self._begun is not None:
            for run in runs:
                self._begun.note(run)
        return wishes

    def _read(self) -> None:
        while True:
            try:
                told = self._connection.recv_bytes()
            except (EOFError, OSError):
                os._exit(0)  # the server is gone: nothing is left to work for, whatever runs
            for message in read_told(told):
                self._sort(message)

    def _sort(self, message: ToWorker | Garbled) -> None:
        match message:
            case Garbled():
                self._say_that_it_is_garbled(message)
            case Start() | StartTogether():
                self.starts.put(message)
            case AskValue() | AskPlan() | AskTokens() | AskMemory():
                self.asked.put(message)
            case AskTrial():
                self.trials.put(message)
            case Cancel(run=run):
                with self._changing:
                    if run in self._current:
                        self._current[run].request()
                    else:
                        self._cancelled.add(run)  # it came before its run was begun
            case Withdraw(runs=runs):
                self.send(Withdrawn(runs=self.starts.withdraw(runs)))
            case Stop():
                for wish in list(self._current.values()):
                    wish.request()
                self.starts.end()

    def _say_that_it_is_garbled(self, told: Garbled) -> None:
        """A run that cannot be begun fails, a question is open no longer; else this process ends,
        as nobody would know that it does not do what it was told."""
        why = f"the worker cannot read what it was told ({told.why})"
        log.error("%s: kind %r, runs %s.", why, told.kind, told.runs)
        if told.kind in BEGINNINGS and told.runs:
            error = f"The run could not be begun: {why}. {ADVICE}"
            for run in told.runs:
                self.send(Ended(run=run, status="failed", error=error))
        elif told.kind == "ask_trial" and told.id is not None:
            self.send(Tried(id=told.id, trouble=why))
        elif told.id is not None:
            self.send(Unanswered(id=told.id, trouble=why))
        else:
            self.send(Unable(error=why))
            os._exit(LOST_FOR_WORDS)


class Starts:
    """The runs that are to be begun, in order; a thread takes them while another one adds."""

    def __init__(self) -> None:
        self._waiting: deque[Start | StartTogether | None] = deque()
        self._change = threading.Condition()

    def put(self, start: Start | StartTogether) -> None:
        """Add a run behind the others."""
        with self._change:
            self._waiting.append(start)
            self._change.notify()

    def get(self) -> Start | StartTogether | None:
        """The next run, waited for; None where there will be none."""
        with self._change:
            while not self._waiting:
                self._change.wait()
            return self._waiting.popleft()

    def withdraw(self, runs: Collection[str]) -> tuple[str, ...]:
        """Take those of the runs out that wait; which ones they were."""
        with self._change:
            alone = [start for start in self._waiting if isinstance(start, Start)]
            given = [start for start in alone if start.run in runs]
            kept = [start for start in self._waiting if start not in given]
            self._waiting = deque(kept)
            return tuple(start.run for start in given)

    def end(self) -> None:
        """Drop what waits: nothing else is begun."""
        with self._change:
            self._waiting = deque([None])
            self._change.notify()


def or_end(work: Callable[[], None]) -> None:
    """Do the work of a thread that the process cannot live without."""
    try:
        work()
    except Exception:  # noqa: BLE001  the edge of the process
        traceback.print_exc()
        os._exit(1)  # the server starts another process; this one would be silent for ever


def _can_wait(message: Data) -> bool:
    return (
        isinstance(message, Happened)
        and isinstance(message.event, NodeChanged)
        and message.event.state in ("waiting", "cached", "finished")
    )
