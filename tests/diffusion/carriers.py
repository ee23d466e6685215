"""A stand-in for the way to a device: it copies within the machine's memory, and keeps count."""

import weakref
from collections.abc import Sequence

from torch import Tensor


class CountingCarrier:
    """`events`: what was called, in order. `most`: the bytes that lay on the "device" at once."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.here = 0
        self.most = 0

    def keep(self, tensor: Tensor) -> Tensor:
        return tensor.detach().clone()

    def bring(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        self.events.append("bring")
        return [self._copied(tensor) for tensor in tensors]

    def arrived(self, brought: list[Tensor]) -> list[Tensor]:
        self.events.append("arrived")
        return brought

    def left(self) -> None:
        self.events.append("left")

    def _copied(self, tensor: Tensor) -> Tensor:
        copy = tensor.detach().clone()
        self.here += copy.nbytes
        self.most = max(self.most, self.here)
        # A storage lives as long as any tensor or parameter that looks into it.
        weakref.finalize(copy.untyped_storage(), self._gone, copy.nbytes)
        return copy

    def _gone(self, size: int) -> None:
        self.here -= size
