"""The workflows that lie in folders: templates that ship, and those that people saved."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from server.bodies import json_of
from server.errors import BadRequest, NotFound
from server.paths import checked_name, file_inside, write_text

SUFFIX = ".json"


LAST = 1000
"""The place in the gallery of a template that does not say its own."""


class Template(NamedTuple):
    """A workflow that ships with the program; `title` and `description` are for people.

    `picture`: what it makes, where somebody drew that.
    """

    name: str
    title: str
    description: str = ""
    picture: Path | None = None


class Saved(NamedTuple):
    """A workflow that somebody saved, `modified` seconds after 1970 (UTC)."""

    name: str
    modified: float


def templates(folder: Path) -> list[Template]:
    """The templates in the folder, by the `order` that they state; a title that the file does not
    give is made of its name."""
    found = []
    for path in _files(folder):
        about = _about(path)
        title = about.get("title") or path.stem.replace("-", " ").capitalize()
        picture = folder / "thumbnails" / f"{path.stem}.png"
        template = Template(
            path.stem,
            str(title),
            str(about.get("description") or ""),
            picture if picture.is_file() else None,
        )
        order = about.get("order")
        found.append((order if isinstance(order, int) else LAST, template))
    return [template for _, template in sorted(found, key=lambda item: (item[0], item[1].name))]


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


def _about(path: Path) -> dict[str, Any]:
    """What the file says of itself; nothing where it cannot be read."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
