"""Nodes that do to their process what nobody should, for tests of what that costs."""

import ctypes
import os
import re
import signal
import time

from graph.node import node
from nodes.services import Interrupt


@node(category="test", output=True)
def quick() -> None:
    """Does nothing."""


@node(category="test", output=True)
def segfault() -> None:
    """Reads memory that is not its own."""
    ctypes.string_at(0)


@node(category="test", output=True)
def be_killed() -> None:
    """Dies as the system kills what takes too much memory."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@node(category="test", output=True)
def hang() -> None:
    """Holds the interpreter's lock for ever: the process does not even hear that it should stop."""
    re.match(r"(a|aa)+$", "a" * 200 + "b")


@node(category="test", output=True, time_limit=0.2)
def slow(*, interrupt: Interrupt) -> None:
    """Takes longer than its pack allows, and stops when it is told to."""
    while True:
        interrupt.check()
        time.sleep(0.01)


KEPT: list[bytearray] = []


@node(category="test", output=True)
def hoard(megabytes: int = 3000) -> None:
    """Takes memory and never gives it back, then waits."""
    for _ in range(megabytes // 10):
        KEPT.append(bytearray(os.urandom(1)) * 10_000_000)
        time.sleep(0.001)
    time.sleep(600)
