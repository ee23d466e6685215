"""What tests of several folders share."""

from pathlib import Path

import pytest

from server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The program's own nodes and packs, with a new data folder and no models."""
    settings = Settings.of(data=tmp_path / "data")
    settings.make_folders()
    return settings


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder: `tiny.safetensors`, two with NaN in them, and the VAE of another space."""
    from tests.helpers.tiny_model import tiny_checkpoint, tiny_vae

    folder = tmp_path_factory.mktemp("models")
    tiny_checkpoint(folder / "checkpoints" / "tiny.safetensors")
    tiny_checkpoint(folder / "checkpoints" / "nan.safetensors", broken="model")
    tiny_checkpoint(folder / "checkpoints" / "nan-vae.safetensors", broken="vae")
    tiny_vae(folder / "vae" / "tiny-b.safetensors")
    (folder / "checkpoints" / "cut.safetensors").write_bytes(
        (folder / "checkpoints" / "tiny.safetensors").read_bytes()[:100_000]
    )
    (folder / "checkpoints" / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    return folder
