"""The durable queue: every run there ever was, one row each, from its arrival to its end."""

import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from graph.events import NodeChanged, Produced
from server.queue import progress
from server.queue.arrivals import Wanted, insert_new, insert_of
from server.queue.batches import Batches
from server.queue.database import Database, Work
from server.queue.history import History
from server.queue.line import Line
from server.queue.pictures import Pictures
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
        """The run that a worker should begin, now marked running; as `progress.claim`."""
        return self._database.write(lambda found: progress.claim(found, models, lacking))

    def finish(self, run: str, status: Status, error: str | None = None) -> Run:
        """The run, ended as `status`; as `progress.finish`."""
        return self._after(run, lambda found: progress.finish(found, run, status, error))

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
        """The run whose worker died: in line again, or failed; as `progress.interrupt`."""
        return self._after(run, lambda found: progress.interrupt(found, run, error))

    def release(self, run: str) -> Run:
        """The run, back in line as if it had not been started; for a program that ends in order."""
        return self._after(run, lambda found: progress.release(found, run))

    def produced(self, run: str, output: Produced) -> None:
        """Add one output to the run's outputs; a picture goes into the gallery with it."""
        self._database.write(lambda found: progress.produced(found, run, output))

    def changed(self, run: str, nodes: Iterable[NodeChanged]) -> None:
        """Keep the newest state of each node of the run."""
        self._database.write(lambda found: progress.changed(found, run, nodes))

    def together(self, works: Sequence[Work[Any]]) -> Sequence[Any]:
        """What each piece of work gives, or the error that it raised; all of it is one transaction.

        Raises `sqlite3.OperationalError` where nothing could be written, a full disk for example.
        """

        try:
            return self._database.write(lambda found: [work(found) for work in works])
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001  one of them: it alone shall fail
            return self._database.write(lambda found: [_alone(found, work) for work in works])

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

    def recover(self, begun: Collection[str] | None = None) -> None:
        """Put back in line, or give up, what a crash left running; as `progress.recover`."""
        self._database.write(lambda found: progress.recover(found, begun))

    def _after(self, run: str, change: Work[Any]) -> Run:
        def work(connection: sqlite3.Connection) -> Run:
            change(connection)
            return run_of(connection, row_of(connection, run))

        return self._database.write(work)

    def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        self._database.close()


def _alone(connection: sqlite3.Connection, work: Work[Any]) -> Any:
    """What the work gives, or its error, which undoes only its own writes."""
    connection.execute("SAVEPOINT work")
    try:
        result = work(connection)
    except sqlite3.OperationalError:
        raise  # the disk's, and so everybody's
    except Exception as error:  # noqa: BLE001  raised again where the work was asked for
        connection.execute("ROLLBACK TO work")
        result = error
    connection.execute("RELEASE work")
    return result
