"""The order of the runs that wait: to the front, before another, by priority; and the pause."""

import sqlite3
from typing import Literal, get_args

from server.queue.database import Database
from server.queue.progress import PASSES
from server.queue.rows import COLUMNS, IN_LINE, Changes, Run, both, row_of, run_of, text_of

Pause = Literal["no", "after", "now"]
"""`after`: no run is begun. `now`: and what runs is put back in line."""

CLOSEST = 1e-6
"""Ranks that would come closer to each other than this are given out anew."""


class NotInLine(Exception):
    """The run is no longer waiting, so it can be neither moved nor edited."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"This run is {run.status}; only a run that waits can be changed.")


class Line:
    """Orders the runs in line. The highest priority comes first, then the lowest rank."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def first(self, limit: int = 500) -> list[Run]:
        """The first `limit` runs in the order in which they will be run."""

        def find(connection: sqlite3.Connection) -> list[Run]:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM run WHERE {IN_LINE} ORDER BY priority DESC, rank LIMIT ?",
                (limit,),
            ).fetchall()
            return [run_of(connection, row) for row in rows]

        return self._database.read(find)

    def move(self, run: str, before: str | None) -> Run:
        """The run, now just before another one and of its priority; None: behind all others.

        Raises `UnknownRun`, and `NotInLine` where either of them no longer waits.
        """

        def place(connection: sqlite3.Connection) -> Run:
            _waiting(connection, run)
            if before == run:
                return run_of(connection, row_of(connection, run))
            if before is None:
                priority, rank = _behind_all(connection)
            else:
                priority, rank = _just_before(connection, _waiting(connection, before), run)
            connection.execute(
                "UPDATE run SET priority = ?, rank = ? WHERE id = ?", (priority, rank, run)
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write(place)

    def to_front(self, run: str) -> Run:
        """The run, now the next one to be run. Raises as `move`."""

        def place(connection: sqlite3.Connection) -> Run:
            _waiting(connection, run)
            first = connection.execute(
                f"SELECT priority, rank FROM run WHERE {IN_LINE} ORDER BY priority DESC, rank"
            ).fetchone()
            connection.execute(
                "UPDATE run SET priority = ?, rank = ?, passed = ? WHERE id = ?",
                (first["priority"], first["rank"] - 1, PASSES, run),
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write(place)

    def prioritise(self, run: str, priority: int) -> Run:
        """The run with this priority, behind the others that have it. Raises as `move`."""

        def place(connection: sqlite3.Connection) -> Run:
            _waiting(connection, run)
            (last,) = connection.execute(
                f"SELECT max(rank) FROM run WHERE {IN_LINE} AND priority = ? AND id <> ?",
                (priority, run),
            ).fetchone()
            connection.execute(
                "UPDATE run SET priority = ?, rank = coalesce(? + 1, rank) WHERE id = ?",
                (priority, last, run),
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write(place)

    def edit(self, run: str, changes: Changes, models: str | None = None) -> Run:
        """The run, in its place, with these values as well. Raises as `move`.

        `models` are what it needs then, where that is known.
        """

        def edited(connection: sqlite3.Connection) -> Run:
            merged = both(_waiting(connection, run).changes, changes)
            connection.execute(
                "UPDATE run SET changes = ?, models = coalesce(?, models) WHERE id = ?",
                (text_of(merged), models, run),
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write_durably(edited)

    @property
    def pause(self) -> Pause:
        """Whether the queue is paused; this survives a restart."""
        found = self._database.read(
            lambda connection: connection.execute(
                "SELECT value FROM setting WHERE name = 'pause'"
            ).fetchone()
        )
        return next((kind for kind in get_args(Pause) if found and kind == found[0]), "no")

    @pause.setter
    def pause(self, kind: Pause) -> None:
        self._database.write(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO setting VALUES ('pause', ?)", (kind,)
            )
        )


def _waiting(connection: sqlite3.Connection, run: str) -> Run:
    found = run_of(connection, row_of(connection, run))
    if not found.is_in_line:
        raise NotInLine(found)
    return found


def _behind_all(connection: sqlite3.Connection) -> tuple[int, float]:
    row = connection.execute(
        f"SELECT priority, rank FROM run WHERE {IN_LINE} ORDER BY priority, rank DESC LIMIT 1"
    ).fetchone()
    return row["priority"], row["rank"] + 1


def _just_before(connection: sqlite3.Connection, other: Run, moved: str) -> tuple[int, float]:
    (above,) = connection.execute(
        f"SELECT max(rank) FROM run WHERE {IN_LINE} AND priority = ? AND rank < ? AND id <> ?",
        (other.priority, other.rank, moved),
    ).fetchone()
    if above is None:
        return other.priority, other.rank - 1
    if other.rank - above > CLOSEST:
        return other.priority, (above + other.rank) / 2
    _spread(connection, other.priority)
    return _just_before(connection, _waiting(connection, other.id), moved)


def _spread(connection: sqlite3.Connection, priority: int) -> None:
    """Give the runs of a priority ranks that are 1 apart, in the order that they have."""
    rows = connection.execute(
        f"SELECT id FROM run WHERE {IN_LINE} AND priority = ? ORDER BY rank", (priority,)
    ).fetchall()
    connection.executemany(
        "UPDATE run SET rank = ? WHERE id = ?",
        [(float(place), row["id"]) for place, row in enumerate(rows)],
    )
