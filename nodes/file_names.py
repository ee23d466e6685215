"""Turn a pattern such as "%date%/%title%_%seed%_%counter%" into a new file inside a folder."""

import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LONGEST = 200
"""Bytes of one part of a path, the counter not counted; file systems allow 255."""

LONGEST_VALUE = 60
"""Bytes of one variable's value; longer ones are cut."""

DIGITS = 5
"""The counter's width: 00001."""

_VARIABLE = re.compile(r"%([^%/\\]+)%")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
# Windows reads these as devices, whatever their ending.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)}


class BadPattern(ValueError):
    """A pattern that cannot name a file; the message says why."""


class Name(NamedTuple):
    """What a new file is to be called: its folder, and its name without ending, whose %counter% is
    still to be filled in."""

    folder: Path
    name: str

    def first_free(self, suffix: str) -> int:
        """The first number behind all that are in use."""
        return _highest(self.folder, self.name, suffix) + 1

    def path(self, number: int, suffix: str) -> Path:
        """The file with this number. A name without a counter gets one from 2 on."""
        return self.folder / (_numbered(self.name, number) + suffix)


def named(folder: Path, pattern: str, values: Mapping[str, object]) -> Name:
    """The name that the pattern gives inside `folder`; its folders are made as needed.

    `%name%` stands for `values[name]`, `%counter%` for the first number that is free. A pattern
    without a counter gets one where its name is taken: no file is ever written over.
    Raises `BadPattern`, and `OSError` where a folder cannot be made.
    """
    parts = _parts(pattern)
    *folders, last = [_filled(part, values) for part in parts]
    place = folder.joinpath(*folders)
    place.mkdir(parents=True, exist_ok=True)
    if not place.resolve().is_relative_to(folder.resolve()):
        raise BadPattern(f"The file name {pattern!r} leads out of the output folder.")
    return Name(place, last)


def _parts(pattern: str) -> list[str]:
    """The pattern's folders and its file name."""
    parts = [part.strip() for part in pattern.replace("\\", "/").split("/")]
    if ".." in parts or pattern.startswith(("/", "\\", "~")) or re.match(r"[A-Za-z]:", pattern):
        raise BadPattern(
            f"The file name {pattern!r} leads out of the output folder: leave out '..', a drive "
            "and a slash at the start."
        )
    kept = [part for part in parts if part not in ("", ".")]
    if not kept or pattern.rstrip().endswith(("/", "\\")):
        raise BadPattern(f"The file name {pattern!r} names no file.")
    return kept


def _filled(part: str, values: Mapping[str, object]) -> str:
    """One part with its variables filled in and made safe; the counter stays as it is."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name == "counter":
            return "%counter%"
        if name not in values:
            known = ", ".join(f"%{known}%" for known in sorted({*values, "counter"}))
            raise BadPattern(f"The file name has no variable %{name}%. Known are {known}.")
        return _cut(_safe(str(values[name])).replace("%", "_"))

    filled = _safe(_VARIABLE.sub(value, part)) or "_"
    if len(filled.encode()) > LONGEST:
        raise BadPattern(f"The file name {filled[:40]}… is too long: {LONGEST} bytes at most.")
    return filled


def _safe(text: str) -> str:
    """`text` as it may stand in a file's name on every system."""
    text = unicodedata.normalize("NFC", text).encode(errors="replace").decode()
    text = _FORBIDDEN.sub("_", text).strip(" .")
    return f"_{text}" if text.split(".", 1)[0].rstrip().lower() in _DEVICES else text


def _cut(text: str) -> str:
    return text.encode()[:LONGEST_VALUE].decode(errors="ignore").strip(" .")


def _numbered(name: str, number: int) -> str:
    if "%counter%" in name:
        return name.replace("%counter%", f"{number:0{DIGITS}}")
    return name if number == 1 else f"{name}_{number}"


def _highest(place: Path, name: str, suffix: str) -> int:
    """The highest number in use for the name; 0 where none is."""
    if "%counter%" in name:
        pattern = "([0-9]{1,12})".join(map(re.escape, name.split("%counter%")[:2]))
    else:
        pattern = re.escape(name) + "(?:_([0-9]{1,12}))?"
    found = re.compile(f"{pattern}{re.escape(suffix)}")
    used = [match[1] for path in place.iterdir() if (match := found.fullmatch(path.name))]
    return max((int(number or 1) for number in used), default=0)
