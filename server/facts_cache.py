"""Keep what was read from files' headers between starts, in one JSON file."""

import json
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server.model_folders import Stamp

log = logging.getLogger(__name__)


def load(file: Path, version: str) -> dict[Stamp, dict[str, Any]]:
    """What `save` wrote under the same version; nothing where the file is absent or broken."""
    try:
        data = json.loads(file.read_text("utf-8"))
        if data["version"] != version:
            return {}
        return {Stamp(*stamp): known for stamp, known in data["files"]}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("%s is unreadable and is made anew: %s", file, error)
        return {}


def save(file: Path, version: str, known: Mapping[Stamp, dict[str, Any]]) -> None:
    """Write the file as a whole or not at all; failing costs only time at the next start."""
    files = [
        [[stamp.path, stamp.size, stamp.mtime_ns, stamp.inode], facts]
        for stamp, facts in known.items()
    ]
    draft = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"version": version, "files": files}), "utf-8")
        os.replace(draft, file)
    except (OSError, ValueError) as error:  # ValueError: a path that is no Unicode text
        log.warning("what is known of the model files could not be kept in %s: %s", file, error)
        draft.unlink(missing_ok=True)
