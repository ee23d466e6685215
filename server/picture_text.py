"""Read what a saved picture carries, without decoding it: its workflow, and what it came from."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graph.events import PictureFacts
from server import png

PARAMETERS = "latent_loom_parameters"
"""Under this name lies what a picture was computed from."""


def picture_facts(path: Path) -> PictureFacts | None:
    """What the gallery finds the picture by, as far as it says so itself."""
    try:
        return _facts(parameters_of(path))
    except (OSError, png.BadPng, ValueError):
        return None


def parameters_of(path: Path) -> Mapping[str, Any]:
    """What the picture says that it was computed from; empty where it says nothing."""
    with path.open("rb") as file:
        if not png.is_png(file.read(8)):
            return {}
        file.seek(0)
        text = png.text_of(file, PARAMETERS)
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def _facts(parameters: Mapping[str, Any]) -> PictureFacts | None:
    try:
        return PictureFacts.model_validate(parameters.get("picture"))
    except ValidationError:  # none, or of another version
        return None
