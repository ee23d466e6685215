"""A tiny VAE in two files works like one in one file."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from diffusion.engine import Engine
from diffusion.spaces import LATENT_SPACES
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig, UnknownScale
from graph.cancel import Cancel
from graph.files import FileFacts
from nodes import services
from nodes.loaders import load_tiny_vae, load_vae
from nodes.sockets import Image, VaeFile
from nodes.vae import vae_decode, vae_encode
from server.worker_services import RunModels
from tests.helpers.services import Interrupt, Spaces


class Facts(services.Facts):
    """Finds every file to be a tiny VAE of these spaces, or of those given for its name."""

    def __init__(self, *spaces: str, **by_name: tuple[str, ...]) -> None:
        self._spaces, self._by_name = spaces, by_name

    def of(self, file: Any) -> FileFacts:
        spaces = self._by_name.get(file.name, self._spaces)
        return FileFacts(name="x", kind="tiny_vae", spaces={"latent": spaces}, parts=("vae",))


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
    vae = load_tiny_vae(**files, facts=Facts("flux2"))
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


@pytest.fixture
def ambiguous(tmp_path: Path) -> tuple[TinyAutoencoder, VaeFile[Any]]:
    """A tiny VAE of which the header leaves SD 1.x and SDXL."""
    torch.manual_seed(0)
    module = TinyAutoencoder(TinyConfig(latent_channels=4)).eval()
    path = tmp_path / "tiny.safetensors"
    save_file({f"taesd_{name}": tensor for name, tensor in module.state_dict().items()}, path)
    return module, VaeFile("tiny.safetensors", path, "tiny")


def encoded(vae: Any) -> Any:
    models = RunModels(Engine("cpu", "float32"), Cancel())
    return vae_encode(Image(torch.full((1, 16, 16, 3), 0.25)), vae, models=models,
                      interrupt=Interrupt())  # fmt: skip


@pytest.mark.parametrize("space", ["sd1", "sdxl"])
def test_a_tiny_vae_encodes_once_it_is_known_whose_latents_it_speaks(
    ambiguous: tuple[TinyAutoencoder, VaeFile[Any]], space: str
) -> None:
    module, file = ambiguous
    latent = encoded(load_vae(file, facts=Facts(space)))
    assert latent.space == space
    with torch.no_grad():
        own = module.encode(torch.full((1, 3, 16, 16), -0.5))
    # the same weights and operations on another layout of memory
    assert torch.allclose(latent.samples, LATENT_SPACES[space].denormalise(own), atol=1e-4)


def test_a_tiny_vae_of_unknown_space_still_refuses_to_guess_its_scale(
    ambiguous: tuple[TinyAutoencoder, VaeFile[Any]],
) -> None:
    with pytest.raises(UnknownScale, match="look alike"):
        encoded(load_vae(ambiguous[1], facts=Facts("sd1", "sdxl")))


def test_either_half_of_two_files_says_whose_latents_both_speak(tmp_path: Path) -> None:
    halves = [VaeFile[Any](half, tmp_path / half, half) for half in ("encoder", "decoder")]
    both = ("sd1", "sdxl")
    for known in ("encoder", "decoder"):
        facts = Facts(*both, **{known: ("sdxl",)})
        assert load_tiny_vae(*halves, facts=facts).latent_space == "sdxl"
    assert load_tiny_vae(*halves, facts=Facts(*both)).latent_space == ""
