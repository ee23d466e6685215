"""A tiny VAE in two files works like one in one file."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from diffusion.engine import Engine
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from graph.cancel import Cancel
from graph.files import FileFacts
from nodes import services
from nodes.loaders import load_tiny_vae
from nodes.sockets import Image, VaeFile
from nodes.vae import vae_decode, vae_encode
from server.worker_services import RunModels
from tests.helpers.services import Interrupt, Spaces


class Facts(services.Facts):
    """Finds every file to be one of FLUX.2's."""

    def of(self, file: Any) -> FileFacts:
        return FileFacts(name="x", kind="tiny_vae", spaces={"latent": ("flux2",)}, parts=("vae",))


@pytest.fixture
def module() -> TinyAutoencoder:
    torch.manual_seed(0)
    return TinyAutoencoder(TinyConfig(latent_channels=32, pooled=True)).eval()


def test_pictures_go_through_both_files(module: TinyAutoencoder, tmp_path: Path) -> None:
    for half in ("encoder", "decoder"):
        part = getattr(module, half).state_dict()
        save_file(dict(part), tmp_path / f"{half}.safetensors")
    files: dict[str, Any] = {
        half: VaeFile(half, tmp_path / f"{half}.safetensors", half)
        for half in ("encoder", "decoder")
    }
    vae = load_tiny_vae(**files, facts=Facts())
    assert vae.latent_space == "flux2"
    given: dict[str, Any] = {
        "models": RunModels(Engine("cpu", "float32"), Cancel()),
        "interrupt": Interrupt(),
    }
    picture = Image(torch.rand(1, 16, 24, 3, generator=torch.Generator().manual_seed(1)))
    latent = vae_encode(picture, vae, **given)
    with torch.no_grad():
        expected = module.encode(picture.pixels.movedim(-1, 1) * 2 - 1)
        decoded = module.decode(expected).movedim(1, -1) / 2 + 0.5
    # the same weights and operations on another layout of memory
    assert torch.allclose(latent.samples, expected, atol=1e-5)
    made = vae_decode(latent, vae, spaces=Spaces(), **given)
    assert torch.allclose(made.pixels, decoded.clamp(0, 1), atol=1e-5)
