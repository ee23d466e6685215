"""Where model files lie: folders by kind below several roots, and the names that lead to a file."""

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

FOLDERS: dict[str, tuple[str, ...]] = {
    "checkpoints": ("checkpoints",),
    "vae": ("vae",),
    "text_encoders": ("text_encoders", "clip"),
    "diffusion_models": ("diffusion_models", "unet"),
    "loras": ("loras",),
    "controlnet": ("controlnet",),
    "upscale_models": ("upscale_models",),
    "embeddings": ("embeddings",),
}
"""Our folders, and what they may be called in a root; the second names are other programs'."""

INPUT = "input"
"""The folder of uploaded pictures, beside the folders of models."""

LATENTS = "latents"
"""The folders of latents that Save Latent wrote, or that another program left."""

MODEL_ENDINGS = frozenset({".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf"})
PICTURE_ENDINGS = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
)

LATENT_ENDINGS = frozenset({".latent", ".safetensors"})


class FileRefused(Exception):
    """A name that leads to no file that may be used; the message is a sentence."""


@dataclass(frozen=True)
class Stamp:
    """What tells one content of a file from another without reading it."""

    path: str
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Raises `OSError` where there is no such file."""
        found = os.stat(path)  # not scandir's own, which has no inode on Windows
        return cls(str(path), found.st_size, found.st_mtime_ns, found.st_ino)

    @property
    def content(self) -> str:
        """The stamp as a short text for cache keys."""
        text = f"{self.path}\0{self.size}\0{self.mtime_ns}\0{self.inode}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Place:
    """A file below a folder. `outside`: a symbolic link that leads out of every root."""

    name: str
    path: Path
    outside: bool = False


def models_root(path: Path) -> Path:
    """The folder that holds checkpoints/ and the rest, where `path` may be the one above it."""
    inner = path / "models"
    names = [name for names in FOLDERS.values() for name in names]
    if not any((path / name).is_dir() for name in names) and inner.is_dir():
        return inner
    return path


class ModelFolders:
    """The folders of one program run: roots of models, input pictures, and places of latents."""

    def __init__(
        self, roots: Sequence[Path], input_folder: Path, latents: Sequence[Path] = ()
    ) -> None:
        unique = dict.fromkeys(models_root(Path(root).absolute()) for root in roots)
        self._bases: dict[str, tuple[Path, ...]] = {
            folder: tuple(root / name for root in unique for name in names)
            for folder, names in FOLDERS.items()
        }
        self._bases[INPUT] = (Path(input_folder).absolute(),)
        self._bases[LATENTS] = tuple(Path(folder).absolute() for folder in latents)
        # A root, or a folder of one, may itself be a link: what lies behind it is inside.
        self._real = {base.resolve() for bases in self._bases.values() for base in bases}

    @property
    def folders(self) -> tuple[str, ...]:
        return tuple(self._bases)

    def places(self, folder: str) -> dict[str, Place]:
        """Every file of a folder by its name; where two roots have it, the first one's."""
        found: dict[str, Place] = {}
        for base in self._bases.get(folder, ()):
            for place in self._walk(base, _endings(folder)):
                found.setdefault(place.name, place)
        return dict(sorted(found.items(), key=lambda item: (item[0].lower(), item[0])))

    def find(self, folder: str, name: str) -> Path:
        """The file that a name means. Raises `FileRefused`."""
        if folder not in self._bases:
            raise FileRefused(f"There is no models folder {folder!r}.")
        parts = name.split("/")
        if "\\" in name or ":" in name or "\0" in name or any(p in ("", ".", "..") for p in parts):
            raise FileRefused(f"{name!r} is not the name of a file in {folder}.")
        for base in self._bases[folder]:
            path = base.joinpath(*parts)
            if not path.is_file():
                continue
            if not self.is_inside(path):
                raise FileRefused(f"{name!r} is a link that leads out of the models folders.")
            if path.suffix.lower() in _endings(folder):
                return path
        raise FileRefused(f"There is no file {name!r} in {folder}.")

    def is_inside(self, path: Path) -> bool:
        """Whether the file, symbolic links resolved, lies below one of the folders."""
        try:
            return not self._real.isdisjoint(path.resolve(strict=True).parents)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            return False

    def _walk(self, base: Path, endings: frozenset[str]) -> Iterator[Place]:
        """The files below `base` with these endings; hidden ones are left out."""
        todo = [(base, "")]
        seen: set[Path] = set()  # linked folders, which may form a circle
        while todo:
            folder, prefix = todo.pop()
            for entry in _entries(folder):
                if entry.name.startswith("."):
                    continue
                name, path = prefix + entry.name, folder / entry.name
                outside = entry.is_symlink() and not self.is_inside(path)
                if entry.is_dir():
                    real = path.resolve() if entry.is_symlink() else None
                    if outside:
                        log.warning("%s leads out of the models folders and is not followed", path)
                    elif real is None or real not in seen:
                        seen.update({real} if real else ())
                        todo.append((path, name + "/"))
                elif os.path.splitext(entry.name)[1].lower() in endings:
                    yield Place(name, path, outside)


def _endings(folder: str) -> frozenset[str]:
    return {INPUT: PICTURE_ENDINGS, LATENTS: LATENT_ENDINGS}.get(folder, MODEL_ENDINGS)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # absent, or not ours to read
        return []
