"""Which files a run needs on another machine, which of its own are the same, and what comes back.

A model file stays where it is: each machine has its own, and the same content counts, whatever the
file is called there. Pictures and latents that people put into a workflow are sent along.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from graph.definition import NodeDefinition
from graph.events import Previewed, Produced
from graph.files import EMBEDDINGS
from graph.migrations import load
from graph.prompts import prompts_of
from graph.subgraphs import Flat
from server.catalogue_embeddings import mentioned_in, spelled_out
from server.content_hashes import content_hashes_of
from server.model_folders import INPUT, LATENTS, FileRefused, ModelFolders
from server.paths import place, temporary
from server.previews import preview_path
from server.settings import Settings
from server.worker_messages import FromWorker, Happened, Start
from server.worker_questions import Value

Area = Literal["output", "temp", "preview", ""]


def opened(start: Start, definitions: Mapping[str, NodeDefinition]) -> Start:
    """The run with the insides of its subgraphs in their place, so that every file is seen."""
    if not start.workflow.get("subgraphs"):
        return start
    flat = Flat(load(start.workflow).workflow, definitions)
    wanted = None if start.wanted is None else tuple(flat.wanted(start.wanted))
    return start.model_copy(update={"workflow": flat.workflow.to_json(), "wanted": wanted})


@dataclass(frozen=True)
class Needed:
    """A file that a node of a workflow names; `size` in bytes, `content` its SHA-256.

    `mention`: the characters that name it, where the widget's value is a prompt.
    """

    node: str
    widget: str
    folder: str
    name: str
    size: int
    content: str
    mention: tuple[int, int] | None = None

    @property
    def is_model(self) -> bool:
        """Whether each machine has its own; else it is sent."""
        return self.folder not in (INPUT, LATENTS)


class _Place(NamedTuple):
    """Where a file is named: in a widget, and in a prompt by these characters."""

    widget: str
    folder: str
    name: str
    mention: tuple[int, int] | None = None


class Files:
    """The model folders and the input folder of one machine."""

    def __init__(self, settings: Settings) -> None:
        self._folders = ModelFolders(settings.models, settings.input, settings.latents)
        self._hashes = content_hashes_of(settings)

    def path(self, folder: str, name: str) -> Path:
        """Where the file lies. Raises `FileRefused`."""
        return self._folders.find(folder, name)

    def needed_by(
        self, workflow: Mapping[str, Any], definitions: Mapping[str, NodeDefinition]
    ) -> list[Needed]:
        """Every file that a node of the workflow (the saved form) names and that is here.

        Raises `OSError` where one cannot be read.
        """
        found = []
        for node, placed in workflow.get("nodes", {}).items():
            definition, values = definitions.get(placed.get("type", "")), placed.get("values", {})
            for widget, folder, name, mention in self._named(definition, values):
                try:
                    path = self.path(folder, name)
                except FileRefused:
                    continue  # the checker there says what is to be said of it
                size, content = path.stat().st_size, self._hashes.of(path)
                found.append(Needed(node, widget, folder, name, size, content, mention))
        return found

    def _named(
        self, definition: NodeDefinition | None, values: Mapping[str, Any]
    ) -> Iterator[_Place]:
        """Where the values of a node name files: as a whole, and within prompts."""
        if definition is None:
            return
        for widget in definition.widgets:
            name = values.get(widget.name)
            if widget.folder is not None and isinstance(name, str):
                yield _Place(widget.name, widget.folder, name)
        for prompt in prompts_of(definition):
            text = values.get(prompt)
            for one in mentioned_in(self._folders, text) if isinstance(text, str) else ():
                if one.file is not None:
                    yield _Place(prompt, EMBEDDINGS, one.file, (one.start, one.end))

    def model_at(self, path: Path) -> Needed | None:
        """The model file that lies there, if it lies in a models folder. Raises `OSError`."""
        for folder in self._folders.folders:
            for name, here in self._folders.places(folder).items():
                if here.path == path:
                    return Needed("", "", folder, name, path.stat().st_size, self._hashes.of(path))
        return None

    def models(self) -> dict[str, list[str]]:
        """The names of all model files by their folder."""
        return {
            folder: list(self._folders.places(folder))
            for folder in self._folders.folders
            if folder not in (INPUT, LATENTS)
        }

    def same(self, wanted: Needed) -> str | None:
        """The name of the file here that has this content, preferably the same name."""
        places = self._folders.places(wanted.folder)
        names = sorted(places, key=lambda name: name != wanted.name)
        for name in names:
            path = places[name].path
            try:
                if path.stat().st_size == wanted.size and self._hashes.of(path) == wanted.content:
                    return name
            except OSError:
                continue  # gone meanwhile
        return None


def renamed(workflow: Mapping[str, Any], names: Iterable[tuple[Needed, str]]) -> dict[str, Any]:
    """The workflow with the names that the files have on another machine."""
    changed = dict(workflow)
    nodes = changed["nodes"] = dict(workflow.get("nodes", {}))
    # The last mention first, so that the places of those before it stay right.
    ordered = sorted(names, key=lambda item: item[0].mention or (0, 0), reverse=True)
    for needed, name in ordered:
        placed = nodes[needed.node] = copy.copy(nodes[needed.node])
        before = placed["values"][needed.widget]
        value = name if needed.mention is None else _put(before, needed.mention, name)
        placed["values"] = {**placed["values"], needed.widget: value}
    return changed


def _put(text: str, mention: tuple[int, int], name: str) -> str:
    """The prompt, in which another embedding is named at this place."""
    start, end = mention
    return text[:start] + spelled_out(name) + text[end:]


class Attached(NamedTuple):
    """A file that a message speaks of."""

    area: Area
    path: Path


def attached_to(message: FromWorker, settings: Settings) -> Attached | None:
    """The file that the message speaks of, in the folders of the settings' machine."""
    match message:
        case Happened(event=Produced(file=file, area=area)) if file:
            return Attached(area, (settings.temp if area == "temp" else settings.output) / file)
        case Happened(run=run, event=Previewed(node=node)):
            return Attached("preview", preview_path(settings, run, node))
        case Value(file=file) if file:
            return Attached("temp", settings.temp / file)
    return None


def unpacked(message: FromWorker, content: bytes, settings: Settings) -> FromWorker:
    """The message, with its file's content written here and named as it is called here.

    No file that is there already is written over, but previews are. Raises `OSError`.
    """
    attached = attached_to(message, settings)
    assert attached is not None
    draft = temporary(attached.path.parent)
    try:
        draft.write_bytes(content)
        if attached.area == "preview" or isinstance(message, Value):
            draft.replace(attached.path)
            return message
        written = place(draft, attached.path.parent, _free(attached.path))
    finally:
        draft.unlink(missing_ok=True)
    assert isinstance(message, Happened)
    folder = settings.temp if attached.area == "temp" else settings.output
    file = written.relative_to(folder).as_posix()
    return message.model_copy(update={"event": message.event.model_copy(update={"file": file})})


def _free(path: Path) -> str:
    """The file's name, its counter raised above those that are there: fox_00001, fox_00002."""
    counted = re.fullmatch(r"(.*?)(\d{5,12})", path.stem)
    if counted is None:
        return path.name
    before, digits = counted.groups()
    pattern = re.compile(re.escape(before) + r"(\d{5,12})" + re.escape(path.suffix))
    there = [
        int(found[1]) for other in path.parent.iterdir() if (found := pattern.fullmatch(other.name))
    ]
    number = max([int(digits), *(one + 1 for one in there)])
    return f"{before}{number:0{len(digits)}}{path.suffix}"


def missing(lacking: Sequence[Needed], machine: str) -> str:
    """The sentence for a machine that has not all the models of a run."""
    named = " and ".join(
        f"{one.folder}/{one.name} (SHA-256 {one.content[:16]}…)" for one in lacking
    )
    return (
        f"The machine {machine} has no file with the content of {named}. Copy it into a models "
        "folder there; its name does not matter."
    )
