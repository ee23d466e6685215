"""What the worker has loaded: told to people, freed for them, and in use while a node runs."""

from pathlib import Path

from diffusion.engine import Engine
from diffusion.machine import device_memory, free_memory
from diffusion.memory import Memory
from graph.cache import ResultCache
from graph.events import Event, NodeChanged
from server.worker_questions import Freeing, LoadedModel, MemoryReport

OVER = ("finished", "failed", "cancelled")
"""States of a node that uses no model any more."""


class Holding:
    """Follows a run's events: what a node loaded is in use until the node is done.

    `run` tells runs apart that go on at the same time; "" where there is one at a time.
    """

    def __init__(self, memory: Memory | None, run: str = "") -> None:
        self._memory = memory
        self._run = run
        self._running: list[str] = []

    @property
    def node(self) -> str:
        """The node that runs; "" where none does. One that waits for a lazy input runs beneath."""
        return self._running[-1] if self._running else ""

    def note(self, event: Event) -> Event:
        """Let models go that the node held, when it is over; the event with what they took."""
        if not isinstance(event, NodeChanged):
            return event
        if event.node in self._running:
            self._running.remove(event.node)
        if event.state == "running":
            self._running.append(event.node)
        elif event.state in OVER and self._memory is not None:
            took = self._memory.used
            self._memory.let_go(holder_of(event.node, self._run))
            return event.model_copy(update={"memory": took})
        return event

    def end(self) -> None:
        """The run is over, however it ended."""
        left, self._running = self._running, []
        if self._memory is None:
            return
        if not self._run:
            self._memory.let_go()
        for node in left:
            self._memory.let_go(holder_of(node, self._run))


def holder_of(node: str, run: str) -> str:
    """In whose name a node of the run uses models."""
    return f"{run} {node}" if run else node


def freed(engine: Engine | None, cache: ResultCache, what: Freeing) -> int:
    """Let go of what nothing uses; the bytes that it took."""
    size = 0
    if what.results:
        before = cache.statistics().bytes
        cache.clear()
        size += before - cache.statistics().bytes
    if engine is not None:
        size += engine.memory.free(what.models)
    return size


def memory_report(number: int, engine: Engine | None, cache: ResultCache) -> MemoryReport:
    """What is loaded now, the most recently used first."""
    results = cache.statistics().bytes
    if engine is None:
        return MemoryReport(
            id=number, device="", budget=0, used=0, total=0, free=None, results=results
        )
    models = tuple(
        LoadedModel(
            id=row.id,
            name=Path(row.key.path).name,
            part=row.key.part,
            dtype=row.key.dtype.removeprefix("torch."),
            bytes=row.bytes,
            host=row.host,
            in_use=row.in_use,
        )
        for row in reversed(engine.memory.report())
    )
    return MemoryReport(
        id=number,
        device=engine.describe(),
        budget=engine.memory.budget,
        used=engine.memory.used,
        total=device_memory(engine.device),
        free=free_memory(engine.device),
        results=results,
        models=models,
    )
