"""The one place that decides which models stay loaded: the last used ones, within a byte budget."""

import gc
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar, cast

import torch

V = TypeVar("V")


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


class Pending(NamedTuple, Generic[V]):
    """Something that can be loaded, and the bytes that it will take."""

    bytes: int
    load: Callable[[], V]


class Entry(NamedTuple):
    """Something loaded, and the bytes that it takes."""

    value: object
    bytes: int


class Memory:
    """Loaded models, least recently used first. Threads may share it; loads wait for each other."""

    def __init__(self, budget: int) -> None:
        """`budget`: bytes that models may take together; one larger than that is kept alone."""
        self.budget = budget
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._lock = threading.RLock()

    @property
    def used(self) -> int:
        return sum(entry.bytes for entry in self._entries.values())

    def get(self, key: Key, prepare: Callable[[], Pending[V]]) -> V:
        """What was loaded for this key, loaded now if it is not here.

        Room is made first, so that old and new are not in memory together. What was loaded of the
        same file before it was replaced is dropped.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return cast(V, self._entries[key].value)
            pending = prepare()
            stale = [other for other in self._entries if other[:3] == key[:3]]
            for other in stale:
                del self._entries[other]
            self._make_room(pending.bytes, dropped=bool(stale))
            value = pending.load()
            self._entries[key] = Entry(value, pending.bytes)
            return value

    def free(self) -> None:
        """Drop everything. What a run still holds lives on until it lets go."""
        with self._lock:
            self._entries.clear()
            _release()

    def report(self) -> list[tuple[Key, int]]:
        """What is loaded and its bytes, least recently used first."""
        with self._lock:
            return [(key, entry.bytes) for key, entry in self._entries.items()]

    def _make_room(self, size: int, dropped: bool) -> None:
        while self._entries and self.used + size > self.budget:
            self._entries.popitem(last=False)
            dropped = True
        if dropped:
            _release()


def default_budget(device: torch.device) -> int:
    """Bytes that models may take: most of a graphics card's memory, half of the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1] * 0.7)
    return machine_memory() // 2


def machine_memory() -> int:
    """The machine's memory in bytes; 8 GiB where the system does not say."""
    try:
        if sys.platform == "win32":
            return _windows_memory()
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 8 * 2**30


def _windows_memory() -> int:
    import ctypes

    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "a", "b", "c", "d", "e", "f")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  absent from other systems' stubs
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx failed")
    return int(status.total)


def _release() -> None:
    """Give freed memory back to the system and the driver."""
    gc.collect()  # modules hold themselves in circles
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
