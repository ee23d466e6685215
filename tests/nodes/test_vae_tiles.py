"""The tiled VAE nodes cut where they are told to, and make the same pictures and latents."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from diffusion.loaded_vae import LoadedVae
from diffusion.tiles import TileSize, Tiling
from diffusion.vae import AutoencoderKL
from graph.cancel import Cancelled
from nodes.services import WrongSpace
from nodes.sockets import Image, Latent
from nodes.vae import vae_decode, vae_decode_tiled, vae_encode, vae_encode_tiled
from tests.helpers.services import Interrupt, Models, Spaces, recipe
from tests.helpers.tiny_model import vae_module

SEEN: list[tuple[int, ...]] = []
"""The sizes of what the network was given."""


@pytest.fixture(scope="module")
def loaded() -> LoadedVae:
    torch.manual_seed(0)
    module = vae_module()
    return LoadedVae(module, None, exact=lambda check: module)


@pytest.fixture(autouse=True)
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()

    def watching(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def watched(self: AutoencoderKL, x: Tensor) -> Tensor:
            SEEN.append(tuple(x.shape[2:]))
            return method(self, x)

        return watched

    for name in ("encode", "decode"):
        monkeypatch.setattr(AutoencoderKL, name, watching(getattr(AutoencoderKL, name)))


def services(loaded: LoadedVae, interrupt: Interrupt | None = None) -> dict[str, Any]:
    return {"models": Models(vae=loaded), "interrupt": interrupt or Interrupt()}


def latent() -> Latent[Any]:
    return Latent(torch.randn(2, 4, 16, 12, generator=torch.manual_seed(1)), "sd1")


def picture() -> Image:
    return Image(torch.rand(1, 128, 96, 3, generator=torch.manual_seed(1)))


def alike(one: Tensor, other: Tensor) -> bool:
    """Normalisation sees one tile only, so that tiles differ a little from the whole; unrelated
    pictures would not correlate at all, and pictures out of place by a cell hardly."""
    both = torch.stack([one.flatten(), other.flatten()])
    return one.shape == other.shape and float(torch.corrcoef(both)[0, 1]) > 0.95


def test_a_latent_is_decoded_in_tiles_of_the_size_that_is_asked_for(loaded: LoadedVae) -> None:
    whole = vae_decode(latent(), recipe(), spaces=Spaces(), **services(loaded))
    SEEN.clear()
    tiled = vae_decode_tiled(latent(), recipe(), 96, 32, spaces=Spaces(), **services(loaded))
    # 96 pixels are 12 cells: tiles begin at 0 and 4, for each of two pictures
    assert SEEN == [(12, 12)] * 2 * 2
    assert alike(tiled.pixels, whole.pixels)


def test_a_picture_is_encoded_in_tiles_of_the_size_that_is_asked_for(loaded: LoadedVae) -> None:
    whole = vae_encode(picture(), recipe("sdxl"), **services(loaded))
    SEEN.clear()
    tiled = vae_encode_tiled(picture(), recipe("sdxl"), 96, 0, **services(loaded))
    assert SEEN == [(96, 96)] * 2
    assert tiled.space == "sdxl"
    assert alike(tiled.samples, whole.samples)


def test_what_fits_into_one_tile_is_not_cut(loaded: LoadedVae) -> None:
    plain = vae_decode(latent(), recipe(), spaces=Spaces(), **services(loaded))
    tiled = vae_decode_tiled(latent(), recipe(), spaces=Spaces(), **services(loaded))
    assert torch.equal(plain.pixels, tiled.pixels)
    whole = vae_encode(picture(), recipe(), **services(loaded))
    assert torch.equal(
        vae_encode_tiled(picture(), recipe(), **services(loaded)).samples, whole.samples
    )


def test_tiles_are_cancelled_between_two_of_them(loaded: LoadedVae) -> None:
    with pytest.raises(Cancelled):
        vae_decode_tiled(
            latent(), recipe(), 64, 0, spaces=Spaces(), **services(loaded, Interrupt(at=12))
        )
    assert len(SEEN) < 8  # of 2 x 2 x 2


def test_a_latent_of_another_space_is_refused_in_tiles_too(loaded: LoadedVae) -> None:
    with pytest.raises(WrongSpace):
        vae_decode_tiled(latent(), recipe("sdxl"), spaces=Spaces(), **services(loaded))


def test_a_tile_is_a_cell_at_least_and_a_quarter_of_it_overlaps_at_most() -> None:
    assert TileSize(64, 4096).within(8, 1, 8) == Tiling(8, 2, 1, 8)
    assert TileSize(512, 64).within(8, 8, 1) == Tiling(64, 8, 8, 1)
    assert TileSize(4, 0).within(8, 1, 8) == Tiling(1, 0, 1, 8)
