"""Write files so that nobody ever sees half of one, and none is written over."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from nodes.file_names import Name, named

Write = Callable[[BinaryIO], object]

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows: no quotas
FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}


class CannotWrite(ValueError):
    """A file could not be written; the message names the folder and says what to do."""


def write_new(
    folder: Path, pattern: str, values: Mapping[str, object], suffix: str, write: Write
) -> Path:
    """A new file inside `folder`, named by the pattern (`nodes.file_names.named`) and on the disk.

    It appears under its name when it is complete. Raises `BadPattern` and `CannotWrite`, and then
    nothing is left behind.
    """
    try:
        name = named(folder, pattern, values)
        draft = name.folder / f".{secrets.token_hex(8)}.part"
        try:
            _write(draft, write, durable=True)
            return _put_in_place(draft, name, suffix)
        finally:
            _drop(draft)
    except OSError as error:
        raise CannotWrite(_sentence(folder, error)) from error


def replace(path: Path, write: Write, durable: bool = True) -> None:
    """Write the file under another name and put it in place when it is complete (and on the disk).

    Raises `OSError`.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        _write(draft, write, durable)
        os.replace(draft, path)
    finally:
        _drop(draft)


def _write(draft: Path, write: Write, durable: bool) -> None:
    with draft.open("wb") as file:
        write(file)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _put_in_place(draft: Path, name: Name, suffix: str) -> Path:
    """The draft under the first number that nobody took meanwhile."""
    number = name.first_free(suffix)
    while True:
        path = name.path(number, suffix)
        try:
            _rename_to_new(draft, path)
            return path
        except FileExistsError:
            number += 1


def _rename_to_new(draft: Path, path: Path) -> None:
    """Give the file a name that none has; raises `FileExistsError`."""
    try:
        os.link(draft, path)  # the only way on POSIX to name a file without writing over another
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, for an instant empty
        path.touch(exist_ok=False)
        os.replace(draft, path)


def _drop(draft: Path) -> None:
    with contextlib.suppress(OSError):  # it is in place already; or the folder went away
        draft.unlink()


def _sentence(folder: Path, error: OSError) -> str:
    if error.errno in FULL:
        return (
            f"There is no room left for pictures in {folder}. Make room on its disk and run again."
        )
    if error.errno in FORBIDDEN:
        return f"The folder {folder} may not be written to. Change its rights, or use --data DIR."
    where = error.filename or folder
    return f"The folder {folder} cannot be written to ({where}: {error.strerror or error})."
