"""The gallery: every saved picture, found newest first by words, model, family and star."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from graph.events import PictureFacts, Produced
from server.queue.database import Database
from server.queue.rows import text_of
from server.queue.sought import Sought, query_of

COLUMNS = (
    "picture.number, file, home, node, created, title, starred, trashed, facts,"
    " (SELECT id FROM run WHERE id = picture.run) AS run"
)


class UnknownPicture(Exception):
    """No picture of the gallery has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no picture {number} in the gallery.")


@dataclass(frozen=True)
class NewPicture:
    """A picture that is to be kept; `created` is in seconds since 1970 (UTC)."""

    file: str
    created: float
    run: str | None = None
    node: str = ""
    facts: PictureFacts | None = None


@dataclass(frozen=True)
class Picture:
    """A picture of the gallery.

    `file` is its place in the output folder, None while it lies in the trash; `home` is where it
    was saved. `run` is None once its run was forgotten. Times are seconds since 1970 (UTC).
    """

    number: int
    file: str | None
    home: str
    run: str | None
    node: str
    created: float
    title: str
    starred: bool
    trashed: float | None
    facts: PictureFacts | None


def picture_of(output: Produced, run: str, created: float) -> NewPicture:
    """The picture that an output node of a run made."""
    return NewPicture(output.file, created, run, output.node, output.picture)


def keep_picture(connection: sqlite3.Connection, new: NewPicture) -> None:
    """Put the picture into the gallery; of one whose file is known, what is told of it now."""
    named = connection.execute("SELECT name FROM run WHERE id = ?", (new.run,)).fetchone()
    title = (named["name"] if named else "") or PurePosixPath(new.file).stem
    facts = new.facts
    text = "{}" if facts is None else text_of(facts.model_dump(mode="json"))
    row = connection.execute(
        "INSERT INTO picture (file, home, run, node, created, title, facts, words)"
        " VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (file) DO UPDATE SET"
        " run = ?2, node = ?3, title = ?5, facts = ?6, words = ?7 RETURNING number",
        (new.file, new.run, new.node, new.created, title, text, _words(new, title)),
    ).fetchone()
    tags = [] if facts is None else [("model", name) for name in facts.models]
    tags += [] if facts is None else [("family", name) for name in facts.families]
    connection.executemany(
        "INSERT OR IGNORE INTO picture_tag VALUES (?, ?, ?)",
        [(kind, name, row["number"]) for kind, name in tags],
    )


class Pictures:
    """The pictures of the gallery. Files are somebody else's: here are rows only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, sought: Sought, limit: int, before: int | None = None) -> list[Picture]:
        """The newest `limit` pictures that are as sought, newest first, below number `before`."""
        query = query_of(sought, before)

        def find(connection: sqlite3.Connection) -> list[Picture]:
            rows = connection.execute(
                f"{query.text(COLUMNS)} ORDER BY {query.by} DESC LIMIT ?", (*query.values, limit)
            ).fetchall()
            return [_picture(row) for row in rows]

        return self._database.read(find)

    def count(self, sought: Sought) -> int:
        """How many pictures are as sought."""
        query = query_of(sought, None)
        return int(
            self._database.read(
                lambda found: found.execute(query.text("count(*)"), query.values).fetchone()[0]
            )
        )

    def explained(self, sought: Sought, before: int | None = None) -> list[str]:
        """How the database would look for them, line by line."""
        query = query_of(sought, before)
        text = f"EXPLAIN QUERY PLAN {query.text(COLUMNS)} ORDER BY {query.by} DESC LIMIT 100"
        rows = self._database.read(lambda found: found.execute(text, query.values).fetchall())
        return [str(row["detail"]) for row in rows]

    def names(self, kind: str) -> list[str]:
        """Every model ("model") or family ("family") that a picture was made with, sorted."""

        def find(connection: sqlite3.Connection) -> list[str]:
            # From one name to the next along the index: pictures are many and names are few.
            rows = connection.execute(
                "WITH RECURSIVE known (name) AS (SELECT min(name) FROM picture_tag WHERE kind = ?1"
                " UNION ALL SELECT (SELECT min(name) FROM picture_tag WHERE kind = ?1"
                " AND name > known.name) FROM known WHERE known.name IS NOT NULL)"
                " SELECT name FROM known WHERE name IS NOT NULL",
                (kind,),
            ).fetchall()
            return [row["name"] for row in rows]

        return self._database.read(find)

    def newest_of_models(self, names: Iterable[str]) -> dict[str, Picture]:
        """The newest picture made with each model, for those of which there is one."""

        def find(connection: sqlite3.Connection) -> dict[str, Picture]:
            rows = connection.execute(
                f"SELECT wanted.value AS model, {COLUMNS} FROM json_each(?) AS wanted"
                " JOIN picture ON picture.number = (SELECT tag.picture FROM picture_tag AS tag"
                " JOIN picture AS made ON made.number = tag.picture WHERE tag.kind = 'model'"
                " AND tag.name = wanted.value AND made.trashed IS NULL"
                " ORDER BY tag.picture DESC LIMIT 1)",
                (json.dumps(sorted(set(names))),),
            ).fetchall()
            return {row["model"]: _picture(row) for row in rows}

        return self._database.read(find)

    def get(self, number: int) -> Picture:
        """The picture; raises `UnknownPicture`."""
        return self._database.read(lambda connection: _get(connection, number))

    def star(self, number: int, starred: bool) -> Picture:
        """The picture, starred or no longer; raises `UnknownPicture`."""
        return self._set(number, "starred = ?", (int(starred),))

    def trash(self, number: int) -> Picture:
        """The picture, in the trash; raises `UnknownPicture`."""
        return self._set(number, "trashed = coalesce(trashed, ?), file = NULL", (time.time(),))

    def restore(self, number: int, file: str) -> Picture:
        """The picture, out of the trash and at `file`; raises `UnknownPicture`."""
        return self._set(number, "trashed = NULL, file = ?1, home = ?1", (file,))

    def forget(self, numbers: Sequence[int]) -> None:
        """Take rows out of the gallery."""
        chosen = json.dumps(list(numbers))
        self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM picture WHERE number IN (SELECT value FROM json_each(?))", (chosen,)
            )
        )

    def files(self) -> set[str]:
        """The place of every picture that is not in the trash."""
        rows = self._database.read(
            lambda found: found.execute(
                "SELECT file FROM picture WHERE file IS NOT NULL"
            ).fetchall()
        )
        return {row["file"] for row in rows}

    def makers(self) -> dict[str, tuple[str, str]]:
        """The run and node of every picture that runs say they made, by its file."""
        rows = self._database.read(
            lambda found: found.execute(
                "SELECT run.id, json_extract(output.value, '$.file') AS file,"
                " json_extract(output.value, '$.node') AS node"
                " FROM run, json_each(run.outputs) AS output"
                " WHERE json_extract(output.value, '$.area') = 'output'"
            ).fetchall()
        )
        return {row["file"]: (row["id"], row["node"]) for row in rows}

    def add(self, new: Iterable[NewPicture]) -> None:
        """Put pictures into the gallery, the oldest first; known ones stay as they are."""

        def keep(connection: sqlite3.Connection) -> None:
            for picture in new:
                known = "SELECT 1 FROM picture WHERE file = ?"
                if connection.execute(known, (picture.file,)).fetchone() is None:
                    keep_picture(connection, picture)

        self._database.write(keep)

    def _set(self, number: int, assignment: str, values: tuple[Any, ...]) -> Picture:
        def change(connection: sqlite3.Connection) -> Picture:
            place = len(values) + 1
            connection.execute(
                f"UPDATE picture SET {assignment} WHERE number = ?{place}", (*values, number)
            )
            return _get(connection, number)

        return self._database.write(change)


def _words(new: NewPicture, title: str) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(new.created))
    facts = new.facts
    known = () if facts is None else (facts.prompt, *facts.models, *facts.families)
    return " \n".join((title, day, *known))


def _get(connection: sqlite3.Connection, number: int) -> Picture:
    row = connection.execute(
        f"SELECT {COLUMNS} FROM picture WHERE number = ?", (number,)
    ).fetchone()
    if row is None:
        raise UnknownPicture(number)
    return _picture(row)


def _picture(row: sqlite3.Row) -> Picture:
    facts = row["facts"]
    return Picture(
        number=row["number"],
        file=row["file"],
        home=row["home"],
        run=row["run"],
        node=row["node"],
        created=row["created"],
        title=row["title"],
        starred=bool(row["starred"]),
        trashed=row["trashed"],
        facts=None if facts == "{}" else PictureFacts.model_validate_json(facts),
    )
