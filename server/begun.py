"""Which runs workers had begun, in small files that a killed program leaves behind.

A server hands short runs to a worker ahead of time, each claimed in the queue's database. Only the
worker knows which of them it began; it writes that here first. What was claimed and never begun
loses no attempt when everything is killed.
"""

import contextlib
import logging
from pathlib import Path
from typing import BinaryIO

from server.settings import Settings

log = logging.getLogger(__name__)

PLACES = 512
"""Runs that a file holds, the newest ones; several times as many as are handed out ahead."""

WIDTH = 16
"""Bytes of a run's place: its id, filled up with spaces."""


class Begun:
    """Writes down each run that this worker begins. Its file has all its bytes from the start, so
    that it can be written on a full disk, too."""

    def __init__(self, path: Path) -> None:
        """What an earlier worker wrote there stays until it is written over."""
        self._file: BinaryIO | None = None
        self._count = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.stat().st_size != PLACES * WIDTH:
                path.write_bytes(b" " * (PLACES * WIDTH))
            self._file = path.open("r+b", buffering=0)
        except OSError as error:
            log.warning("Which runs are begun cannot be written to %s: %s", path, error)

    def note(self, run: str) -> None:
        """The run is being begun."""
        if self._file is None:
            return
        try:
            self._file.seek(self._count % PLACES * WIDTH)
            self._file.write(run.encode()[:WIDTH].ljust(WIDTH))
        except OSError as error:
            log.warning("That run %s is begun could not be written: %s", run, error)
        self._count += 1


def begun_path(settings: Settings) -> Path:
    """The file of the worker that has these settings."""
    return settings.data / "begun" / str(settings.worker)


def take_begun(settings: Settings) -> set[str] | None:
    """The runs that workers of the last start began; from now on they are forgotten.

    None where there is nothing to know it from. To be called before any worker is started.
    """
    folder = settings.data / "begun"
    if not folder.is_dir():
        return None
    found: set[str] = set()
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            text = path.read_bytes().decode("ascii", "replace")
            found.update(text[at : at + WIDTH].strip() for at in range(0, len(text), WIDTH))
            path.unlink()
    return found - {""}
