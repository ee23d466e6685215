"""How much memory the machine and its devices have, and how to give some back."""

import ctypes
import gc
import os
import sys

import torch


def default_budget(device: torch.device) -> int:
    """Bytes that models may take: a graphics card's but for room to work, half of the machine's."""
    if device.type == "cuda":
        total = device_memory(device)
        return total - workspace(device)
    return machine_memory() // 2


def device_memory(device: torch.device) -> int:
    """All the memory of the device in bytes, taken or not."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    return machine_memory()


def free_memory(device: torch.device) -> int | None:
    """Bytes that could be taken on the device now; None where the system does not say.

    What torch keeps for itself and does not use counts as free.
    """
    if device.type != "cuda":
        return None
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + kept


def workspace(device: torch.device) -> int:
    """Bytes of the device that are left to what models compute, beside their weights."""
    if device.type != "cuda":
        return 0
    # A decode of 1024 x 1024 pixels in half precision takes about 1.5 GB in one piece.
    return max(3 * 2**29, device_memory(device) // 8)


def machine_memory() -> int:
    """The machine's memory in bytes; 8 GiB where the system does not say."""
    try:
        if sys.platform == "win32":
            return _windows_memory()
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, AttributeError):
        return 8 * 2**30


def give_back() -> None:
    """Give memory that was let go of back to the driver and the system."""
    gc.collect()  # modules hold themselves in circles
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
    trim()


def trim() -> None:
    """Have glibc return free pages: told to keep large blocks, it would hold them for ever.

    Also those between blocks that are in use, which are too small for what comes next. It takes
    about 10 ms for each GB.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # another C library
        return


def _windows_memory() -> int:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "a", "b", "c", "d", "e", "f")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  absent from other systems' stubs
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        raise OSError("GlobalMemoryStatusEx failed")
    return int(status.total)
