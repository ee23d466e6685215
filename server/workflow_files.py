"""The workflows that lie in folders: templates that ship, and those that people saved."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from server.bodies import json_of
from server.errors import BadRequest, NotFound
from server.paths import checked_name, file_inside, write_text

SUFFIX = ".json"


class Template(NamedTuple):
    """A workflow that ships with the program; `title` is for people."""

    name: str
    title: str


class Saved(NamedTuple):
    """A workflow that somebody saved, `modified` seconds after 1970 (UTC)."""

    name: str
    modified: float


def templates(folder: Path) -> list[Template]:
    """The templates in the folder, by name; a title that the file does not give is made of it."""
    return [Template(path.stem, _title(path)) for path in _files(folder)]


def saved(folder: Path) -> list[Saved]:
    """The saved workflows in the folder, newest first."""
    entries = [Saved(path.stem, path.stat().st_mtime) for path in _files(folder)]
    return sorted(entries, key=lambda entry: (-entry.modified, entry.name))


def load(folder: Path, name: str, limit: int) -> Any:
    """The JSON of the workflow `name`; raises `NotFound`, or `BadRequest` where it is damaged."""
    path = _existing(folder, name)
    if path.stat().st_size > limit:
        raise BadRequest(f"The workflow {name!r} is larger than {limit // 2**20} MiB.")
    return json_of(path.read_bytes(), f"The workflow {name!r}")


def save(folder: Path, name: str, workflow: dict[str, Any]) -> None:
    """Write the workflow (the saved form) as `name`, in place of one that is called the same."""
    text = json.dumps(workflow, indent=2, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / (checked_name(name) + SUFFIX), text)


def delete(folder: Path, name: str) -> None:
    """Delete the workflow; raises `NotFound`."""
    _existing(folder, name).unlink()


def _existing(folder: Path, name: str) -> Path:
    try:
        return file_inside(folder, name + SUFFIX)
    except NotFound:
        raise NotFound(f"There is no workflow {name!r}.") from None


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.glob(f"*{SUFFIX}")
        if path.is_file() and not path.name.startswith(".")
    )


def _title(path: Path) -> str:
    try:
        title = json.loads(path.read_bytes()).get("title")
    except (OSError, ValueError, AttributeError):
        title = None
    return title if isinstance(title, str) and title else path.stem.replace("-", " ").capitalize()
