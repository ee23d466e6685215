"""The allocator and the threads of a process that computes on the CPU."""

import os
import subprocess
import sys

import pytest

from diffusion import heap


def in_a_process(code: str, **environment: str) -> str:
    """What the code prints in a process of its own, whose allocator nobody else has set up."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_WAIT", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.mark.skipif(
    sys.platform != "linux" or not heap.keep_large_blocks(), reason="glibc alone has mallopt"
)
def test_a_large_block_that_was_freed_is_there_for_the_next_one() -> None:
    code = """
import ctypes
from diffusion import heap
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def again():
    for _ in range(4):
        block = libc.malloc(100 * 2**20)
        ctypes.memset(block, 1, 100 * 2**20)
        libc.free(block)
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
again()
given_back = resident() - before < 10 * 2**20
assert heap.keep_large_blocks()
again()
kept = resident() - before > 90 * 2**20
libc.malloc_trim(0)
print(given_back, kept, resident() - before < 10 * 2**20)
"""
    assert in_a_process(code) == "True True True"


def test_a_system_without_glibc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert not heap.keep_large_blocks()


def test_waiting_threads_sleep_but_for_what_the_user_chose() -> None:
    code = (
        "import os; from diffusion import heap; heap.let_threads_sleep();"
        "print(os.environ.get('OMP_WAIT_POLICY'))"
    )
    assert in_a_process(code) == "PASSIVE"
    assert in_a_process(code, OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
    assert in_a_process(code, GOMP_SPINCOUNT="5") == "None"
