"""A VAE that is ready to use: pictures in 0…1 to raw latents and back, in tiles where large."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from diffusion.checkpoint import nothing
from diffusion.machine import trim
from diffusion.shortage import NO_RELIEF, NotEnoughMemory, Relief, attempted, in_words
from diffusion.spaces import LatentSpace
from diffusion.tiles import TileSize, Tiling, smaller, tiled
from diffusion.tiny_vae import Block, TinyAutoencoder, TinyConfig
from diffusion.vae import AutoencoderKL, ResidualBlock, VaeConfig

Autoencoder = AutoencoderKL | TinyAutoencoder
"""What turns pixels in -1…1 into latents of a scale of its own, and back.

`from_wire` and `to_wire` convert between that and the form in which the space's latents travel.
"""

WHOLE = 160 * 160
"""Cells of a latent that are decoded at once (1280 x 1280 pixels at 8 pixels a cell).

Above that a picture is made of tiles, which cost some evenness of tone: normalisation and attention
see one tile only.
"""

LARGE = 48 * 48
"""Cells of a latent from which on a decode is what needs the most memory of a run."""

TILE, OVERLAP = 96, 16
"""Cells along a tile's edge, and of them those shared with the next tile."""


class VaeNotFinite(ArithmeticError):
    """A VAE answered with NaN or infinity."""


class WrongShape(ValueError):
    """A latent or picture that the VAE cannot take."""


@dataclass(frozen=True)
class LoadedVae:
    """An autoencoder and the space it speaks; None where the file cannot tell which.

    `exact` gives the same VAE in float32, for the pictures whose values a narrower format cannot
    hold; it is given what to call while it loads. `wider`, where there is one, gives it in a format
    of more range that is tried before. `encoder`: what encodes, where that lies in another file.
    `relief`: what is done where memory runs out, and who hears of it.
    """

    module: Autoencoder
    space: LatentSpace | None
    exact: Callable[[Callable[[], None]], Autoencoder]
    encoder: "LoadedVae | None" = None
    relief: Relief = NO_RELIEF
    wider: Callable[[Callable[[], None]], Autoencoder] | None = None

    @property
    def config(self) -> VaeConfig | TinyConfig:
        return self.module.config

    def within(self, space: LatentSpace | None) -> "LoadedVae":
        """The same VAE, taken to speak `space` where its file cannot tell which it speaks."""
        return replace(self, space=space) if self.space is None else self

    def encoded_by(self, encoder: "LoadedVae") -> "LoadedVae":
        """This VAE as it decodes, and another as it encodes."""
        return replace(self, encoder=encoder)

    def decode(
        self,
        raw: Tensor,
        check_cancel: Callable[[], None] = nothing,
        tiles: TileSize | None = None,
    ) -> Tensor:
        """Pictures, float32 (batch, height, width, 3) in 0…1 on the CPU, of latents as they travel.

        `raw`: (batch, channels, height / 8, width / 8). `check_cancel` is called before every tile
        and block of the network, and raises to stop. `tiles`: how large the tiles are of a picture
        that is larger than one; None has large pictures alone made of tiles. Raises `WrongShape`,
        `VaeNotFinite`, and of a tiny VAE `HalfVae` and `UnknownScale`.
        """
        channels = self.config.latent_channels
        if raw.ndim != 4 or raw.shape[1] != channels:
            raise WrongShape(
                f"The latent has {raw.shape[1] if raw.ndim > 1 else 0} channels and this VAE takes "
                f"{channels}: use the VAE of the model that made it."
            )
        own = self.module.from_wire(raw.float(), self.space)
        pixels = self._run(_decode, own, 1, self.config.downscale, check_cancel, tiles)
        return ((pixels + 1) / 2).clamp(0, 1).movedim(1, -1).contiguous()

    def encode(
        self,
        pictures: Tensor,
        check_cancel: Callable[[], None] = nothing,
        tiles: TileSize | None = None,
    ) -> Tensor:
        """Latents as they travel, float32 on the CPU, of pictures (batch, height, width, 3) in 0…1.

        What is over a whole number of cells is cut off evenly. `check_cancel`, `tiles` and errors
        as in `decode`.
        """
        if self.encoder is not None:
            return self.encoder.within(self.space).encode(pictures, check_cancel, tiles)
        pixels = self._whole_cells(pictures).movedim(-1, 1) * 2 - 1
        own = self._run(_encode, pixels, self.config.downscale, 1, check_cancel, tiles)
        return self.module.to_wire(own, self.space)

    def _run(
        self,
        method: Callable[[Autoencoder, Tensor], Tensor],
        x: Tensor,
        entering: int,
        leaving: int,
        check_cancel: Callable[[], None],
        tiles: TileSize | None,
    ) -> Tensor:
        """The network over each item of the batch, in a wider format where it gave no numbers."""
        tiling = Tiling(TILE, OVERLAP, entering, leaving)
        if tiles is not None:
            tiling = tiles.within(self.config.downscale, entering, leaving)
        whole = WHOLE if tiles is None else tiling.size**2
        task = Task(method, tiling, whole, check_cancel, self._teller())
        if x.device.type == "cpu" and x[0, 0].numel() // entering**2 >= LARGE:
            trim()  # the gaps that sampling left are too small for this network's maps
        made = []
        for one in x[:, None]:
            done = self._fitting(self.module, task, one)
            if torch.isfinite(one).all():
                for wider in (self.wider, self.exact):
                    if wider is not None and not torch.isfinite(done).all():
                        done = self._again(wider(check_cancel), task, one)
            if not torch.isfinite(done).all():
                raise VaeNotFinite(
                    "What comes out of the VAE holds numbers that are not finite (NaN), also in "
                    "float32: the latent or the VAE's file is damaged."
                )
            made.append(done)
        return torch.cat(made)

    def _again(self, module: Autoencoder, task: "Task", x: Tensor) -> Tensor:
        """The network in a wider format, where its own did not do."""
        own, other = (_format_of(network) for network in (self.module, module))
        if own != other:
            task.tell(f"The VAE's numbers exceed {own}: this picture is computed in {other}.")
        return self._fitting(module, task, x)

    def _fitting(self, module: Autoencoder, task: "Task", x: Tensor) -> Tensor:
        """The network over x: without other models, then in ever smaller tiles, if memory lacks."""
        for attempt in self._attempts(task, x):
            made = attempted(partial(_apply, module, attempt, x))
            if made is not None:
                return made
        raise NotEnoughMemory(
            "There is not enough memory for this VAE, even in small tiles and with every other "
            "model freed: close other programs that use the device, or make the picture smaller."
        )

    def _attempts(self, task: "Task", x: Tensor) -> Iterator["Task"]:
        """How it is tried, one way after the other; of each but the first a person is told."""
        yield task
        if freed := self.relief.free():
            task.tell(
                f"Memory ran out in the VAE: {in_words(freed)} of other models were freed, and it "
                "is tried once more."
            )
            yield task
        cells = task.cells(x)
        for tiling in smaller(task.tiling, cells, tiled=cells > task.whole):
            task.tell(
                "Memory ran out in the VAE: the picture is made in tiles of "
                f"{tiling.size * self.config.downscale} pixels, which may show in even areas."
            )
            yield replace(task, tiling=tiling, whole=tiling.size**2)

    def _teller(self) -> Callable[[str], None]:
        """Tells each sentence once, however many pictures it holds for."""
        told: set[str] = set()

        def tell(sentence: str) -> None:
            if sentence not in told:
                told.add(sentence)
                self.relief.tell(sentence)

        return tell

    def _whole_cells(self, pictures: Tensor) -> Tensor:
        cell = self.config.cell
        height, width = (edge // cell * cell for edge in pictures.shape[1:3])
        if not height or not width:
            raise WrongShape(
                f"A picture of {pictures.shape[2]} x {pictures.shape[1]} pixels is too small for "
                f"this VAE: {cell} x {cell} is the least."
            )
        top, left = (pictures.shape[1] - height) // 2, (pictures.shape[2] - width) // 2
        return pictures[:, top : top + height, left : left + width]


def _encode(module: Autoencoder, pixels: Tensor) -> Tensor:
    return module.encode(pixels)


def _decode(module: Autoencoder, latent: Tensor) -> Tensor:
    return module.decode(latent)


@dataclass(frozen=True)
class Task:
    """What a VAE shall do: up to `whole` cells at once, else in tiles."""

    method: Callable[[Autoencoder, Tensor], Tensor]
    tiling: Tiling
    whole: int
    check_cancel: Callable[[], None]
    tell: Callable[[str], None]

    def cells(self, x: Tensor) -> int:
        """How many cells of the latent x stands for."""
        return x.shape[2] * x.shape[3] // self.tiling.entering**2


def _apply(module: Autoencoder, task: Task, x: Tensor) -> Tensor:
    like = next(module.parameters())

    def apply(part: Tensor) -> Tensor:
        with torch.no_grad():
            return task.method(module, part.to(like))

    with _cancellable(module, task.check_cancel):
        task.check_cancel()
        if task.cells(x) <= task.whole:
            return apply(x).float().cpu()
        return tiled(apply, x, task.tiling, task.check_cancel)


def _format_of(module: Autoencoder) -> str:
    return str(next(module.parameters()).dtype).removeprefix("torch.")


@contextmanager
def _cancellable(module: Autoencoder, check_cancel: Callable[[], None]) -> Iterator[None]:
    """Call `check_cancel` before every residual block: a large picture takes many seconds."""
    hooks = [
        block.register_forward_pre_hook(lambda *_: check_cancel())
        for block in module.modules()
        if isinstance(block, ResidualBlock | Block)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
