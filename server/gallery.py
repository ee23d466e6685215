"""The files of the gallery: into the trash and out of it, and those that came by another way."""

import contextlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from server.errors import Gone, Refused
from server.picture_text import picture_facts
from server.queue import Picture, Pictures, Sought
from server.queue.pictures import NewPicture
from server.settings import Settings

log = logging.getLogger(__name__)

ENDINGS = frozenset({".png", ".webp", ".jpg", ".jpeg", ".avif"})
"""What pictures in the output folder end with."""

AT_ONCE = 200
"""Pictures that are put into the gallery in one transaction while the folder is looked at."""


class CannotMove(Refused):
    """A picture could not be moved; the message says from where and why."""

    code = "cannot_move"


class Gallery:
    """Moves pictures between the output folder and the trash, so that rows and files agree.

    The row says where a file belongs and the file follows; what a crash left in between is mended
    by `look`. May be used from any thread.
    """

    def __init__(self, settings: Settings, pictures: Pictures) -> None:
        self._settings = settings
        self._pictures = pictures
        self._moving = threading.Lock()
        self._stopping = threading.Event()

    def is_there(self, picture: Picture) -> bool:
        """Whether the picture's file is where it belongs."""
        return self.path(picture).is_file()

    def path(self, picture: Picture) -> Path:
        """Where the picture's file belongs."""
        if picture.file is None:
            name = PurePosixPath(picture.home).name
            return self._settings.trash / str(picture.number) / name
        return self._settings.output / picture.file

    def trash(self, number: int) -> Picture:
        """The picture, now in the trash. Raises `UnknownPicture`, `CannotMove`."""
        with self._moving:
            before = self._pictures.get(number)
            if before.file is None:
                return before
            after = self._pictures.trash(number)
            try:
                self._move(self.path(before), self.path(after))
            except OSError as error:
                self._pictures.restore(number, before.file)
                raise CannotMove(_sentence(before.file, error)) from error
            return after

    def restore(self, number: int) -> Picture:
        """The picture, out of the trash, with a number added where its name is taken by now.

        Raises `UnknownPicture`, `Gone` where its file is lost, `CannotMove`.
        """
        with self._moving:
            before = self._pictures.get(number)
            if before.file is not None:
                return before
            if not self.is_there(before):
                raise Gone("The file of this picture is no longer in the trash.")
            file = self._free(before.home)
            try:
                self._move(self.path(before), self._settings.output / file)
            except OSError as error:
                raise CannotMove(_sentence(before.home, error)) from error
            return self._pictures.restore(number, file)

    def empty_trash(self) -> int:
        """How many pictures were deleted for good."""
        with self._moving:
            gone = self._pictures.newest(Sought(trashed=True), 2**31)
            kept = 0
            for picture in gone:
                path = self.path(picture)
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("%s could not be deleted: %s", path, error)
                    kept += 1
                    continue
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
                self._pictures.forget([picture.number])
            return len(gone) - kept

    def look(self) -> int:
        """How many pictures of the output folder were new to the gallery, and are in it now.

        They come from headless runs, from older versions, or from before a crash.
        """
        self._finish_moves()
        known, makers = self._pictures.files(), self._pictures.makers()
        found = sorted(
            (made, file) for file, made in _pictures_in(self._settings.output) if file not in known
        )
        for first in range(0, len(found), AT_ONCE):
            if self._stopping.is_set():
                return first
            chosen = found[first : first + AT_ONCE]
            self._pictures.add([self._told(file, made, makers) for made, file in chosen])
        return len(found)

    def stop(self) -> None:
        """End `look` soon: the program ends."""
        self._stopping.set()

    def _told(self, file: str, made: float, makers: dict[str, tuple[str, str]]) -> NewPicture:
        run, node = makers.get(file, (None, ""))
        return NewPicture(file, made, run, node, picture_facts(self._settings.output / file))

    def _finish_moves(self) -> None:
        """Move into the trash what was on its way when the program ended."""
        with self._moving:
            known = self._pictures.files()
            for picture in self._pictures.newest(Sought(trashed=True), 2**31):
                source = self._settings.output / picture.home
                if picture.home in known or self.is_there(picture) or not source.is_file():
                    continue
                with contextlib.suppress(OSError):
                    self._move(source, self.path(picture))

    def _move(self, source: Path, target: Path) -> None:
        """Move the file; one that somebody deleted meanwhile is as good as moved."""
        if not source.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
        with contextlib.suppress(OSError):  # of the trash: only its own folder, which is empty now
            if source.is_relative_to(self._settings.trash):
                source.parent.rmdir()

    def _free(self, home: str) -> str:
        """A name in the output folder that no picture has: `home`, or "name (2)"."""
        wanted, number = PurePosixPath(home), 1
        known = self._pictures.files()
        while True:
            file = wanted if number == 1 else wanted.with_stem(f"{wanted.stem} ({number})")
            if str(file) not in known and not (self._settings.output / file).exists():
                return str(file)
            number += 1


def _pictures_in(folder: Path) -> Iterator[tuple[str, float]]:
    """Each finished picture below the folder, by its place in it, and when it was written."""
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if path.suffix.lower() not in ENDINGS or name.startswith("."):
                continue
            with contextlib.suppress(OSError):  # deleted a moment ago
                status = path.stat()
                if status.st_size:
                    yield path.relative_to(folder).as_posix(), min(status.st_mtime, time.time())


def _sentence(file: str, error: OSError) -> str:
    return f"{file} could not be moved: {error.strerror or error}. Nothing was changed."
