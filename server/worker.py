"""The worker process: it owns torch and a device, runs workflows, and may die without harm.

Nothing heavy is imported here: the server imports this module to start the process.
"""

import contextlib
import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from diffusion import heap
from graph.definition import Data
from server.begun import Begun, begun_path
from server.settings import Settings
from server.worker_inbox import Inbox, Send
from server.worker_messages import Alive, StartTogether, Unable
from server.worker_questions import Question, Unanswered

HEARTBEAT = 5.0
"""Seconds between signs of life."""

LARGEST_LOG = 10 * 2**20
"""Bytes; a longer log is set aside when the next worker starts."""


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


def _answer(inbox: Inbox, answer: Callable[[Question], Data]) -> None:
    while True:
        asked = inbox.asked.get()
        try:
            inbox.send(answer(asked))
        except Exception as error:  # noqa: BLE001  a question must not end the process
            traceback.print_exc()
            inbox.send(Unanswered(id=asked.id, trouble=f"{type(error).__name__}: {error}"))


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
