"""Tidy the folder of files that can be made again: previews, thumbnails, shown values."""

import contextlib
import os
import time
from pathlib import Path

KEPT = 7 * 24 * 3600.0
"""Seconds that a temporary file is kept after it was last written."""


def sweep(folder: Path, kept: float = KEPT) -> int:
    """Delete the folder's files that are older than `kept`, and folders left empty; how many files.

    What cannot be deleted (open on Windows, somebody else's) stays. Links are not followed.
    """
    oldest = time.time() - kept
    deleted = 0
    for here, folders, files in os.walk(folder, topdown=False):
        for name in files:
            path = Path(here, name)
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    path.unlink()
                    deleted += 1
        for name in folders:
            with contextlib.suppress(OSError):  # not empty
                if Path(here, name).lstat().st_mtime < oldest:
                    Path(here, name).rmdir()
    return deleted
