"""Notice a worker that has fallen silent although nothing runs in it, and have it replaced."""

import asyncio
from collections.abc import Callable

from server.client import Client

PAUSE = 5.0
"""Seconds between two looks; a worker says something as often."""

LOOKS = 12
"""Silent looks in a row after which a worker is given up: a minute."""


async def replace_silent(
    client: Client, computing: Callable[[], bool], pause: float = PAUSE
) -> None:
    """End the worker whenever it is silent for `LOOKS` looks in a row; runs until it is cancelled.

    While it starts or `computing` says that a node runs, silence is no sign: a library that is
    being loaded, or a node's native code, may hold the interpreter's lock for minutes. Looks are
    counted, not seconds, so that a machine that slept does not cost its worker.
    """
    silent, heard = 0, client.heard
    while True:
        await asyncio.sleep(pause)
        before, heard = heard, client.heard
        quiet = heard == before and client.ready.is_set() and not computing()
        silent = silent + 1 if quiet else 0
        if silent >= LOOKS:
            client.kill("it gave no sign of life although nothing ran in it")
            silent = 0
