"""Decide whether an uploaded file is a list or a table that a batch may read."""

from pathlib import Path

from server.batch_files import LARGEST
from server.errors import BadRequest, TooLarge

ENDINGS = (".txt", ".csv")
"""What lists of lines and tables end with here; everything else that comes has to be a picture."""


def is_text_name(name: str) -> bool:
    """Whether the file is sent as a list or a table."""
    return name.lower().endswith(ENDINGS)


def text_suffix(path: Path, name: str) -> str:
    """The ending of a text that was sent as `name`.

    Raises `TooLarge` for one that no batch would read, `BadRequest` where it is no text.
    """
    if path.stat().st_size > LARGEST:
        raise TooLarge(f"{name} is larger than {LARGEST // 2**20} MiB.")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name} is no UTF-8 text: save it as UTF-8 and send it again.") from error
    if "\0" in text:
        raise BadRequest(f"{name} is no text: it holds characters that no text has.")
    return Path(name).suffix.lower()
