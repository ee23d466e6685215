"""The picture of a model file: one that lies beside it, else the newest one made with it."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from server.catalogue import Catalogue
from server.gallery import Gallery
from server.model_folders import FileRefused
from server.queue.pictures import Pictures

ENDINGS = (".preview.png", ".preview.jpg", ".preview.webp", ".png", ".jpg", ".jpeg", ".webp")
"""What follows a model's name without its ending, in the order of preference; as in the field."""

SIZE = 96
"""Pixels of the small pictures in lists."""


def picture_beside(catalogue: Catalogue, folder: str, name: str) -> Path | None:
    """The picture beside the model file. Raises `FileRefused` where there is no such file.

    A link that leads out of the models folders is not followed.
    """
    model = catalogue.resolve(folder, name)
    stem = model.name.removesuffix(model.suffix)
    there = _names(model.parent)
    for ending in ENDINGS:
        path = model.with_name(stem + ending)
        if path.name in there and path.is_file() and catalogue.is_inside(path):
            return path
    return None


def picture_urls(
    catalogue: Catalogue, gallery: Gallery, pictures: Pictures, folder: str
) -> Mapping[str, str]:
    """Where the small picture of each model of the folder is, for those that have one."""
    names = list(catalogue.names(folder))
    found: dict[str, str] = {}
    listed: dict[Path, set[str]] = {}
    for name in names:
        if _has_one(catalogue, folder, name, listed):
            place = f"{quote(folder)}/{quote(name)}"
            found[name] = f"/api/models/picture/{place}?thumbnail={SIZE}"
    bare = {name: _stem(name) for name in names if name not in found}
    newest = pictures.newest_of_models(bare.values())
    for name, stem in bare.items():
        picture = newest.get(stem)
        if picture is not None and picture.file is not None and gallery.is_there(picture):
            found[name] = f"/api/files/output/{quote(picture.file)}?thumbnail={SIZE}"
    return found


def _has_one(catalogue: Catalogue, folder: str, name: str, listed: dict[Path, set[str]]) -> bool:
    """Whether a picture lies beside the model; each of the disk's folders is listed once."""
    try:
        model = catalogue.resolve(folder, name)
    except FileRefused:
        return False
    if model.parent not in listed:
        listed[model.parent] = _names(model.parent)
    stem = model.name.removesuffix(model.suffix)
    if any(stem + ending in listed[model.parent] for ending in ENDINGS):
        return picture_beside(catalogue, folder, name) is not None
    return False


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:  # it is gone, or not ours to read
        return set()


def _stem(name: str) -> str:
    """What the gallery calls a model: its file's name without folders and ending."""
    return name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
