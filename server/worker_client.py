"""The server's end of the worker: start it, talk to it, notice its death, start it again."""

import asyncio
import contextlib
import itertools
import logging
import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from graph.definition import Data
from server import worker
from server.client import Died, Receive
from server.process_memory import taken_by
from server.settings import Settings
from server.worker_messages import FromWorker, Ready, Stop, Unable
from server.worker_wire import Garbled, joined, packed_or_told, read_said

log = logging.getLogger(__name__)

FAILED_STARTS = 3
"""After this many deaths in a row before it was ready, the worker is not started again."""

TOGETHER = 64
"""Messages that are handed on at once where many come."""

STOP_PATIENCE = 5.0
"""Seconds that a worker has to end by itself before it is killed."""


Unsent = tuple[Connection | None, Data | None]
"""What is to be sent, and where to; None as message ends the sending."""

Entry = Callable[[Connection, dict[str, Any]], None]


class WorkerClient:
    """One worker process after another, as one thing to talk to.

    `receive` is called on the event loop with every message, and with `Died`. `options` are handed
    to the worker beside the settings; they are JSON.
    """

    def __init__(
        self,
        settings: Settings,
        receive: Receive,
        entry: Entry = worker.main,
        options: dict[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._receive = receive
        self._entry = entry
        self._options = options or {}
        self._context = multiprocessing.get_context("spawn")
        self._speaker: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._unsent: queue.SimpleQueue[Unsent] = queue.SimpleQueue()
        self._failed_starts = 0
        self._complaint = ""
        self._verdict = ""
        self._stopping = False
        self._restart: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        self._started = False
        """Whether the process was ready before it was killed."""
        self.heard = time.monotonic()
        """When the worker last said anything."""

    @property
    def log(self) -> str:
        """Where everything is that the process printed."""
        return str(worker.log_path(self._settings))

    def machine_with(self, folder: str, name: str) -> str | None:
        """It is on this machine."""
        return None

    @property
    def is_here(self) -> bool:
        """It reads the files of this machine."""
        return True

    async def start(self) -> None:
        """Start a worker process; returns at once, `ready` is set when it takes runs."""
        loop = self._loop = asyncio.get_running_loop()
        ours, theirs = self._context.Pipe()
        options = {"settings": self._settings.to_json(), **self._options}
        process = self._context.Process(
            target=self._entry, args=(theirs, options), name="latent-loom-worker", daemon=True
        )
        await asyncio.to_thread(process.start)
        theirs.close()  # the worker holds the only copy, so its death closes the pipe
        self._process, self._connection = process, ours
        self.heard = time.monotonic()
        threading.Thread(target=self._listen, args=(loop, process, ours), daemon=True).start()
        if self._speaker is None:
            self._speaker = threading.Thread(target=self._speak, daemon=True)
            self._speaker.start()

    async def send(self, message: Data) -> None:
        """Tell the worker something; where it has just died, `Died` follows instead of an error.

        A thread writes it into the pipe, in order: nobody waits for a worker that is busy.
        """
        self._unsent.put((self._connection, message))

    def kill(self, reason: str) -> None:
        """End the process at once; `Died` follows with this reason, and a new one is started.

        It is not `ready` from now on: what is handed to it before `Died` comes would be lost.
        """
        if self._process is not None:
            self._verdict = reason
            self._started = self.ready.is_set()
            self.ready.clear()
            self._process.kill()

    async def memory_taken(self) -> int | None:
        """Bytes that the process has taken for itself, where the system says so."""
        process = self._process
        if process is None or process.pid is None:
            return None
        return await asyncio.to_thread(taken_by, process.pid)

    async def stop(self) -> None:
        """End the worker for good, gently first."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._restart
        await self.send(Stop())
        if (process := self._process) is not None:
            await asyncio.to_thread(process.join, STOP_PATIENCE)
            if process.is_alive():
                process.kill()
                await asyncio.to_thread(process.join, STOP_PATIENCE)
        self._unsent.put((None, None))
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _speak(self) -> None:
        """Write into the pipe what is to be sent (in a thread of its own)."""
        while True:
            unsent = [self._unsent.get()]
            while len(unsent) < TOGETHER and not self._unsent.empty():
                unsent.append(self._unsent.get())
            for connection, group in itertools.groupby(unsent, lambda one: one[0]):
                packed = [self._packed(message) for _, message in group if message is not None]
                told = [one for one in packed if one is not None]
                # Broken, or closed by another thread meanwhile: the listener hears of it, too.
                with contextlib.suppress(OSError, TypeError):
                    if connection is not None and told:
                        connection.send_bytes(joined(told))
            if unsent[-1][1] is None:
                return

    def _packed(self, message: Data) -> bytes | None:
        """The message as bytes; where it cannot be written, whoever sent it is told."""
        packed = packed_or_told(message)
        if not isinstance(packed, Garbled):
            return packed
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._receive, packed)
        return None

    def _listen(
        self, loop: asyncio.AbstractEventLoop, process: BaseProcess, connection: Connection
    ) -> None:
        """Hand each message to the event loop, until the pipe closes (in a thread of its own)."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody listens any more
            try:
                while True:
                    loop.call_soon_threadsafe(self._heard_all, _said(connection))
            except (EOFError, OSError):
                process.join(STOP_PATIENCE)
                loop.call_soon_threadsafe(self._closed, process)

    def _heard_all(self, messages: Sequence[FromWorker | Garbled]) -> None:
        self.heard = time.monotonic()
        for message in messages:
            self._heard(message)

    def _heard(self, message: FromWorker | Garbled) -> None:
        if isinstance(message, Ready):
            self._failed_starts = 0
            self.ready.set()
        if isinstance(message, Unable):
            self._complaint = message.error
            return
        self._receive(message)

    def _closed(self, process: BaseProcess) -> None:
        if self._stopping or process is not self._process:
            return
        if process.is_alive():
            process.kill()  # it closed its end of the pipe and went on: of no use to anybody
        was_ready = self.ready.is_set() or self._started
        if not was_ready:
            self._failed_starts += 1
        self._started = False
        self.ready.clear()
        again = self._failed_starts < FAILED_STARTS
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None
        unable = self._complaint
        if unable and not was_ready:
            unable = f"it could not start ({unable})"
        reason = self._verdict or unable or _reason(process.exitcode)
        self._verdict = self._complaint = ""
        log.error("The worker process ended: %s.", reason)
        if again:
            self._restart = asyncio.get_running_loop().create_task(self._start_again())
        self._receive(Died(reason, again))

    async def _start_again(self) -> None:
        await asyncio.sleep(self._failed_starts * 1.0)
        await self.start()


def _said(connection: Connection) -> list[FromWorker | Garbled]:
    """What the worker says, waited for, with all that it has said by then."""
    messages = [*read_said(connection.recv_bytes())]
    with contextlib.suppress(EOFError, OSError):  # the next call meets it again
        while len(messages) < TOGETHER and connection.poll(0):
            messages += read_said(connection.recv_bytes())
    return messages


def _reason(code: int | None) -> str:
    """Why a process with this exit code ended, as a clause."""
    if code is None:
        return "it stopped answering"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
        return f"it was killed by signal {name}{hint}"
    return f"it exited with code {code}"
