"""The texts that a batch reads: files of the input folder, and lists of wildcards."""

from collections.abc import Sequence
from functools import cache

from graph.batch_axes import Sources
from graph.wildcards import BadWildcard
from server.errors import Refused
from server.paths import file_inside
from server.settings import Settings

LARGEST = 16 * 2**20
"""Bytes that a list or table may have."""


def sources(settings: Settings) -> Sources:
    """Where the texts of one batch come from; each file is read once. Nothing outside the input
    folder and the folder of wildcards is ever opened."""

    @cache
    def read(name: str) -> str:
        return _text(settings, "input", name)

    @cache
    def words(name: str) -> Sequence[str]:
        return _text(settings, "wildcards", f"{name}.txt").splitlines()

    return Sources(read, words)


def _text(settings: Settings, area: str, name: str) -> str:
    folder = settings.input if area == "input" else settings.wildcards
    try:
        path = file_inside(folder, name)
        if path.stat().st_size > LARGEST:
            raise BadWildcard(f"{name} is larger than {LARGEST // 2**20} MiB.")
        return path.read_text("utf-8-sig")
    except (Refused, OSError) as error:
        raise BadWildcard(f"There is no file {name!r} in the folder {folder}.") from error
    except UnicodeDecodeError as error:
        raise BadWildcard(f"{name} is no UTF-8 text.") from error
