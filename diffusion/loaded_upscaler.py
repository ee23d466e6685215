"""An upscaler that is ready to use: pictures to larger pictures, in tiles."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from diffusion.checkpoint import nothing
from diffusion.shortage import NO_RELIEF, NotEnoughMemory, Relief, attempted
from diffusion.tiles import Tiling, smaller, tiled
from diffusion.upscaler import CompactUpscaler, DenseUpscaler

TILE, OVERLAP = 384, 32
"""Pixels along a tile's edge, and of them those shared with the next tile."""


@dataclass(frozen=True)
class LoadedUpscaler:
    """A network that enlarges pictures. `relief`: who hears of it where memory runs out."""

    module: DenseUpscaler | CompactUpscaler
    relief: Relief = NO_RELIEF

    @property
    def scale(self) -> int:
        """How many times larger an edge becomes."""
        return self.module.scale

    def enlarge(self, pictures: Tensor, check_cancel: Callable[[], None] = nothing) -> Tensor:
        """Pictures (batch, height, width, 3) in 0…1 as (batch, height * scale, width * scale, 3).

        float32 on the CPU. `check_cancel` is called before every tile and raises to stop. Raises
        `NotEnoughMemory`.
        """
        pixels = pictures.movedim(-1, 1)
        made = [self._one(one, check_cancel) for one in pixels[:, None]]
        return torch.cat(made).clamp(0, 1).movedim(1, -1).contiguous()

    def _one(self, x: Tensor, check_cancel: Callable[[], None]) -> Tensor:
        like = next(self.module.parameters())

        def apply(part: Tensor) -> Tensor:
            with torch.no_grad():
                out: Tensor = self.module(part.to(like))
                return out

        tiling = Tiling(TILE, OVERLAP, 1, self.scale)
        cells = x.shape[2] * x.shape[3]
        for attempt in (tiling, *smaller(tiling, cells, tiled=True)):
            if attempt is not tiling:
                self.relief.tell(
                    "Memory ran out while a picture was enlarged: it is done in tiles of "
                    f"{attempt.size} pixels."
                )
            made = attempted(partial(tiled, apply, x, attempt, check_cancel))
            if made is not None:
                return made
        raise NotEnoughMemory(
            "There is not enough memory to enlarge this picture, even in small tiles: close other "
            "programs that use the device."
        )
