"""Show how far a node is: its newest preview at once, and one of each step to look back at."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy

from diffusion.preview import jpeg
from graph.events import Previewed, Progressed
from graph.execute import Call
from nodes import services
from nodes.new_files import replace
from server.previews import preview_name, preview_path, step_path
from server.settings import Settings

log = logging.getLogger(__name__)

PROGRESS_EVERY = 0.05
"""Seconds between two tellings of progress, the last step excepted."""

PREVIEW_EVERY = 0.3
"""Seconds between two previews that the page is told of."""

MOST_STEPS = 64
"""Previews of one node that are kept; of more steps every second, fourth, ... is."""

COSTLY = 0.1
"""A preview of every step is made while it takes at most this share of the time of the steps."""


class RunProgress(services.Progress):
    """Tells the server, and no more often than anybody could see."""

    def __init__(self, settings: Settings, run: str, call: Call) -> None:
        self._call = call
        self._file = preview_path(settings, run, call.node)
        self._steps = StepPictures(settings, run, call.node)
        self._told = self._shown = float("-inf")
        self._begun = time.monotonic()
        self._spent = 0.0

    def step(self, step: int, steps: int, label: str = "") -> None:
        now = time.monotonic()
        if step < steps and now - self._told < PROGRESS_EVERY:
            return
        self._told = now
        self._call.emit(Progressed(node=self._call.node, step=step, steps=steps, label=label))

    def preview(self, step: int, make: Callable[[], numpy.ndarray]) -> None:
        now = time.monotonic()
        due = now - self._shown >= PREVIEW_EVERY
        if not due and self._spent > COSTLY * (now - self._begun):
            return
        picture = jpeg(make())
        self._spent += time.monotonic() - now
        try:
            self._steps.keep(step, picture)
            if not due:
                return
            self._shown = now
            _write(self._file, picture)
        except OSError as error:  # a full disk; on Windows, a page that reads the last preview
            log.info("A preview could not be written: %s", error)
            return
        file = preview_name(self._call.node)
        self._call.emit(Previewed(node=self._call.node, file=file, step=step))


class StepPictures:
    """The previews of a node's steps as files, at most `MOST_STEPS` of them."""

    def __init__(self, settings: Settings, run: str, node: str) -> None:
        self._settings, self._run, self._node = settings, run, node
        self._kept: list[int] = []
        self._every = 1

    def _path(self, step: int) -> Path:
        return step_path(self._settings, self._run, self._node, step)

    def keep(self, step: int, picture: bytes) -> None:
        """Write the step's picture; earlier ones make room for it. Raises `OSError`."""
        if step % self._every:
            return
        if len(self._kept) >= MOST_STEPS:
            self._every *= 2
            for old in [old for old in self._kept if old % self._every]:
                self._kept.remove(old)
                self._path(old).unlink(missing_ok=True)
            if step % self._every:
                return
        _write(self._path(step), picture)
        if step not in self._kept:  # a node that samples twice begins to count anew
            self._kept.append(step)


def _write(path: Path, picture: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, lambda file: file.write(picture), durable=False)
