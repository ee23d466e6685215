"""With what pictures are made: the program, its libraries, the device, and the files' contents."""

import hashlib
import platform
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from diffusion.engine import Engine
from server import facts_cache
from server.catalogue_identity import Identities
from server.model_folders import Stamp
from server.settings import VERSION

CACHE_VERSION = "1"

LIBRARIES = ("torch", "numpy", "pillow", "safetensors", "transformers")
"""Those whose versions may change a picture."""

BLOCK = 4 * 2**20
"""Bytes that are read at once; between two blocks a person may cancel."""


class ContentHashes:
    """The SHA-256 of files, each computed once while the file stays as it is.

    What is known is kept in `file`; what the survey of model files knows is not computed again.
    May be used from any thread.
    """

    def __init__(self, file: Path, identities: Identities) -> None:
        self._file = file
        self._identities = identities
        self._lock = threading.Lock()
        self._computing = threading.Lock()
        self._known: dict[Stamp, str] | None = None

    def of(self, path: Path, check: Callable[[], None] = lambda: None) -> str:
        """The SHA-256 of the file, "" where it cannot be read; `check` may raise to cancel."""
        try:
            stamp = Stamp.of(path)
        except OSError:
            return ""
        if found := self._known_of(stamp):
            return found
        with self._computing:  # one file at a time: two would wait for the same disk
            if found := self._known_of(stamp):
                return found
            try:
                found = _sha256(path, check)
            except OSError:
                return ""
            self._keep(stamp, found)
            return found

    def begin(self, paths: Iterable[Path]) -> None:
        """Compute those of the files that are not known, in the background."""
        unknown = [path for path in paths if not self._is_known(path)]
        if unknown:
            work = threading.Thread(
                target=lambda: [self.of(path) for path in unknown], daemon=True, name="contents"
            )
            work.start()

    def _is_known(self, path: Path) -> bool:
        try:
            return bool(self._known_of(Stamp.of(path)))
        except OSError:
            return True  # there is nothing to compute

    def _known_of(self, stamp: Stamp) -> str:
        with self._lock:
            if self._known is None:
                self._known = self._read()
            found = self._known.get(stamp, "")
        if found:
            return found
        surveyed = self._identities.surveyed(stamp)
        return surveyed.content if surveyed is not None else ""

    def _keep(self, stamp: Stamp, content: str) -> None:
        with self._lock:
            known = self._read() | (self._known or {}) | {stamp: content}
            self._known = known
            rows = {stamp: {"sha256": content} for stamp, content in known.items()}
            facts_cache.save(self._file, CACHE_VERSION, rows)

    def _read(self) -> dict[Stamp, str]:
        rows = facts_cache.load(self._file, CACHE_VERSION)
        return {stamp: str(row.get("sha256", "")) for stamp, row in rows.items()}


class Timing:
    """When a run began, and how many seconds each of its nodes took so far."""

    def __init__(self) -> None:
        self.began = time.time()
        self.seconds: dict[str, float] = {}


@cache
def libraries() -> Mapping[str, str]:
    """The versions of what pictures are computed with."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # installed without its metadata
            continue
    return found


def made_with(engine: Engine | None, timing: Timing, nodes: Iterable[str]) -> dict[str, Any]:
    """What a picture that was computed from the nodes is said to be made with, as JSON.

    Times are UTC; a node that came from the cache has none.
    """
    return {
        "program": VERSION,
        "libraries": dict(libraries()),
        "engine": "" if engine is None else engine.key,
        "device": "" if engine is None else engine.describe(),
        "began": _utc(timing.began),
        "saved": _utc(time.time()),
        "seconds": {
            node: round(timing.seconds[node], 3) for node in nodes if node in timing.seconds
        },
    }


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _sha256(path: Path, check: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            check()
    return digest.hexdigest()
