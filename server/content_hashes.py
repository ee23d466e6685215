"""The SHA-256 of whole files, each read once and remembered between starts."""

import hashlib
import json
import threading
from pathlib import Path

from server.paths import write_text

CHUNK = 2**22


class ContentHashes:
    """Remembers in one JSON file, by path, size and time of change. Safe for threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, list[int | str]] = _read(file)

    def of(self, path: Path) -> str:
        """The file's SHA-256 as hexadecimal digits. Raises `OSError`."""
        found = path.stat()
        stamp = [found.st_size, found.st_mtime_ns]
        with self._lock:
            kept = self._known.get(str(path))
            if kept is not None and kept[:2] == stamp:
                return str(kept[2])
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
            self._known[str(path)] = [*stamp, digest.hexdigest()]
            write_text(self._file, json.dumps(self._known))
            return digest.hexdigest()


def _read(file: Path) -> dict[str, list[int | str]]:
    try:
        data = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):  # none yet, or not whole: files are read again
        return {}
    return data if isinstance(data, dict) else {}
