"""The worker process: it owns torch and a device, runs workflows, and may die without harm.

Nothing heavy is imported here: the server imports this module to start the process.
"""

import contextlib
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Collection, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from diffusion import heap
from graph.cancel import Cancel as CancelWish
from graph.definition import Data
from graph.events import NodeChanged
from server.begun import Begun, begun_path
from server.settings import Settings
from server.worker_messages import (
    TOLD,
    Alive,
    AskMemory,
    AskPlan,
    AskTokens,
    AskTrial,
    AskValue,
    Cancel,
    Happened,
    Question,
    Start,
    StartTogether,
    Stop,
    ToWorker,
    Unable,
    Withdraw,
    Withdrawn,
    pack_all,
)

HEARTBEAT = 5.0
"""Seconds between signs of life."""

TOGETHER = 32
"""Messages that are sent together at most."""

LARGEST_LOG = 10 * 2**20
"""Bytes; a longer log is set aside when the next worker starts."""

Send = Callable[[Data], None]


def log_path(settings: Settings) -> Path:
    """Where everything goes that the worker prints, tracebacks included."""
    number = "" if settings.worker == 1 else f"-{settings.worker}"
    return settings.data / "logs" / f"worker{number}.log"


def main(connection: Connection, options: dict[str, Any]) -> None:
    """Serve the pipe until it says stop or closes. `options` are JSON: see `worker_runs.Runner`."""
    settings = Settings.from_json(options["settings"])
    _print_into(log_path(settings))
    # Ctrl+C in the terminal reaches both processes; the server decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heap.let_threads_sleep()
    heap.keep_large_blocks()
    inbox = Inbox(connection, Begun(begun_path(settings)))
    inbox.start()
    threading.Thread(target=_beat, args=(inbox.send,), daemon=True).start()
    try:
        from server.worker_runs import Runner  # the slow part: it imports torch

        runner = Runner(settings, inbox.send, options)
    except Exception as error:
        traceback.print_exc()
        inbox.send(Unable(error=f"{type(error).__name__}: {error}"))
        raise
    runner.announce()
    threading.Thread(target=_answer, args=(inbox, runner.answer), daemon=True).start()
    threading.Thread(target=_try, args=(inbox,), daemon=True).start()
    while (start := inbox.starts.get()) is not None:
        if isinstance(start, StartTogether):
            runner.run_together(start.starts, inbox.begin_all([one.run for one in start.starts]))
        else:
            runner.run(start, inbox.begin(start.run))


class Inbox:
    """Both directions of the pipe; a thread reads, so that a wish to cancel arrives in a run."""

    def __init__(self, connection: Connection, begun: Begun | None = None) -> None:
        """`begun` keeps which runs were begun, beyond the process's death."""
        self._connection = connection
        self._begun = begun
        self._unsent: list[Data] = []
        self._sending = threading.Lock()
        self._changing = threading.Lock()
        self._current: dict[str, CancelWish] = {}
        self._cancelled: set[str] = set()
        self.starts = Starts()
        self.trials: queue.SimpleQueue[AskTrial] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[Question] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: Data) -> None:
        """Tell the server; where it is gone, the reading thread ends this process.

        That a node waits or has finished is told with the next message, which follows at once.
        """
        with self._sending, contextlib.suppress(OSError):
            self._unsent.append(message)
            if not _can_wait(message) or len(self._unsent) >= TOGETHER:
                unsent, self._unsent = self._unsent, []
                self._connection.send_bytes(pack_all(unsent))

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
                messages = TOLD.validate_json(self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)  # the server is gone: nothing is left to work for, whatever runs
            for message in messages:
                self._sort(message)

    def _sort(self, message: ToWorker) -> None:
        match message:
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


def _can_wait(message: Data) -> bool:
    return (
        isinstance(message, Happened)
        and isinstance(message.event, NodeChanged)
        and message.event.state in ("waiting", "cached", "finished")
    )


def _answer(inbox: Inbox, answer: Callable[[Question], Data]) -> None:
    while True:
        inbox.send(answer(inbox.asked.get()))


def _try(inbox: Inbox) -> None:
    """Try VAEs in a thread of its own, as each takes seconds and questions should not wait."""
    from server.worker_trials import tried

    while True:
        inbox.send(tried(inbox.trials.get()))


def _beat(send: Send) -> None:
    pause = threading.Event()
    while not pause.wait(HEARTBEAT):
        send(Alive())


def set_aside(log: Path) -> None:
    """Give a log that has grown long another name; the one that had it is lost."""
    with contextlib.suppress(OSError):  # none there yet; on Windows: another process has it open
        if log.stat().st_size > LARGEST_LOG:
            os.replace(log, log.with_suffix(".old.log"))


def _print_into(path: Path) -> None:
    """Send all that this process prints, native code included, to the end of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    set_aside(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    stream = os.fdopen(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)
    sys.stdout = sys.stderr = stream
    faulthandler.enable(stream)
    logging.basicConfig(
        level=logging.INFO, stream=stream, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
