"""The durable queue: every run there ever was, one row each, from its arrival to its end."""

import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.events import NodeChanged, Produced
from server.queue.arrivals import Wanted, insert_new, insert_of
from server.queue.batches import Batches
from server.queue.database import Database
from server.queue.history import History
from server.queue.line import PASSES, Line
from server.queue.pictures import Pictures, keep_picture, picture_of
from server.queue.rows import (
    IN_LINE,
    Changes,
    Run,
    Status,
    both,
    row_of,
    run_of,
    text_of,
)

ATTEMPTS = 2
"""How often a run may be started before it is given up, if something died each time."""

LOOKAHEAD = 32
"""So many runs in line are looked at for one that needs the models that are loaded."""

GIVEN_UP = (
    "The program stopped unexpectedly while this run was running, and did so again when it was "
    "tried a second time. It is not tried a third time by itself; press Run to try it again."
)


class RunQueue:
    """The runs in the SQLite database at `database`, which is created or migrated when needed.

    `line` orders those that wait, `history` looks at those that ended, `batches` knows which belong
    together, `pictures` is the gallery. May be used from any thread. `recover` is called once by
    the program that runs the queue.
    """

    def __init__(self, database: Path) -> None:
        self._database = Database(database)
        self.line = Line(self._database)
        self.history = History(self._database)
        self.batches = Batches(self._database)
        self.pictures = Pictures(self._database)

    def add(
        self,
        workflow: Mapping[str, Any],
        wanted: Sequence[str] | None = None,
        priority: int = 0,
        models: str = "",
    ) -> Run:
        """A new waiting run of the workflow (the saved form), behind all others of its priority.

        On the disk when this returns: an accepted run survives power loss.
        """

        def insert(connection: sqlite3.Connection) -> Run:
            (run,) = insert_new(
                connection, workflow, wanted, [Wanted(models=models)], None, priority
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write_durably(insert)

    def add_batch(
        self,
        workflow: Mapping[str, Any],
        runs: Sequence[Wanted],
        wanted: Sequence[str] | None = None,
        *,
        name: str = "",
        recipe: Mapping[str, Any] | None = None,
        stop_on_error: bool = False,
        priority: int = 0,
    ) -> str:
        """The id of a new batch with these runs, all or none of them in the queue.

        `recipe` is what the batch was made from, kept for people. With `stop_on_error` the first
        run that fails cancels those that still wait.
        """

        def insert(connection: sqlite3.Connection) -> str:
            batch = uuid.uuid4().hex[:12]
            on_error = "stop" if stop_on_error else "continue"
            connection.execute(
                "INSERT INTO batch VALUES (?, ?, ?, ?, ?)",
                (batch, name, time.time(), on_error, text_of(recipe or {})),
            )
            insert_new(connection, workflow, wanted, runs, batch, priority)
            return batch

        return self._database.write_durably(insert)

    def again(self, run: str, changes: Changes | None = None, models: str | None = None) -> Run:
        """A new waiting run like this one, which may be in any state; with `changes`, edited.

        `models` are what it needs then, where that is known.
        """

        def insert(connection: sqlite3.Connection) -> Run:
            row = row_of(connection, run)
            old = run_of(connection, row)
            needed = old.models if models is None else models
            asked = Wanted(both(old.changes, changes or {}), old.name, old.id, needed)
            (new,) = insert_of(
                connection, row["workflow"], old.wanted, [asked], old.batch, old.priority
            )
            return run_of(connection, row_of(connection, new))

        return self._database.write_durably(insert)

    def get(self, run: str) -> Run:
        """The run; raises `UnknownRun`."""
        return self._database.read(lambda connection: run_of(connection, row_of(connection, run)))

    def list(self, limit: int = 100, status: Status | None = None) -> "list[Run]":
        """The newest `limit` runs, newest first, of one status or of all."""
        return self.history.newest(limit, statuses=None if status is None else (status,))

    def claim(self, models: str = "", lacking: Collection[str] = ()) -> Run | None:
        """The first run in line, now marked running; None where none waits.

        For a worker that has `models` loaded, one that needs the same is preferred, of the same
        priority and among the next `LOOKAHEAD`; the first in line is passed over at most `PASSES`
        times. Runs that need `lacking` (as `Run.models`) are left to other workers.
        """

        def take(connection: sqlite3.Connection) -> Run | None:
            chosen = _next(connection, models, lacking)
            if chosen is None:
                return None
            row = connection.execute(
                "UPDATE run SET status = 'running', started = ?, finished = NULL, error = NULL,"
                " attempts = attempts + 1 WHERE position = ? RETURNING id",
                (time.time(), chosen),
            ).fetchone()
            return run_of(connection, row_of(connection, row["id"]))

        return self._database.write(take)

    def finish(self, run: str, status: Status, error: str | None = None) -> Run:
        """The run, ended as `status`. A run that has ended already stays as it is.

        A failed run of a batch that stops on errors takes the rest of its batch along.
        """

        def end(connection: sqlite3.Connection) -> Run:
            changed = connection.execute(
                "UPDATE run SET status = ?, error = ?, finished = ?"
                f" WHERE id = ? AND (status = 'running' OR {IN_LINE})",
                (status, error, time.time(), run),
            ).rowcount
            ended = run_of(connection, row_of(connection, run))
            if changed and status == "failed" and ended.batch is not None:
                Batches.stop_after(connection, ended.batch, ended.name or ended.id)
            return ended

        return self._database.write(end)

    def cancel(self, run: str) -> Run:
        """The run, cancelled if it was in line; a running one is the dispatcher's to stop."""

        def end(connection: sqlite3.Connection) -> Run:
            connection.execute(
                f"UPDATE run SET status = 'cancelled', finished = ? WHERE id = ? AND {IN_LINE}",
                (time.time(), run),
            )
            return run_of(connection, row_of(connection, run))

        return self._database.write(end)

    def interrupt(self, run: str, error: str) -> Run:
        """The run whose worker died: in line again where it was, or failed after `ATTEMPTS`."""

        def put_back(connection: sqlite3.Connection) -> Run:
            left = run_of(connection, row_of(connection, run))
            if left.status == "running" and left.attempts < ATTEMPTS:
                connection.execute(
                    "UPDATE run SET status = 'interrupted', error = ?, started = NULL,"
                    " outputs = '[]' WHERE id = ?",
                    (error, run),
                )
                return run_of(connection, row_of(connection, run))
            return left

        after = self._database.write(put_back)
        return self.finish(run, "failed", error) if after.status == "running" else after

    def release(self, run: str) -> Run:
        """The run, back in line as if it had not been started; for a program that ends in order."""

        def put_back(connection: sqlite3.Connection) -> Run:
            changed = connection.execute(
                "UPDATE run SET status = 'waiting', started = NULL, outputs = '[]',"
                " attempts = attempts - 1 WHERE id = ? AND status = 'running'",
                (run,),
            ).rowcount
            if changed:
                connection.execute("DELETE FROM node WHERE run = ?", (run,))
            return run_of(connection, row_of(connection, run))

        return self._database.write(put_back)

    def produced(self, run: str, output: Produced) -> None:
        """Add one output to the run's outputs; a picture goes into the gallery with it."""
        text = text_of(output.model_dump(exclude={"type", "picture"}))

        def add(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                "UPDATE run SET outputs = json_insert(outputs, '$[#]', json(?)) WHERE id = ?",
                (text, run),
            ).rowcount
            if changed and output.kind == "image" and output.area == "output" and output.file:
                keep_picture(connection, picture_of(output, run, time.time()))

        self._database.write(add)

    def changed(self, run: str, nodes: Iterable[NodeChanged]) -> None:
        """Keep the newest state of each node of the run."""
        rows = [(run, event.node, event.state, event.seconds, event.message) for event in nodes]
        self._database.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?, ?)", rows
            )
        )

    def counts(self) -> dict[str, int]:
        """How many runs are in line and running."""
        rows = self._database.read(
            lambda connection: connection.execute(
                "SELECT status, count(*) FROM run"
                " WHERE status IN ('waiting', 'interrupted', 'running') GROUP BY status"
            ).fetchall()
        )
        found = {str(status): int(count) for status, count in rows}
        waiting = found.get("waiting", 0) + found.get("interrupted", 0)
        return {"waiting": waiting, "running": found.get("running", 0)}

    def recover(self) -> None:
        """Put runs that a crash left running back in line, or give them up after `ATTEMPTS`."""

        def put_back(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM node WHERE run IN (SELECT id FROM run WHERE status = 'running')"
            )
            connection.execute(
                "UPDATE run SET status = 'failed', error = ?, finished = ?"
                " WHERE status = 'running' AND attempts >= ?",
                (GIVEN_UP, time.time(), ATTEMPTS),
            )
            connection.execute(
                "UPDATE run SET status = 'interrupted', started = NULL, outputs = '[]'"
                " WHERE status = 'running'"
            )

        self._database.write(put_back)

    def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        self._database.close()


def _next(connection: sqlite3.Connection, models: str, lacking: Collection[str]) -> int | None:
    """The position of the run that a worker with these models loaded should begin."""
    # Named only where there is something to leave out, so that the index is read in its order.
    fit = f" AND models NOT IN ({', '.join('?' * len(lacking))})" if lacking else ""
    first = connection.execute(
        "SELECT position, priority, models, passed FROM run"
        f" WHERE {IN_LINE}{fit} ORDER BY priority DESC, rank LIMIT 1",
        tuple(lacking),
    ).fetchone()
    if first is None:
        return None
    if not models or models in lacking or first["models"] == models or first["passed"] >= PASSES:
        return int(first["position"])
    other = connection.execute(
        "SELECT position FROM (SELECT position, models, rank FROM run"
        f" WHERE {IN_LINE} AND priority = ? ORDER BY rank LIMIT ?)"
        " WHERE models = ? ORDER BY rank LIMIT 1",
        (first["priority"], LOOKAHEAD, models),
    ).fetchone()
    if other is None:
        return int(first["position"])
    connection.execute(
        "UPDATE run SET passed = passed + 1 WHERE position = ?", (first["position"],)
    )
    return int(other["position"])
