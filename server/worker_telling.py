"""Tell the server of each run's events, from the thread that it runs in."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from graph.events import Event, NodeChanged, Noted
from server.worker_inbox import Send
from server.worker_memory import Holding
from server.worker_messages import Happened
from server.worker_services import RunContext

log = logging.getLogger(__name__)

Emit = Callable[[Event], None]


class Telling:
    """Knows which run a thread is at, so that a note finds the node that it is about."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._threads = threading.local()

    @contextmanager
    def of(self, context: RunContext) -> Iterator[Emit]:
        """What tells the server of the run's events; at its end, it uses no model any more."""
        memory = context.engine.memory if context.engine else None
        holding = Holding(memory, "" if context.member is None else context.run)

        def emit(event: Event) -> None:
            if isinstance(event, NodeChanged) and event.seconds is not None:
                context.timing.seconds[event.node] = event.seconds
            self._send(Happened(run=context.run, event=holding.note(event)))

        self._threads.now = emit, holding
        try:
            yield emit
        finally:
            del self._threads.now
            holding.end()

    def note(self, sentence: str) -> None:
        """Have the person who waits read it, at the node that runs in this thread."""
        log.warning("%s", sentence)
        if hasattr(self._threads, "now"):
            emit, holding = self._threads.now
            emit(Noted(node=holding.node, message=sentence))
