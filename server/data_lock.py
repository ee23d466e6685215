"""Keep two servers from sharing one data folder: each would take the other's runs for lost ones."""

import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class DataInUse(Exception):
    """Another server uses the folder; the message says what to do."""


class DataLock:
    """A lock on the data folder, held while in the `with` block and never longer than the process.

    Entering raises `DataInUse`.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._data.mkdir(parents=True, exist_ok=True)
        file = (self._data / ".lock").open("ab")
        try:
            if sys.platform == "win32":
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise DataInUse(
                f"Another Latent Loom is using the folder {self._data}. Use that one, stop it, or "
                "give this one a folder of its own: python main.py --data DIR"
            ) from error
        self._file = file
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
