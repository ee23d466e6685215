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
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from diffusion import heap
from graph.cancel import Cancel as CancelWish
from graph.definition import Data
from server.settings import Settings
from server.worker_messages import (
    TO_WORKER,
    Alive,
    AskMemory,
    AskPlan,
    AskTokens,
    AskTrial,
    AskValue,
    Cancel,
    Question,
    Start,
    Stop,
    ToWorker,
    Unable,
    pack,
)

HEARTBEAT = 5.0
"""Seconds between signs of life."""

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
    inbox = Inbox(connection)
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
        runner.run(start, inbox.begin(start.run))


class Inbox:
    """Both directions of the pipe; a thread reads, so that a wish to cancel arrives in a run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._changing = threading.Lock()
        self._current: tuple[str, CancelWish] | None = None
        self._cancelled: set[str] = set()
        self.starts: queue.SimpleQueue[Start | None] = queue.SimpleQueue()
        self.trials: queue.SimpleQueue[AskTrial] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[Question] = queue.SimpleQueue()

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, message: Data) -> None:
        """Tell the server; where it is gone, the reading thread ends this process."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.send_bytes(pack(message))

    def begin(self, run: str) -> CancelWish:
        """The wish to cancel `run`, which is the current one from now on."""
        with self._changing:
            wish = CancelWish()
            if run in self._cancelled:
                wish.request()
            self._current = (run, wish)
            self._cancelled.clear()
            return wish

    def _read(self) -> None:
        while True:
            try:
                message = TO_WORKER.validate_json(self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)  # the server is gone: nothing is left to work for, whatever runs
            self._sort(message)

    def _sort(self, message: ToWorker) -> None:
        match message:
            case Start():
                self.starts.put(message)
            case AskValue() | AskPlan() | AskTokens() | AskMemory():
                self.asked.put(message)
            case AskTrial():
                self.trials.put(message)
            case Cancel(run=run):
                with self._changing:
                    if self._current is not None and self._current[0] == run:
                        self._current[1].request()
                    else:
                        self._cancelled.add(run)  # it came before its run was begun
            case Stop():
                if self._current is not None:
                    self._current[1].request()
                self.starts.put(None)


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
