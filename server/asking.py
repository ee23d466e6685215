"""What is asked of the workers, each question of the one that can answer best."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from server.queue.rows import Changes
from server.station import Station
from server.worker_questions import Freeing, MemoryReport, Planned, Tokens, Value, View

REMEMBERED = 200
"""Runs of which it is known which worker ran them, so that their values are asked for there."""


class Asking:
    """See above; `stations` is the list of those that there are, which others may change."""

    def __init__(self, stations: list[Station]) -> None:
        self._stations = stations
        self._ran_at: OrderedDict[str, Station] = OrderedDict()

    def ran(self, run: str, station: Station) -> None:
        """The run is at this worker, whose cache has its results."""
        self._ran_at[run] = station
        self._ran_at.move_to_end(run)
        while len(self._ran_at) > REMEMBERED:
            self._ran_at.popitem(last=False)

    def ran_at(self, run: str) -> Station:
        """The worker that ran the run last, as far as that is known."""
        station = self._ran_at.get(run)
        return station if station in self._stations else self._stations[0]

    async def value(self, run: str, node: str, output: str, view: View = "picture") -> Value:
        """What the node gave at `output`; of kind "gone" where it is no longer kept."""
        return await self.ran_at(run).ask.value(run, node, output, view)

    async def plan(
        self,
        workflow: dict[str, Any],
        wanted: Sequence[str] | None,
        cases: Sequence[Changes] = ({},),
    ) -> Planned | None:
        """What runs of the workflow would do, one after the other, each with other values; None
        where no worker is there to say it."""
        return await self._best().ask.plan(workflow, wanted, cases)

    async def tokens(self, workflow: dict[str, Any], node: str, text: str) -> Tokens | None:
        """How the encoders wired to the node read the text; None where no worker is there."""
        return await self._best().ask.tokens(workflow, node, text)

    async def memory(
        self, free: Freeing | None = None, worker: int | None = None
    ) -> dict[int, MemoryReport]:
        """What each worker that can be asked has loaded, after `free`, by number.

        The one that ran something last comes first. `worker`: the only one to let something go;
        where models are named, which each worker numbers by itself, it is else the first one.
        """
        first = self._best()
        if worker is None and free is not None and free.models:
            worker = first.number
        stations = [first, *(station for station in self._stations if station is not first)]
        reports = await asyncio.gather(
            *(
                station.ask.memory(free if worker in (None, station.number) else None)
                for station in stations
            )
        )
        found = zip(stations, reports, strict=True)
        return {station.number: report for station, report in found if report is not None}

    def _best(self) -> Station:
        """The worker that ran something last and can be asked."""
        recent = [station for station in reversed(self._ran_at.values()) if self._is_here(station)]
        every = [*recent, *self._stations]
        return next((station for station in every if station.takes_questions), self._stations[0])

    def _is_here(self, station: Station) -> bool:
        return station in self._stations
