"""Read what very many new files are, in processes of their own, so that the page stays quick."""

import gc
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from server.catalogue_known import Known

log = logging.getLogger(__name__)

MANY = 1000
"""Fewer files than this are read sooner than processes start."""

MOST = 4
"""Processes; more would wait for the disk."""

AT_ONCE = 50
"""Files that a process is handed together."""


def known_files(paths: Sequence[Path]) -> Iterator[Known]:
    """What each file is, in order; the work is shared out where the files are many.

    Only the first process of the program starts others: its workers have the cores for their own.
    """
    done = 0
    if len(paths) >= MANY and multiprocessing.parent_process() is None:
        try:
            for known in _shared_out(paths):
                yield known
                done += 1
        except (BrokenProcessPool, OSError) as error:
            log.warning("model files are read one by one: %s", error)
    for path in paths[done:]:
        yield Known.of(path)


def _shared_out(paths: Sequence[Path]) -> Iterator[Known]:
    processes = max(1, min(MOST, os.cpu_count() or 1))
    context = multiprocessing.get_context("spawn")
    # What they make has no cycles, and to look for some costs a tenth of the time.
    with ProcessPoolExecutor(processes, context, initializer=gc.disable) as pool:
        yield from pool.map(Known.of, paths, chunksize=AT_ONCE)
