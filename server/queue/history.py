"""The runs of the past: looked at, kept within limits, written out and read in."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from server.queue.database import Database
from server.queue.rows import COLUMNS, IN_LINE, Run, Status, run_of

FORM = "latent-loom-queue"
VERSION = 1

_KEPT = (
    "id, status, workflow, wanted, created, started, finished, attempts, error, outputs, changes,"
    " name, batch, copy_of, priority, rank, models"
)
_ENDED = ("finished", "failed", "cancelled")


AT_ONCE = 500
"""Runs that are forgotten in one transaction, so that nobody waits long behind it."""


class BadExport(Exception):
    """What was to be read in is no export of a queue; the message says what is wrong."""


class Limits(NamedTuple):
    """How many ended runs are kept, and for how many days; None for no limit."""

    runs: int | None = None
    days: float | None = None


class History:
    """Every run that is kept, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(
        self,
        limit: int = 100,
        *,
        statuses: Sequence[Status] | None = None,
        before: int | None = None,
    ) -> list[Run]:
        """The newest `limit` runs, newest first, of some statuses or of all."""
        wanted = None if statuses is None else json.dumps(list(statuses))

        def find(connection: sqlite3.Connection) -> list[Run]:
            rows = connection.execute(
                f"SELECT {COLUMNS} FROM run WHERE (? IS NULL OR status IN"
                " (SELECT value FROM json_each(?))) AND (? IS NULL OR position < ?)"
                " ORDER BY position DESC LIMIT ?",
                (wanted, wanted, before, before, limit),
            ).fetchall()
            return [run_of(connection, row) for row in rows]

        return self._database.read(find)

    def prune(self, keep: int | None = None, since: float | None = None) -> list[str]:
        """The ids of the ended runs that are now forgotten: all but the newest `keep`, and those
        that ended before `since` (seconds since 1970).

        Runs in line and running ones are never forgotten, nor are runs of whose pictures one has a
        star, nor pictures: those are files.
        """
        plain = "NOT EXISTS (SELECT 1 FROM picture WHERE picture.run = run.id AND starred)"

        values = (2**62 if keep is None else keep, -1.0 if since is None else since, AT_ONCE)

        def forget(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "DELETE FROM run WHERE position IN (SELECT position FROM run"
                f" WHERE status IN {_ENDED} AND {plain} AND (finished < ?2 OR"
                f" position <= (SELECT position FROM run WHERE status IN {_ENDED}"
                " ORDER BY position DESC LIMIT 1 OFFSET ?1)) LIMIT ?3) RETURNING id",
                values,
            ).fetchall()
            return [row["id"] for row in rows]

        gone: list[str] = []
        while some := self._database.write(forget):
            gone += some
        if gone:
            self._database.write(_forget_unused)
        return gone

    @property
    def limits(self) -> Limits:
        """How much of the past is kept."""
        row = self._database.read(
            lambda found: found.execute(
                "SELECT value FROM setting WHERE name = 'history'"
            ).fetchone()
        )
        return Limits() if row is None else Limits(*json.loads(row["value"]))

    @limits.setter
    def limits(self, limits: Limits) -> None:
        text = json.dumps(list(limits))
        self._database.write(
            lambda found: found.execute(
                "INSERT OR REPLACE INTO setting VALUES ('history', ?)", (text,)
            )
        )

    def forget(self, runs: Sequence[str]) -> list[str]:
        """Those of these runs that had ended and are now forgotten."""

        def drop(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                f"DELETE FROM run WHERE status IN {_ENDED}"
                " AND id IN (SELECT value FROM json_each(?)) RETURNING id",
                (json.dumps(list(runs)),),
            ).fetchall()
            _forget_unused(connection)
            return [row["id"] for row in rows]

        return self._database.write(drop)

    def export(self, *, only_waiting: bool = False) -> dict[str, Any]:
        """Runs and their workflows as JSON, the oldest first; a running one as a waiting one."""
        ended = "()" if only_waiting else _ENDED
        which = f"WHERE {IN_LINE} OR status = 'running'" if only_waiting else ""

        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            rows = [
                dict(row)
                for row in connection.execute(f"SELECT {_KEPT} FROM run {which} ORDER BY position")
            ]
            used = json.dumps(sorted({row["workflow"] for row in rows}))
            bodies = connection.execute(
                "SELECT hash, body FROM workflow WHERE hash IN (SELECT value FROM json_each(?))",
                (used,),
            )
            batches = connection.execute("SELECT * FROM batch")
            nodes = connection.execute(
                f"SELECT * FROM node WHERE run IN (SELECT id FROM run WHERE status IN {ended})"
            )
            return {
                "form": FORM,
                "version": VERSION,
                "workflows": dict(map(tuple, bodies)),
                "batches": [dict(row) for row in batches],
                "runs": rows,
                "nodes": [dict(row) for row in nodes],
            }

        return self._database.read(read)

    def read_in(self, exported: Any) -> int:
        """How many runs of an export are new here; they go in line or into the past as they were.

        A run that is known already stays as it is. Raises `BadExport`, and then nothing is read in.
        """
        if not isinstance(exported, dict) or exported.get("form") != FORM:
            raise BadExport("This file is no export of a queue.")
        if exported.get("version") != VERSION:
            raise BadExport(
                f"This export has version {exported.get('version')!r}, and this program reads "
                f"version {VERSION}."
            )
        try:
            return self._database.write_durably(lambda found: _insert_all(found, exported))
        except (KeyError, TypeError, ValueError, AttributeError, sqlite3.Error) as error:
            raise BadExport(f"This export is damaged: {error!r}.") from error


def _insert_all(connection: sqlite3.Connection, exported: dict[str, Any]) -> int:
    workflows = {str(name): str(body) for name, body in exported["workflows"].items()}
    for body in workflows.values():
        json.loads(body)
    connection.executemany("INSERT OR IGNORE INTO workflow VALUES (?, ?)", list(workflows.items()))
    connection.executemany(
        "INSERT OR IGNORE INTO batch VALUES (:id, :name, :created, :on_error, :recipe)",
        exported["batches"],
    )
    known = {row["id"] for row in connection.execute("SELECT id FROM run")}
    names = [name.strip() for name in _KEPT.split(",")]
    count = 0
    for row in exported["runs"]:
        if row["workflow"] not in workflows:
            raise KeyError(f"workflow {row['workflow']}")
        kept = {name: row[name] for name in names}
        if kept["status"] not in _ENDED:
            kept["status"] = "waiting"
        for name in ("wanted", "outputs", "changes"):
            json.loads(kept[name])
        places = ", ".join(f":{name}" for name in names)
        count += connection.execute(
            f"INSERT OR IGNORE INTO run ({_KEPT}) VALUES ({places})", kept
        ).rowcount
    connection.executemany(
        "INSERT INTO node VALUES (:run, :node, :state, :seconds, :message)",
        [node for node in exported["nodes"] if node["run"] not in known],
    )
    return count


def _forget_unused(connection: sqlite3.Connection) -> None:
    connection.execute(
        "DELETE FROM workflow WHERE NOT EXISTS (SELECT 1 FROM run WHERE workflow = workflow.hash)"
    )
    connection.execute(
        "DELETE FROM batch WHERE NOT EXISTS (SELECT 1 FROM run WHERE batch = batch.id)"
    )
