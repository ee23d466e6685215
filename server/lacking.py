"""Which models a machine was found not to have, so that it is handed no run that needs them."""

import time
from collections.abc import Callable

FORGET = 300.0
"""Seconds after which a machine is asked again: somebody may have copied the model there."""


class Lacking:
    """Models in the form of `Run.models`, each forgotten after a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: dict[str, float] = {}

    def models(self) -> list[str]:
        """All that are not forgotten."""
        return [models for models, at in self._found.items() if self._clock() - at < FORGET]

    def add(self, models: str) -> None:
        """The machine has not all of these."""
        self._found[models] = self._clock()

    def forget(self, models: str) -> None:
        """Ask it again at the next run that needs these."""
        self._found.pop(models, None)
