"""Which steps of a run are still to be done, and which values something still wants to read.

A step is *live* from when a run may need it until it is done; its value is held until all that may
read it are done, then freed, unless the cache keeps it. Steps behind lazy inputs are live but not
begun: they wait until they are asked for, and go unrun with the last step that could have asked.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graph.cache import Outputs, ResultCache
from graph.plan import Plan
from graph.step import Origin, Step


class Frontier:
    """The steps of a run and the values in flight. Every operation is linear in what it changes."""

    def __init__(self, cache: ResultCache) -> None:
        self.steps: dict[str, Step] = {}
        self.results: dict[str, Outputs] = {}
        self._cache = cache
        self._readers: dict[str, int] = {}
        self._live: set[str] = set()
        self._pinned: set[str] = set()

    def __contains__(self, key: str) -> bool:
        """Whether the step is live and has yet to be done."""
        return key in self._live

    def join(self, plan: Plan, roots: Iterable[str]) -> list[str]:
        """Make live what the roots may need and nobody has kept; the caller now reads each root.

        What the cache has is taken from it and pinned there, so that it is counted once. The steps
        that became live are returned; a step that was done and freed may be among them again.
        """
        readers, results, live = self._readers, self.results, self._live
        joined: list[str] = []
        possible: set[str] = set()
        for key in roots:
            possible.add(key)
            readers[key] = readers.get(key, 0) + 1
        self.steps = {**plan.steps, **self.steps}
        for key in reversed(plan.steps):
            if key not in possible or key in results or key in live:
                continue
            step = self.steps[key]
            if (kept := self._cache.pin(key)) is not None:
                self._pinned.add(key)
                results[key] = kept
                continue
            live.add(key)
            joined.append(key)
            possible.update(step.sources)
            for source in step.sources:
                readers[source] = readers.get(source, 0) + 1
        return joined

    def value(self, origin: Origin) -> Any:
        """The value of a step that is done; `LookupError` where it has no such output."""
        return self.results[origin.key][origin.output]

    def finish(self, key: str, outputs: Outputs) -> None:
        """The step is done: hold its outputs for its readers, and let go of what it read."""
        self._cache.put(key, outputs)
        self.results[key] = outputs
        self._live.discard(key)
        self.release(self.steps[key].sources)

    def release(self, keys: Iterable[str]) -> None:
        """One reader less for each of the keys; what nobody can read any more is let go of."""
        readers = self._readers
        stack = [iter(keys)]
        while stack:
            for key in stack[-1]:
                readers[key] -= 1
                if readers[key]:
                    continue
                del readers[key]
                if key in self.results:
                    self._free(key)
                else:  # it was never asked for, so neither are its own sources, on its account
                    self._live.discard(key)
                    stack.append(iter(self.steps[key].sources))
                    break
            else:
                stack.pop()

    def close(self) -> None:
        """Let go of everything, whatever became of the run."""
        for key in self._pinned:
            self._cache.unpin(key)
        self._pinned.clear()
        self.results.clear()

    def _free(self, key: str) -> None:
        del self.results[key]
        if key in self._pinned:
            self._pinned.remove(key)
            self._cache.unpin(key)


def closure(steps: Mapping[str, Step], roots: Iterable[str], known: set[str]) -> Iterator[Step]:
    """The roots and all that must be done before them, less the `known`, which grow by them."""
    stack = list(roots)
    while stack:
        key = stack.pop()
        if key in known:
            continue
        known.add(key)
        step = steps[key]
        yield step
        stack.extend(step.needs)
