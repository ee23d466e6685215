"""Set a process up for the large tensors that it will compute with on the CPU. Torch-free.

glibc gives every large block back to the system and takes it anew, zeroed page by page: a fifth of
the time of a network. And a thread of torch's that waits keeps its core busy, which does no good
where another program wants that core.
"""

import ctypes
import os
import sys

LARGEST = 2**30
"""Bytes of a block that is still cut from the heap; larger ones, a very large picture's, are the
system's."""

KEPT = 2**31 - 1
"""Free bytes at the heap's end that are not given back; `diffusion.machine` gives them back when a
model leaves."""

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""The parameters' numbers in glibc's malloc.h."""

STEP = 2**26
"""Bytes by which the heap grows."""


def keep_large_blocks() -> bool:
    """Have the allocator keep what is freed for the next operation; whether it is one that can."""
    if sys.platform != "linux":
        return False
    try:
        libc = ctypes.CDLL(None)
        if not hasattr(libc, "gnu_get_libc_version"):  # musl has none of these parameters
            return False
        mallopt = libc.mallopt
    except (OSError, AttributeError):
        return False
    settings = ((MMAP_THRESHOLD, LARGEST), (TRIM_THRESHOLD, KEPT), (TOP_PAD, STEP))
    return all(mallopt(number, value) == 1 for number, value in settings)


def let_threads_sleep() -> None:
    """Have threads that wait sleep. To be called before torch is loaded; a user's choice stays."""
    if "GOMP_SPINCOUNT" not in os.environ:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
