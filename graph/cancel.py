"""Ask a run to stop, from another thread, at the next place where stopping is clean."""

import threading


class Cancelled(BaseException):
    """A run was asked to stop. Not an `Exception`, so that a node's own handlers let it pass."""


class Cancel:
    """One run's wish to stop: set by anyone, at any time; looked at by whoever does the work.

    The executor looks between nodes; services hand it to long loops (sampling steps, tiles, tensors
    of a file). It is never unset: a run that was cancelled stays so.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raise `Cancelled` if the run was asked to stop."""
        if self._event.is_set():
            raise Cancelled
