"""Put the pictures that templates begin with where Load Image finds them."""

import contextlib
import os
import shutil
from pathlib import Path

FOLDER = "examples"
"""What the folder is called in the input folder; templates name "examples/red-circle.png"."""


def place_examples(shipped: Path, inputs: Path) -> None:
    """Copy what is missing; a picture that a person changed stays as it is."""
    for picture in sorted(shipped.glob("*.png")):
        target = inputs / FOLDER / picture.name
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            shutil.copyfile(picture, draft)
            os.replace(draft, target)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
