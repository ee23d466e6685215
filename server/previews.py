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
