"""The SHA-256 of whole files, each read once and remembered between starts."""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from server import facts_cache
from server.catalogue_identity import Identities, identities_of
from server.model_folders import Stamp
from server.settings import Settings

CACHE_VERSION = "1"

BLOCK = 4 * 2**20
"""Bytes that are read at once; between two blocks a person may cancel."""


def content_hashes_of(settings: Settings, identities: Identities | None = None) -> "ContentHashes":
    """Those of one program's files, as every process of it knows them."""
    known = identities_of(settings) if identities is None else identities
    return ContentHashes(settings.cache / "sha256.json", known)


class ContentHashes:
    """Each is computed once while the file stays as it is.

    What is known is kept in `file`; what the survey of model files knows is not computed again.
    May be used from any thread, and by several processes, which find what another one computed.
    """

    def __init__(self, file: Path, identities: Identities) -> None:
        self._file = file
        self._identities = identities
        self._lock = threading.Lock()
        self._computing = threading.Lock()
        self._known: dict[Stamp, str] | None = None

    def of(self, path: Path, check: Callable[[], None] = lambda: None) -> str:
        """The file's SHA-256 as hexadecimal digits. Raises `OSError`, and what `check` raises,
        which is called again and again."""
        stamp = Stamp.of(path)
        if found := self._known_of(stamp):
            return found
        with self._computing:  # one file at a time: two would wait for the same disk
            if found := self._known_of(stamp):
                return found
            found = _sha256(path, check)
            self._keep(stamp, found)
            return found

    def begin(self, paths: Iterable[Path]) -> None:
        """Compute those of the files that are not known, in the background."""
        unknown = [path for path in paths if not self._is_known(path)]
        if unknown:
            threading.Thread(
                target=self._compute, args=(unknown,), daemon=True, name="contents"
            ).start()

    def _compute(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with contextlib.suppress(OSError):  # whoever needs it meets that, too
                self.of(path)

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


def _sha256(path: Path, check: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            check()
    return digest.hexdigest()
