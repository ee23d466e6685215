"""What people said that a file is, kept by the file's content: a new name keeps it."""

import json
import logging
import os
import secrets
import threading
import time
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

VERSION = 1


class Statement(NamedTuple):
    """The latent space that a person named, the file as it was called then, and when it was."""

    space: str
    file: str
    said: float


class Statements:
    """One JSON file; it is read again when another process has written it. Safe for threads."""

    def __init__(self, file: Path) -> None:
        self._file = Path(file)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._known: dict[str, Statement] = {}

    def of(self, content: str) -> Statement | None:
        """What was said of the content with this SHA-256."""
        with self._lock:
            self._read()
            return self._known.get(content)

    def say(self, content: str, space: str | None, file: str) -> None:
        """Keep that the content speaks the space, or forget what was said. Raises `OSError`."""
        with self._lock:
            self._read()
            known = dict(self._known)
            known.pop(content, None)
            if space is not None:
                known[content] = Statement(space, file, time.time())
            self._write(known)
            self._known = known

    def _read(self) -> None:
        seen = seen_at(self._file)
        if seen == self._seen:
            return
        self._seen, self._known = seen, {}
        if seen is None:
            return
        try:
            data = json.loads(self._file.read_text("utf-8"))
            self._known = {key: Statement(*row) for key, row in data["statements"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s is unreadable, so what was said in it does not count: %s",
                        self._file, error)  # fmt: skip

    def _write(self, known: dict[str, Statement]) -> None:
        data = {"version": VERSION, "statements": known}
        write_json(self._file, data)
        self._seen = seen_at(self._file)


def seen_at(file: Path) -> tuple[int, int] | None:
    """What changes when the file is written anew; None where there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino if os.name != "nt" else found.st_size


def write_json(file: Path, data: object) -> None:
    """Write the file as a whole or not at all. Raises `OSError`."""
    draft = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(data, indent=1), "utf-8")
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
