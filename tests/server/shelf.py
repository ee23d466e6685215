"""A folder of model files that hold only zeros, as tests of the catalogue and of folders use it."""

from pathlib import Path

from server.catalogue import Catalogue
from tests.diffusion.files import known_shapes, write_zeros

SMALL = {"x.lora_down.weight": (4, 2)}
"""The tensors of a small LoRA."""


def models_below(folder: Path) -> Path:
    """A models folder with five files, and beside it a folder of pictures."""
    models = folder / "models"
    write_zeros(models / "checkpoints" / "photo.safetensors", known_shapes("checkpoint_sd15"))
    write_zeros(models / "checkpoints" / "sub" / "xl.safetensors", known_shapes("checkpoint_sdxl"))
    write_zeros(models / "vae" / "mse.safetensors", known_shapes("vae_kl_f8_z4_ldm"))
    write_zeros(models / "clip" / "l.safetensors", known_shapes("clip_l_hf"))
    write_zeros(models / "unet" / "flux.safetensors", known_shapes("flux1_dev"))
    (folder / "input").mkdir()
    (folder / "input" / "cat.png").write_bytes(b"png")
    (folder / "input" / "notes.txt").write_bytes(b"text")
    return models


def of(root: Path, *more: Path) -> Catalogue:
    """The catalogue of the models folder and of others; each call is a new start of the program."""
    return Catalogue((root, *more), root.parent / "input", root.parent / "cache" / "models.json")
