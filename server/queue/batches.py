"""Runs that were asked for together: how far a batch is, and what is done with all of it."""

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any, Literal

from server.queue.database import Database
from server.queue.rows import COLUMNS, IN_LINE, Run, run_of

OnError = Literal["continue", "stop"]


class UnknownBatch(Exception):
    """No batch has this id."""

    def __init__(self, batch: str) -> None:
        super().__init__(f"There is no batch {batch!r}.")
        self.batch = batch


@dataclass(frozen=True)
class Batch:
    """A batch. `created` is in seconds since 1970 (UTC); `counts` says how many runs of each status
    it has; `recipe` is what it was made from."""

    id: str
    name: str
    created: float
    on_error: OnError
    recipe: dict[str, Any]
    counts: dict[str, int]


class Batches:
    """The batches of the queue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, batch: str) -> Batch:
        """The batch; raises `UnknownBatch`."""

        def find(connection: sqlite3.Connection) -> Batch:
            row = connection.execute("SELECT * FROM batch WHERE id = ?", (batch,)).fetchone()
            if row is None:
                raise UnknownBatch(batch)
            return _batch(connection, row)

        return self._database.read(find)

    def newest(self, limit: int = 100) -> list[Batch]:
        """The newest batches, newest first."""

        def find(connection: sqlite3.Connection) -> list[Batch]:
            rows = connection.execute(
                "SELECT * FROM batch ORDER BY created DESC LIMIT ?", (limit,)
            ).fetchall()
            return [_batch(connection, row) for row in rows]

        return self._database.read(find)

    def runs(self, batch: str) -> list[Run]:
        """Every run of the batch, in the order in which they were asked for."""

        def find(connection: sqlite3.Connection) -> list[Run]:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM run WHERE batch = ? ORDER BY position", (batch,)
            ).fetchall()
            return [run_of(connection, row) for row in rows]

        return self._database.read(find)

    def cancel(self, batch: str | None) -> list[str]:
        """The ids of the runs in line that are now cancelled: a batch's, or (None) everybody's."""

        def end(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "UPDATE run SET status = 'cancelled', finished = ?"
                f" WHERE {IN_LINE} AND (? IS NULL OR batch = ?) RETURNING id",
                (time.time(), batch, batch),
            ).fetchall()
            return [row["id"] for row in rows]

        return self._database.write(end)

    @staticmethod
    def stop_after(connection: sqlite3.Connection, batch: str, failed: str) -> None:
        """Cancel what waits of a batch that stops on errors, and say in each run why."""
        connection.execute(
            "UPDATE run SET status = 'cancelled', finished = ?, error = ?"
            f" WHERE batch = ? AND {IN_LINE}"
            " AND 'stop' = (SELECT on_error FROM batch WHERE id = ?)",
            (time.time(), f"Not run, because {failed} of its batch failed.", batch, batch),
        )


def _batch(connection: sqlite3.Connection, row: sqlite3.Row) -> Batch:
    counts = connection.execute(
        "SELECT status, count(*) FROM run WHERE batch = ? GROUP BY status", (row["id"],)
    ).fetchall()
    return Batch(
        id=row["id"],
        name=row["name"],
        created=row["created"],
        on_error=row["on_error"],
        recipe=json.loads(row["recipe"]),
        counts={str(status): int(count) for status, count in counts},
    )
