"""Draw the templates' pictures anew: `python -m tests.server.template_pictures [NAME ...]`.

Each template is run on the starter model, and the last picture that it shows is kept as a small
one in workflows/thumbnails.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image

from graph.events import Produced
from graph.migrations import load_text
from server.settings import ROOT, Settings
from tests.helpers.bench import Bench

SIDE = 256
"""Pixels along the longer edge; smaller pictures stay as they are."""

SHOWN = {"what-the-garbage-looks-like": "10"}
"""The node whose picture says what the template is about, where that is not the last one."""


def main(names: list[str]) -> None:
    folder = ROOT / "workflows"
    for path in sorted(folder.glob("*.json")):
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as data:
            picture = drawn(path, Path(data))
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        target = folder / "thumbnails" / f"{path.stem}.png"
        target.parent.mkdir(exist_ok=True)
        picture.save(target, optimize=True)
        print(target)


def drawn(path: Path, data: Path) -> Image.Image:
    """The picture that the template's last node shows."""
    settings = Settings.of(data=data, device="cpu", precision="float32")
    settings.make_folders()
    bench = Bench(settings)
    ended = bench.run(load_text(path.read_text("utf-8")).workflow.to_json())
    if ended.status != "finished":
        raise SystemExit(f"{path.name}: {ended.error}")
    pictures = [event for event in bench.events(Produced) if event.kind == "image"]
    wanted = SHOWN.get(path.stem)
    made = [event for event in pictures if wanted is None or event.node == wanted][-1]
    root = settings.output if made.area == "output" else settings.temp
    with Image.open(root / made.file) as picture:
        return picture.convert("RGB")


if __name__ == "__main__":
    main(sys.argv[1:])
