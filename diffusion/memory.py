"""The one place that decides which models are loaded: the last used ones, within a byte budget.

A model that somebody holds stays. Where a new one does not fit beside those, it is loaded in part,
and the rest of its weights is brought to the device while it runs (`diffusion.streaming`).
"""

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

import torch

from diffusion.machine import give_back, trim
from diffusion.shortage import attempted

V = TypeVar("V")

_holder: ContextVar[str] = ContextVar("holder", default="")


class Key(NamedTuple):
    """Which part of which file, as which number format. The file's content is told by its stamp."""

    part: str
    path: str
    dtype: str
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, part: str, path: Path, dtype: torch.dtype) -> "Key":
        """Raises `OSError` where there is no such file."""
        found = os.stat(path)
        return cls(part, str(path), str(dtype), found.st_size, found.st_mtime_ns, found.st_ino)


class InPart(NamedTuple, Generic[V]):
    """Something loaded in part: the bytes it takes on the device at most, and those beside it."""

    value: V
    bytes: int
    host: int


class Pending(NamedTuple, Generic[V]):
    """Something that can be loaded, and the bytes that it will take.

    `in_part` loads it so that it takes about as many bytes on the device as it is given; None where
    that cannot be done.
    """

    bytes: int
    load: Callable[[], V]
    in_part: Callable[[int], InPart[V]] | None = None


@dataclass(eq=False)
class Entry:
    """Something loaded: its bytes on the device, beside it, and if loaded whole; who holds it."""

    id: str
    value: object
    bytes: int
    host: int
    whole: int
    holders: set[str] = field(default_factory=set)


class Loaded(NamedTuple):
    """One row of the report. `host`: bytes of weights that lie beside the device."""

    id: str
    key: Key
    bytes: int
    host: int
    in_use: bool


class Memory:
    """Loaded models, least recently used first. Threads may share it; loads wait for each other."""

    def __init__(
        self, budget: int, free: Callable[[], int | None] = lambda: None, workspace: int = 0
    ) -> None:
        """`budget`: bytes that models may take together; one larger than that is kept alone.

        `free`: bytes that can be taken on the device now, if anybody knows; of them `workspace` are
        left to what models compute.
        """
        self.budget = budget
        self.workspace = workspace
        self._free = free
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._weighed: dict[Key, int] = {}
        self._numbers = itertools.count(1)
        self._loading = threading.RLock()
        self._changing = threading.RLock()

    @property
    def used(self) -> int:
        """Bytes that models take on the device."""
        with self._changing:
            return sum(entry.bytes for entry in self._entries.values())

    @property
    def room(self) -> int:
        """Bytes that a further model may take; less than 0 where others took too much."""
        room = self.budget - self.used
        free = self._free()
        return room if free is None else min(room, free - self.workspace)

    def weighed(self, path: Path, part: str) -> int | None:
        """Bytes that a part of the file took when it was loaded whole; None where it never was.

        `part`: "model", "vae", "upscaler", or "clip" for all text encoders of the file.
        """
        with self._changing:
            known = [
                (key, size)
                for key, size in self._weighed.items()
                if key.path == str(path) and _is_of(key, part)
            ]
        if not known or any(_is_stale(key) for key, _ in known):
            return None
        return sum(size for _, size in known)

    @contextmanager
    def held_by(self, holder: str) -> Iterator[None]:
        """Whatever is asked for within is in use, and stays, until `let_go`; of "" it is not."""
        token = _holder.set(holder)
        try:
            yield
        finally:
            _holder.reset(token)

    def let_go(self, holder: str | None = None) -> None:
        """The holder uses nothing any more; None: nobody does."""
        with self._changing:
            for entry in self._entries.values():
                entry.holders -= entry.holders if holder is None else {holder}

    def get(self, key: Key, prepare: Callable[[], Pending[V]]) -> V:
        """What was loaded for this key, loaded now if it is not here.

        Room is made first, so that old and new are not in memory together. What was loaded of the
        same file before it was replaced is dropped.
        """
        with self._loading:
            found = self._found(key)
            if found is not None:
                return cast(V, found.value)
            pending = prepare()
            stale = self._drop_stale(key)
            self._make_room(pending.bytes, dropped=stale)
            made = self._load(pending)
            trim()  # of the weights as they lay in the file, and on the way to their place
            number = str(next(self._numbers))
            entry = Entry(number, made.value, made.bytes, made.host, pending.bytes)
            with self._changing:
                self._entries[key] = entry
                self._weigh(key, pending.bytes)
                self._hold(entry)
            return made.value

    def free(self, ids: Collection[str] | None = None) -> int:
        """Drop all that nobody holds, or of these ids; the bytes that it took, wherever they lay.

        What a caller still has lives on until it lets go.
        """
        with self._changing:
            going = [
                key
                for key, entry in self._entries.items()
                if not entry.holders and (ids is None or entry.id in ids)
            ]
            gone = [self._entries.pop(key) for key in going]
        size = sum(entry.bytes + entry.host for entry in gone)
        del gone  # before the memory is given back
        give_back()
        return size

    def report(self) -> list[Loaded]:
        """What is loaded, least recently used first."""
        with self._changing:
            return [
                Loaded(entry.id, key, entry.bytes, entry.host, bool(entry.holders))
                for key, entry in self._entries.items()
            ]

    def _weigh(self, key: Key, size: int) -> None:
        """Remember what it took. With other LoRAs it is as large, and of other stamps it is gone"""
        bare = key._replace(part=key.part.partition("+")[0])
        stale = [old for old in self._weighed if old[:2] == bare[:2] and old != bare]
        for old in stale:
            del self._weighed[old]
        self._weighed[bare] = size

    def _found(self, key: Key) -> Entry | None:
        with self._changing:
            entry = self._entries.get(key)
            if entry is not None and self._fits_now(entry):
                del self._entries[key]
                return None
            if entry is not None:
                self._entries.move_to_end(key)
                self._hold(entry)
            return entry

    def _fits_now(self, entry: Entry) -> bool:
        """Whether something that was loaded in part would be loaded whole now, by itself."""
        return bool(entry.host) and not entry.holders and self.room + entry.bytes >= entry.whole

    def _hold(self, entry: Entry) -> None:
        if holder := _holder.get():
            entry.holders.add(holder)

    def _drop_stale(self, key: Key) -> bool:
        with self._changing:
            stale = [other for other in self._entries if other[:3] == key[:3]]
            for other in stale:
                del self._entries[other]
            return bool(stale)

    def _load(self, pending: Pending[V]) -> InPart[V]:
        """Loaded whole if it fits, else in part; and anew without the others if it fits not."""
        in_part, room = pending.in_part, self.room
        if in_part is None or pending.bytes <= room:
            value = attempted(pending.load)
            if value is None:
                self.free()
                room = min(self.room, pending.bytes // 2)  # less is there than was thought
                value = pending.load() if in_part is None else None
            if value is not None:
                return InPart(value, pending.bytes, 0)
        assert in_part is not None
        return in_part(max(0, room))

    def _make_room(self, size: int, dropped: bool) -> None:
        """Drop the least recently used that nobody holds, until `size` bytes fit."""
        if dropped:
            give_back()
        while self.room < size and self._drop_oldest():
            give_back()  # what is free is measured anew

    def _drop_oldest(self) -> bool:
        with self._changing:
            loose = (key for key, entry in self._entries.items() if not entry.holders)
            oldest = next(loose, None)
            if oldest is not None:
                del self._entries[oldest]
            return oldest is not None


def _is_of(key: Key, part: str) -> bool:
    """Whether the key is that of the part; every text encoder of a file is its "clip"."""
    others = ("model", "vae", "upscaler")
    return key.part == part if part in others else key.part not in others


def _is_stale(key: Key) -> bool:
    """Whether the file is another one by now."""
    try:
        found = os.stat(key.path)
    except OSError:
        return True
    return (found.st_size, found.st_mtime_ns) != (key.size, key.mtime_ns)
