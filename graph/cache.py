"""Keep results of finished steps within a budget of bytes; the least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Outputs = Mapping[str, Any]
"""What a step gave: its outputs by name. Shared between steps and runs, so never changed."""

SizeOf = Callable[[Any], int | None]
"""How many bytes a value holds, or None for a value that must not be kept (a loaded weight)."""

ENTRY_BYTES = 1024
"""Added to every entry (key, dictionary, bookkeeping), so that many tiny results count too."""


class NotKept(LookupError):
    """The value was asked for after it had left the cache, or it never was in it."""


class CacheStatistics(NamedTuple):
    """What a cache holds and how it served. `hits` and `misses` count `get`, nothing else."""

    entries: int
    bytes: int
    max_bytes: int
    hits: int
    misses: int
    evictions: int
    refused: int


@dataclass(slots=True)
class _Entry:
    outputs: Outputs
    bytes: int
    pins: int = 0


class ResultCache:
    """Results by step key, at most `max_bytes` of them; safe to use from several threads.

    A result is refused if one of its values is of a kind that must not be kept, or if it does not
    fit beside the pinned ones. Pinned entries count against the budget and are never dropped.
    """

    def __init__(self, max_bytes: int, size_of: SizeOf) -> None:
        self.max_bytes = max_bytes
        self._size_of = size_of
        self._loose: OrderedDict[str, _Entry] = OrderedDict()  # oldest first
        self._pinned: dict[str, _Entry] = {}
        self._bytes = 0
        self._pinned_bytes = 0
        self._hits = self._misses = self._evictions = self._refused = 0
        self._lock = threading.Lock()

    def __contains__(self, key: object) -> bool:
        """Whether `key` is kept; neither a hit nor a use."""
        with self._lock:
            return key in self._loose or key in self._pinned

    def get(self, key: str) -> Outputs | None:
        """The step's outputs, now the most recently used, or None."""
        with self._lock:
            entry = self._find(key)
            if entry is None:
                self._misses += 1
                return None
            self._hits += 1
            return entry.outputs

    def value(self, key: str, output: str) -> Any:
        """One value of a finished step. Raises `NotKept` if it is not here."""
        with self._lock:
            entry = self._find(key)
        if entry is None or output not in entry.outputs:
            raise NotKept(f"The value {output!r} is no longer kept: run the node again.")
        return entry.outputs[output]

    def put(self, key: str, outputs: Outputs) -> bool:
        """Keep the outputs, dropping older results as needed. False if they were refused."""
        size = self._measure(outputs)
        with self._lock:
            if self._find(key) is not None:  # equal key, equal result: the first one stays
                return True
            if size is None or size > self.max_bytes - self._pinned_bytes:
                self._refused += 1
                return False
            while self._bytes + size > self.max_bytes:
                _, oldest = self._loose.popitem(last=False)
                self._bytes -= oldest.bytes
                self._evictions += 1
            self._loose[key] = _Entry(outputs, size)
            self._bytes += size
            return True

    def pin(self, key: str) -> Outputs | None:
        """The step's outputs, kept until `unpin` was called as often as `pin`; None if not here.

        Counts as a hit or a miss, since whoever pins is about to read.
        """
        with self._lock:
            entry = self._find(key)
            if entry is None:
                self._misses += 1
                return None
            self._hits += 1
            if not entry.pins:
                self._pinned[key] = self._loose.pop(key)
                self._pinned_bytes += entry.bytes
            entry.pins += 1
            return entry.outputs

    def unpin(self, key: str) -> None:
        """Undo one `pin`; after the last one the entry is the most recently used."""
        with self._lock:
            entry = self._pinned[key]
            entry.pins -= 1
            if not entry.pins:
                self._loose[key] = self._pinned.pop(key)
                self._pinned_bytes -= entry.bytes

    def clear(self) -> None:
        """Drop everything that is not pinned, to give memory back."""
        with self._lock:
            self._bytes = self._pinned_bytes
            self._loose.clear()

    def statistics(self) -> CacheStatistics:
        with self._lock:
            return CacheStatistics(
                entries=len(self._loose) + len(self._pinned),
                bytes=self._bytes,
                max_bytes=self.max_bytes,
                hits=self._hits,
                misses=self._misses,
                evictions=self._evictions,
                refused=self._refused,
            )

    def _find(self, key: str) -> _Entry | None:
        """The entry, moved to the newest end. The lock is held by the caller."""
        entry = self._loose.get(key)
        if entry is not None:
            self._loose.move_to_end(key)
            return entry
        return self._pinned.get(key)

    def _measure(self, outputs: Outputs) -> int | None:
        total = ENTRY_BYTES
        for value in outputs.values():
            size = self._size_of(value)
            if size is None:
                return None
            total += size
        return total
