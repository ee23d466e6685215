"""Which source the node definitions were read from, and where they are kept between starts."""

import hashlib
import logging
import os
from pathlib import Path

from pydantic import ValidationError

from server.settings import Settings
from server.worker_messages import Library

log = logging.getLogger(__name__)

SOURCES = ("graph", "nodes", "diffusion")
"""Folders of ours that a definition is made from: `diffusion` holds the names of samplers."""


def library_version(settings: Settings) -> str:
    """A hash of every Python file that node definitions come from; no file is imported."""
    digest = hashlib.sha256()
    folders = [settings.root / name for name in SOURCES]
    for folder in (*folders, settings.custom_nodes):
        for path in sorted(folder.rglob("*.py")):
            if any(part.startswith((".", "__pycache__")) for part in path.parts[-3:]):
                continue
            digest.update(f"{path.relative_to(folder.parent).as_posix()}\0".encode())
            digest.update(path.read_bytes())
            digest.update(b"\0")
    return digest.hexdigest()[:32]


def kept_library(settings: Settings) -> Library | None:
    """The definitions that a worker sent for exactly this source, if one ever did."""
    path = _path(settings, library_version(settings))
    try:
        return Library.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        log.warning("The kept node definitions in %s cannot be read; they are made again.", path)
        return None


def keep_library(settings: Settings, library: Library) -> None:
    """Keep the definitions on disk, in place of those of older sources."""
    path = _path(settings, library.version)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(library.model_dump_json(by_alias=True), encoding="utf-8")
    os.replace(temporary, path)
    for old in path.parent.glob("nodes-*.json"):
        if old != path:
            old.unlink(missing_ok=True)


def _path(settings: Settings, version: str) -> Path:
    return settings.cache / f"nodes-{version}.json"
