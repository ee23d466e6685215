"""How much memory a process has taken for itself, asked of the system."""

import ctypes
import subprocess
import sys
from pathlib import Path

_OWN = ("RssAnon:", "RssShmem:", "VmSwap:")
"""Lines of /proc/PID/status, in KiB. Pages of mapped model files are left out: the system takes
those back whenever it likes."""

_QUERY, _READ = 0x0400, 0x0010  # PROCESS_QUERY_INFORMATION, PROCESS_VM_READ


def taken_by(process: int) -> int | None:
    """Bytes that the process has taken; None where it is gone or the system does not say.

    On Linux and Windows, what is its own; elsewhere all that is resident.
    """
    try:
        if sys.platform == "linux":
            return _on_linux(process)
        if sys.platform == "win32":
            return _on_windows(process)
        return _by_ps(process)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def _on_linux(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    found = [line.split() for line in lines if line.startswith(_OWN)]
    return sum(int(number) for _, number, _ in found) * 1024


def _by_ps(process: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(process)]
    asked = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    return int(asked.stdout) * 1024


def _on_windows(process: int) -> int:
    class Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS_EX of the Windows API."""

        _fields_ = (
            ("size", ctypes.c_ulong),
            ("faults", ctypes.c_ulong),
            *((name, ctypes.c_size_t) for name in ("a", "b", "c", "d", "e", "f", "g", "h")),
            ("private", ctypes.c_size_t),
        )

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  absent from other systems' stubs
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(kernel.OpenProcess(_QUERY | _READ, False, process))
    if not handle:
        raise OSError("The process cannot be opened.")
    counters = Counters(size=ctypes.sizeof(Counters))
    try:
        if not kernel.K32GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.size):
            raise OSError("GetProcessMemoryInfo failed")
    finally:
        kernel.CloseHandle(handle)
    return int(counters.private)
