"""Make a saved picture once more and say whether it is the same: `main.py verify picture.png`."""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from graph.migrations import WorkflowError, load_text
from graph.picture_text import WORKFLOW, BadTexts
from graph.subgraph_values import named_node
from graph.subgraphs import Flat
from graph.workflow import Workflow
from server import worker
from server.headless import checks, complain, make_folders
from server.headless_desk import CannotRun, Desk
from server.picture_text import parameters_of, texts_of
from server.settings import Settings
from server.worker_client import Entry

IDENTICAL, DIFFERENT, UNKNOWN = 0, 1, 2
"""The exit codes: the same, another one, and could not be made again."""


class Made(NamedTuple):
    """A picture, and what it says of itself: its workflow, the node and the place in its batch."""

    path: Path
    workflow: Workflow
    about: Mapping[str, Any]

    @property
    def place(self) -> tuple[str, int]:
        """The node that saved it, and its number among those that the node saved together."""
        return str(self.about.get("node", "")), int(self.about.get("index", 0))


def verify_file(settings: Settings, path: Path, entry: Entry = worker.main) -> int:
    """Make the picture again and print whether it is identical, or what differs; the exit code."""
    try:
        return asyncio.run(_verify(replace(settings, metadata=True), path, entry))
    except (CannotRun, WorkflowError) as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("Cancelled.")
    return UNKNOWN


async def _verify(settings: Settings, path: Path, entry: Entry) -> int:
    old = _read(path)
    node, _ = old.place
    make_folders(settings)
    async with contextlib.AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="verify-")))
        # Results that are kept would only be compared with themselves.
        options = {"output": str(scratch / "output"), "results": str(scratch / "results")}
        desk = Desk(settings, options, entry)
        stack.push_async_callback(desk.stop)
        await desk.start()
        definitions = (await desk.library()).nodes
        if named_node(Flat(old.workflow, definitions), node) is None:
            raise CannotRun(f"The node that saved {path} is not in its workflow.")
        desk.follow(old.workflow, definitions)
        if not checks(settings, old.workflow, definitions, [node]):
            raise CannotRun(f"{path} cannot be made here again; see above.")
        desk.quiet = True
        error = await desk.run(old.workflow, [node])
        if error is not None:
            raise CannotRun(f"{path} could not be made again: {error}")
        return _told(old, _same_place(old, desk.pictures))


def _read(path: Path) -> Made:
    """The picture, with what it says of itself. Raises `CannotRun`."""
    try:
        with path.open("rb") as file:
            texts = texts_of(file)
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror or error}.") from error
    except BadTexts as error:
        raise CannotRun(f"{path}: {error}") from error
    about = parameters_of(texts)
    if WORKFLOW not in texts or "node" not in about:
        raise CannotRun(
            f"{path} does not say what made it: it was saved without metadata, or by another "
            "program."
        )
    return Made(path, load_text(texts[WORKFLOW]).workflow, about)


def _same_place(old: Made, pictures: Sequence[Path]) -> Made:
    """The new picture that has the old one's place. Raises `CannotRun`."""
    for path in pictures:
        with contextlib.suppress(CannotRun):
            new = _read(path)
            if new.place == old.place:
                return new
    raise CannotRun(f"The workflow of {old.path} made no picture at this place.")


def _told(old: Made, new: Made) -> int:
    """Print what differs; the exit code."""
    for line in differences(old.about, new.about):
        print(f"note: {line}", file=sys.stderr)
    sentence, same = compared(old.path, new.path)
    print(f"{'identical' if same else 'different'}: {sentence}", flush=True)
    return IDENTICAL if same else DIFFERENT


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """In what else but pixels the two were made otherwise, a sentence each."""
    before, after = _mapping(old, "made"), _mapping(new, "made")
    if not before:
        yield "The picture does not say with which program and device it was made."
    for name, title in (("program", "Latent Loom"), ("device", "The device"), ("engine", "Engine")):
        if before and before.get(name) != after.get(name):
            yield f"{title} was {before.get(name) or 'unknown'} and is {after.get(name)} now."
    libraries, others = _mapping(before, "libraries"), _mapping(after, "libraries")
    for name in sorted({*libraries, *others} if before else ()):
        if libraries.get(name) != others.get(name):
            was, is_ = libraries.get(name, "missing"), others.get(name, "missing")
            yield f"{name} was {was} and is {is_} now."
    known = {_key(file): file.get("sha256") for file in old.get("files", ())}
    for file in new.get("files", ()):
        if known.get(_key(file)) not in (None, "", file.get("sha256")):
            yield f"The file {_key(file)} has another content than it had."
    before_nodes, after_nodes = _mapping(old, "nodes"), _mapping(new, "nodes")
    if _values(before_nodes) != _values(after_nodes):
        yield "Nodes computed it from other values than before."


def compared(old: Path, new: Path) -> tuple[str, bool]:
    """What differs between the pixels of two pictures, and whether nothing does."""
    import numpy
    from PIL import Image

    with Image.open(old) as first, Image.open(new) as second:
        if first.size != second.size:
            sizes = [f"{picture.width}x{picture.height}" for picture in (first, second)]
            return f"it had {sizes[0]} pixels and has {sizes[1]} now.", False
        one, two = (
            numpy.asarray(picture.convert("RGB")).astype(numpy.int16) for picture in (first, second)
        )
    far = abs(one - two).max(axis=-1)
    other = int(numpy.count_nonzero(far))
    if not other:
        return f"all {far.size:,} pixels are the same.", True
    return (
        f"{other:,} of {far.size:,} pixels ({other / far.size:.2%}) differ, by {far.max()} of 255 "
        f"at most and by {far.mean():.3f} in the mean.",
        False,
    )


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _key(file: Mapping[str, Any]) -> str:
    return f"{file.get('folder')}/{file.get('name')}"


def _values(nodes: Mapping[str, Any]) -> str:
    return json.dumps(
        {node: placed.get("values") for node, placed in nodes.items()}, sort_keys=True
    )
