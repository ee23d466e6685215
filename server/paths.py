"""Names that come from outside, and the folders that they must not lead out of."""

import os
import re
import secrets
import unicodedata
from pathlib import Path

from server.errors import BadRequest, NotFound

LONGEST = 120
"""Characters of a name; well below the 255 bytes that file systems allow, in any script."""

# Windows reads these as devices, whatever their ending.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')


def file_inside(folder: Path, relative: str) -> Path:
    """The existing file `relative` inside `folder`, symlinks resolved; raises `NotFound`."""
    parts = relative.split("/")
    if any(_leads_astray(part) for part in parts):
        raise NotFound(f"There is no file {relative!r}.")
    try:
        found = folder.joinpath(*parts).resolve(strict=True)
        inside = found.is_relative_to(folder.resolve()) and found.is_file()
    except (OSError, RuntimeError, ValueError):
        # RuntimeError: symbolic links in a circle; ValueError: what no file system can spell.
        inside = False
    if not inside:
        raise NotFound(f"There is no file {relative!r}.")
    return found


def checked_name(name: str) -> str:
    """`name`, if it may become a file's name as it is; raises `BadRequest` saying why not."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > LONGEST:
        raise BadRequest(f"A name has 1 to {LONGEST} characters.")
    if not _is_safe(name) or name.startswith("."):
        raise BadRequest(
            f"{name!r} cannot be a file's name: leave out / \\ : * ? \" < > | "
            "and dots at either end."
        )
    return name


def tidy_name(name: str, suffix: str, fallback: str = "picture") -> str:
    """A safe file name that looks like the last part of `name` and ends in `suffix`."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    stem = last.rsplit(".", 1)[0] if "." in last else last
    printable = "".join(c for c in stem if c.isprintable())
    stem = _FORBIDDEN.sub("_", printable)[:LONGEST].strip(" .") or fallback
    if not _is_safe(stem + suffix):
        stem = f"_{stem}"
    return stem + suffix


def place(source: Path, folder: Path, name: str) -> Path:
    """Move `source` into `folder` as `name`, with a number added where that name is taken."""
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{stem} ({number}){suffix}")
        try:
            target.touch(exist_ok=False)  # reserves the name, so that no other upload takes it
        except FileExistsError:
            number += 1
            continue
        return source.replace(target)


def temporary(folder: Path) -> Path:
    """A name in `folder` that no other file has, for what is not complete yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f".{secrets.token_hex(8)}.part"


def write_text(path: Path, text: str) -> None:
    """Write the file as a whole or not at all."""
    draft = temporary(path.parent)
    try:
        draft.write_text(text, "utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _leads_astray(part: str) -> bool:
    """Whether the part of a path could mean anything but one thing in its folder, here."""
    if os.name == "nt":
        return not _is_safe(part)
    return part in ("", ".", "..") or "\\" in part or "\0" in part


def _is_safe(part: str) -> bool:
    """Whether the part of a path names one thing in its folder, on every system."""
    return bool(
        part
        and part not in {".", ".."}
        and not _FORBIDDEN.search(part)
        and part == part.strip(" ").rstrip(".")
        and part.split(".", 1)[0].rstrip().lower() not in _DEVICES
        and _is_encodable(part)
    )


def _is_encodable(part: str) -> bool:
    try:
        return len(part.encode()) <= 255
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
