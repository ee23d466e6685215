"""The durable queue: every run there ever was, one row each, in SQLite."""

import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from graph.events import NodeChanged, Produced

Status = Literal["waiting", "running", "finished", "failed", "cancelled"]

ATTEMPTS = 2
"""How often a run may be started before it is given up, if the program died each time."""

GIVEN_UP = (
    "The program stopped unexpectedly while this run was running, and did so again when it was "
    "tried a second time. It is not tried a third time by itself; press Run to try it again."
)

# One entry for each version of the schema; entry k brings a database from version k to k + 1.
MIGRATIONS = (
    """
    CREATE TABLE run (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        workflow TEXT NOT NULL,
        wanted TEXT NOT NULL,
        created REAL NOT NULL,
        started REAL,
        finished REAL,
        attempts INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        outputs TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX run_by_status ON run (status, position);
    CREATE TABLE node (
        run TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        node TEXT NOT NULL,
        state TEXT NOT NULL,
        seconds REAL,
        message TEXT,
        PRIMARY KEY (run, node)
    ) WITHOUT ROWID;
    """,
)


class UnknownRun(Exception):
    """No run has this id."""

    def __init__(self, run: str) -> None:
        super().__init__(f"There is no run {run!r}.")
        self.run = run


class NewerQueue(Exception):
    """The database was written by a newer version of this program."""


@dataclass(frozen=True)
class Run:
    """One run. Times are seconds since 1970 (UTC); `wanted` is None for "every output".

    `outputs` are the fields of `graph.events.Produced`; `nodes` maps a node's id to its `state`,
    `seconds` and `message`. `error` is a sentence for people.
    """

    id: str
    status: Status
    workflow: dict[str, Any]
    wanted: tuple[str, ...] | None
    created: float
    started: float | None
    finished: float | None
    attempts: int
    error: str | None
    outputs: list[dict[str, Any]]
    nodes: dict[str, dict[str, Any]]


class RunQueue:
    """The runs in the SQLite database at `database`, which is created or migrated when needed.

    May be used from any thread. `recover` is called once by the program that runs the queue.
    """

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        # Autocommit: each method is one statement, or says BEGIN itself.
        self._connection = sqlite3.connect(
            database, timeout=10, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")  # WAL: safe, no fsync per commit
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._migrate()

    def add(self, workflow: Mapping[str, Any], wanted: Sequence[str] | None = None) -> Run:
        """A new waiting run of the workflow (the saved form), behind all others."""
        run = uuid.uuid4().hex[:12]
        with self._lock:
            self._connection.execute(
                "INSERT INTO run (id, status, workflow, wanted, created)"
                " VALUES (?, 'waiting', ?, ?, ?)",
                (run, _text(workflow), _text(wanted), time.time()),
            )
            return self.get(run)

    def get(self, run: str) -> Run:
        """The run; raises `UnknownRun`."""
        with self._lock:
            row = self._connection.execute("SELECT * FROM run WHERE id = ?", (run,)).fetchone()
            if row is None:
                raise UnknownRun(run)
            return self._run(row)

    def list(self, limit: int = 100, status: Status | None = None) -> "list[Run]":
        """The newest `limit` runs, newest first, of one status or of all."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT * FROM run WHERE ? IS NULL OR status = ? ORDER BY position DESC LIMIT ?",
                (status, status, limit),
            ).fetchall()
            return [self._run(row) for row in rows]

    def claim(self) -> Run | None:
        """The run that waits longest, now marked running; None where none waits."""
        with self._lock:
            row = self._connection.execute(
                "UPDATE run SET status = 'running', started = ?, attempts = attempts + 1"
                " WHERE position = (SELECT min(position) FROM run WHERE status = 'waiting')"
                " RETURNING *",
                (time.time(),),
            ).fetchone()
            return None if row is None else self._run(row)

    def finish(self, run: str, status: Status, error: str | None = None) -> Run:
        """The run, ended as `status`. A run that has ended already stays as it is."""
        with self._lock:
            self._connection.execute(
                "UPDATE run SET status = ?, error = ?, finished = ?"
                " WHERE id = ? AND status IN ('waiting', 'running')",
                (status, error, time.time(), run),
            )
            return self.get(run)

    def cancel(self, run: str) -> Run:
        """The run, cancelled if it was waiting; a running one is the dispatcher's to stop."""
        with self._lock:
            self._connection.execute(
                "UPDATE run SET status = 'cancelled', finished = ?"
                " WHERE id = ? AND status = 'waiting'",
                (time.time(), run),
            )
            return self.get(run)

    def release(self, run: str) -> Run:
        """The run, back in line as if it had not been started; for a program that ends in order."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute("DELETE FROM node WHERE run = ?", (run,))
            self._connection.execute(
                "UPDATE run SET status = 'waiting', started = NULL, outputs = '[]',"
                " attempts = attempts - 1 WHERE id = ? AND status = 'running'",
                (run,),
            )
            return self.get(run)

    def produced(self, run: str, output: Produced) -> None:
        """Add one output to the run's outputs."""
        with self._lock:
            self._connection.execute(
                "UPDATE run SET outputs = json_insert(outputs, '$[#]', json(?)) WHERE id = ?",
                (_text(output.model_dump(exclude={"type"})), run),
            )

    def changed(self, run: str, nodes: Iterable[NodeChanged]) -> None:
        """Keep the newest state of each node of the run."""
        rows = [(run, event.node, event.state, event.seconds, event.message) for event in nodes]
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT OR REPLACE INTO node VALUES (?, ?, ?, ?, ?)", rows)

    def counts(self) -> dict[str, int]:
        """How many runs are waiting and running."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT status, count(*) FROM run WHERE status IN ('waiting', 'running')"
                " GROUP BY status"
            ).fetchall()
        return {"waiting": 0, "running": 0} | {str(status): int(count) for status, count in rows}

    def recover(self) -> None:
        """Put runs that a crash left running back in line, or give them up after `ATTEMPTS`."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(
                "DELETE FROM node WHERE run IN (SELECT id FROM run WHERE status = 'running')"
            )
            self._connection.execute(
                "UPDATE run SET status = 'failed', error = ?, finished = ?"
                " WHERE status = 'running' AND attempts >= ?",
                (GIVEN_UP, time.time(), ATTEMPTS),
            )
            self._connection.execute(
                "UPDATE run SET status = 'waiting', started = NULL, outputs = '[]'"
                " WHERE status = 'running'"
            )

    def close(self) -> None:
        """Let go of the database; nothing may be asked afterwards."""
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise NewerQueue(
                f"The queue's database has version {version}, and this program knows versions up "
                f"to {len(MIGRATIONS)}. Update the program, or give it another --data folder."
            )
        for number in range(version, len(MIGRATIONS)):
            # executescript commits by itself, so the script carries its own transaction.
            self._connection.executescript(
                f"BEGIN; {MIGRATIONS[number]}; PRAGMA user_version = {number + 1}; COMMIT;"
            )

    def _run(self, row: sqlite3.Row) -> Run:
        nodes = self._connection.execute(
            "SELECT node, state, seconds, message FROM node WHERE run = ?", (row["id"],)
        ).fetchall()
        wanted = json.loads(row["wanted"])
        return Run(
            id=row["id"],
            status=row["status"],
            workflow=json.loads(row["workflow"]),
            wanted=None if wanted is None else tuple(wanted),
            created=row["created"],
            started=row["started"],
            finished=row["finished"],
            attempts=row["attempts"],
            error=row["error"],
            outputs=json.loads(row["outputs"]),
            nodes={
                node: {"state": state, "seconds": seconds, "message": message}
                for node, state, seconds, message in nodes
            },
        )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
