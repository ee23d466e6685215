"""How runs come into the queue: one or ten thousand rows, behind all that wait."""

import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.queue.rows import IN_LINE, Changes, keep_workflow, text_of


@dataclass(frozen=True)
class Wanted:
    """A run that is asked for: what it changes of the workflow, and what it is called.

    `models` are the model files that it needs, as `Run.models`.
    """

    changes: Changes = field(default_factory=dict)
    name: str = ""
    copy_of: str | None = None
    models: str = ""


def insert_new(
    connection: sqlite3.Connection,
    workflow: Mapping[str, Any],
    wanted: Sequence[str] | None,
    runs: Sequence[Wanted],
    batch: str | None,
    priority: int,
) -> list[str]:
    """As `insert_of`, for a workflow (the saved form) that may not be kept yet."""
    kept = keep_workflow(connection, workflow)
    return insert_of(connection, kept, wanted, runs, batch, priority)


def insert_of(
    connection: sqlite3.Connection,
    workflow: str,
    wanted: Sequence[str] | None,
    runs: Sequence[Wanted],
    batch: str | None,
    priority: int,
) -> list[str]:
    """The ids of new runs of the kept workflow, in line one behind the other."""
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'run'").fetchone()
    first = (last[0] if last else 0) + 1
    (behind,) = connection.execute(
        f"SELECT max(rank) FROM run WHERE {IN_LINE} AND priority = ?", (priority,)
    ).fetchone()
    rank = max(first, (behind or 0) + 1)
    now, text = time.time(), text_of(wanted)
    rows = [
        (
            first + place,
            uuid.uuid4().hex[:12],
            workflow,
            text,
            now,
            text_of(run.changes),
            run.name,
            batch,
            run.copy_of,
            priority,
            float(rank + place),
            run.models,
        )
        for place, run in enumerate(runs)
    ]
    connection.executemany(
        "INSERT INTO run (position, id, status, workflow, wanted, created, changes, name, batch,"
        " copy_of, priority, rank, models)"
        " VALUES (?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return [row[1] for row in rows]
