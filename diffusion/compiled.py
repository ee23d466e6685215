"""Compile a network where a person wants that, say how long it took, and do without if it fails."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from diffusion.shortage import is_shortage
from diffusion.streaming import is_streamed

Compiler = Callable[[nn.Module], Callable[..., Tensor]]


def by_torch(module: nn.Module) -> Callable[..., Tensor]:
    """What torch.compile makes of the module, anew for each size of picture."""
    made: Callable[..., Tensor] = torch.compile(module, dynamic=False)
    return made


class Compiled:
    """A network that is compiled at its first call with inputs of each shape.

    `tell` hears how long that took, and why where it could not be done; then the network runs as it
    is, for good. One whose weights are streamed is not compiled: its blocks change under way.
    """

    def __init__(
        self,
        module: nn.Module,
        tell: Callable[[str], None],
        compiler: Compiler = by_torch,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._module = module
        self._tell = tell
        self._compiler = compiler
        self._clock = clock
        self._call: Callable[..., Tensor] | None = None
        self._shapes: set[tuple[Any, ...]] = set()
        self._given_up = False

    def __call__(self, x: Tensor, *rest: Tensor, **named: Tensor) -> Tensor:
        """The network's answer, by the same arguments."""
        if not self._given_up and is_streamed(self._module):
            self._give_up("its weights do not all fit on the device")
        if self._given_up:
            plain: Tensor = self._module(x, *rest, **named)
            return plain
        shapes = (x.shape, *(part.shape for part in rest), *_shapes(named))
        if shapes in self._shapes and self._call is not None:
            return self._call(x, *rest, **named)
        made = self._first(x, *rest, **named)
        self._shapes.add(shapes)
        return made

    def _first(self, x: Tensor, *rest: Tensor, **named: Tensor) -> Tensor:
        start = self._clock()
        try:
            if self._call is None:
                self._call = self._compiler(self._module)
            made = self._call(x, *rest, **named)
            _finish(x.device)
        except Exception as error:
            # A compiler can fail in any way at all (no C++ compiler, no Triton, its own bugs). What
            # is the network's own fault is raised again by the plain call.
            if is_shortage(error):
                raise
            self._give_up(f"{type(error).__name__}: {_first_line(error)}")
            made = self._module(x, *rest, **named)
        else:
            size = " x ".join(str(edge) for edge in x.shape)
            seconds = self._clock() - start
            self._tell(
                f"The model was compiled for inputs of {size} in {seconds:.1f} s, its first call "
                "included."
            )
        return made

    def _give_up(self, why: str) -> None:
        self._given_up = True
        self._tell(f"The model could not be compiled and runs as it is: {why}.")


def _shapes(named: dict[str, Tensor]) -> tuple[Any, ...]:
    return tuple((name, part.shape) for name, part in sorted(named.items()))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "").rstrip(".")[:200]


def _finish(device: torch.device) -> None:
    """Wait until the device is done, so that the time is the whole time."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
