"""What to do where memory runs out: let other models go, try once more, and say what helps."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

log = logging.getLogger(__name__)

V = TypeVar("V")

_WORDS = (
    "out of memory",  # of CUDA's and Metal's drivers
    "not enough memory",  # of torch on Windows
    "can't allocate memory",  # of torch on other systems
    "alloc_failed",  # of cuBLAS and cuDNN
)


class NotEnoughMemory(MemoryError):
    """Memory ran out, and nothing was left to try; the message says what a person can do."""


def is_shortage(error: BaseException) -> bool:
    """Whether the error says that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _WORDS)


def attempted(work: Callable[[], V]) -> V | None:
    """What `work` gives, which is never None; None where memory ran out.

    The error is let go of here, because it holds the tensors of every call that it came through,
    and they would be in the way of the next attempt.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        log.info("Memory ran out: %s", error)
        return None


def in_words(size: int) -> str:
    """A number of bytes for people: "1.5 GB", "340 MB"."""
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    return f"{size / 10**6:.0f} MB"


@dataclass(frozen=True)
class Relief:
    """What a computation may ask for where memory runs out.

    `free` lets every model go that nothing uses, and gives their bytes. `tell` takes a sentence for
    the person who waits.
    """

    free: Callable[[], int] = lambda: 0
    tell: Callable[[str], None] = log.warning

    def tried(self, work: Callable[[], V], what: str, advice: str) -> V:
        """What `work` gives; where memory runs out, it is done once more after `free`.

        `what` ends "Memory ran out while …". Raises `NotEnoughMemory` with `advice`.
        """
        made = attempted(work)
        if made is None:
            freed = self.free()
            others = f"{in_words(freed)} of other models were freed, and " if freed else ""
            self.tell(f"Memory ran out while {what}: {others}it is tried once more.")
            made = attempted(work)
        if made is None:
            raise NotEnoughMemory(f"There is not enough memory for {advice}")
        return made


NO_RELIEF = Relief()
"""Of what runs by itself, without other models that could go."""
