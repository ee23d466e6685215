"""Where the newest picture of what a node is making lies."""

import hashlib
import re
from pathlib import Path

from server.settings import Settings

_PLAIN = re.compile(r"[a-z0-9_-]{1,64}")


def preview_name(node: str) -> str:
    """The file name of a node's preview inside its run's preview folder; safe for any id.

    Ids in lower case stay readable; others are hashed, since file names may not tell case apart.
    """
    stem = node if _PLAIN.fullmatch(node) else hashlib.sha256(node.encode()).hexdigest()[:32]
    return f"{stem}.jpg"


def preview_path(settings: Settings, run: str, node: str) -> Path:
    """The preview of the node in the run `run`, whose id the queue made."""
    return settings.previews / run / preview_name(node)


def step_path(settings: Settings, run: str, node: str, step: int) -> Path:
    """The preview of one step of the node, beside the newest one."""
    return _steps_folder(settings, run, node) / f"{step}.jpg"


def kept_steps(settings: Settings, run: str, node: str) -> list[int]:
    """The steps of the node that a preview is kept of, from the first."""
    found = _steps_folder(settings, run, node).glob("*.jpg")
    return sorted(int(path.stem) for path in found if path.stem.isdecimal())


def _steps_folder(settings: Settings, run: str, node: str) -> Path:
    return preview_path(settings, run, node).with_suffix(".steps")
