"""What becomes of runs, as single steps of a transaction: begun, going on, ended, put back."""

import itertools
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from graph.events import NodeChanged, Produced
from server.queue.batches import Batches
from server.queue.pictures import keep_picture, picture_of
from server.queue.rows import COLUMNS, IN_LINE, Run, Status, row_of, run_of, text_of

ATTEMPTS = 2
"""How often a run may be started before it is given up, if something died each time."""

LOOKAHEAD = 32
"""So many runs in line are looked at for one that needs the models that are loaded."""

PASSES = 16
"""So often a run may be passed over by later ones whose models are loaded."""

GIVEN_UP = (
    "The program stopped unexpectedly while this run was running, and did so again when it was "
    "tried a second time. It is not tried a third time by itself; press Run to try it again."
)


@dataclass(frozen=True)
class Ending:
    """How a run is after it went on or ended."""

    status: Status
    error: str | None
    batch: str | None

    @property
    def is_in_line(self) -> bool:
        """Whether it is to be run again."""
        return self.status in ("waiting", "interrupted")


def claim(
    connection: sqlite3.Connection,
    models: str,
    lacking: Collection[str] = (),
    *,
    ahead: bool = False,
) -> Run | None:
    """The run in line that a worker should begin, now marked running; None where none waits.

    For a worker that has `models` loaded, one that needs the same is preferred, of the same
    priority and among the next `LOOKAHEAD`; the first in line is passed over at most `PASSES`
    times. Runs that need `lacking` (as `Run.models`) are left to other workers. One that is claimed
    `ahead` is handed to a worker before it has ended the run before, and has no `started` yet.
    """
    chosen = _next(connection, models, lacking)
    if chosen is None:
        return None
    row = connection.execute(
        "UPDATE run SET status = 'running', started = ?, finished = NULL, error = NULL,"
        " attempts = attempts + 1 WHERE position = ? RETURNING id",
        (None if ahead else time.time(), chosen),
    ).fetchone()
    return run_of(connection, row_of(connection, row["id"]))


def claim_several(
    connection: sqlite3.Connection,
    count: int,
    models: str,
    lacking: Collection[str] = (),
    *,
    idle: bool = True,
) -> list[Run]:
    """As many as `count` runs for one worker, as `claim`, none while the queue is paused.

    All but the first are claimed ahead, and that one too unless the worker is `idle`. All need the
    same models, so that nobody waits while others are loaded.
    """
    if _is_paused(connection):
        return []
    first = _next(connection, models, lacking)
    if first is None:
        return []
    behind = connection.execute(
        f"SELECT position, models FROM run WHERE {IN_LINE} ORDER BY priority DESC, rank LIMIT ?",
        (count,),
    ).fetchall()
    (needed,) = connection.execute("SELECT models FROM run WHERE position = ?", (first,)).fetchone()
    same = itertools.takewhile(lambda row: row["models"] == needed, behind)
    chosen = list(dict.fromkeys([first, *(row["position"] for row in same)]))[:count]
    if not idle and needed != models:
        return []  # they wait until the worker has ended what it is at
    now = time.time()
    connection.executemany(
        "UPDATE run SET status = 'running', started = ?, finished = NULL, error = NULL,"
        " attempts = attempts + 1 WHERE position = ?",
        [(now if idle and position == first else None, position) for position in chosen],
    )
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM run WHERE position IN (SELECT value FROM json_each(?))",
        (json.dumps(chosen),),
    ).fetchall()
    runs = {row["position"]: run_of(connection, row) for row in rows}
    return [runs[position] for position in chosen]


def claim_alike(
    connection: sqlite3.Connection,
    count: int,
    models: str,
    lacking: Collection[str],
    alike: Callable[[Run], Callable[[Run], bool]],
) -> list[Run]:
    """As many as `count` runs that an idle worker may sample together, none while paused.

    The first as `claim`; then those that come next with its priority and models, up to the first
    one that is not `alike`. Runs of other models that they pass count that as being passed over.
    """
    if _is_paused(connection) or (run := claim(connection, models, lacking)) is None:
        return []
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM (SELECT * FROM run WHERE {IN_LINE} AND priority = ?"
        " ORDER BY rank LIMIT ?) AS run WHERE models = ? ORDER BY rank LIMIT ?",
        (run.priority, LOOKAHEAD, run.models, count - 1),
    ).fetchall()
    others = list(itertools.takewhile(alike(run), (run_of(connection, row) for row in rows)))
    if others:
        connection.execute(
            f"UPDATE run SET passed = passed + 1 WHERE {IN_LINE} AND priority = ?"
            " AND rank < ? AND models <> ?",
            (run.priority, others[-1].rank, run.models),
        )
    connection.executemany(
        "UPDATE run SET status = 'running', started = ?, finished = NULL, error = NULL,"
        " attempts = attempts + 1 WHERE id = ?",
        [(time.time(), other.id) for other in others],
    )
    return [run, *(run_of(connection, row_of(connection, other.id)) for other in others)]


def _is_paused(connection: sqlite3.Connection) -> bool:
    paused = connection.execute("SELECT value FROM setting WHERE name = 'pause'").fetchone()
    return paused is not None and paused[0] != "no"


def finish(
    connection: sqlite3.Connection, run: str, status: Status, error: str | None = None
) -> Ending:
    """End the run as `status`. A run that has ended already stays as it is.

    A failed run of a batch that stops on errors takes the rest of its batch along.
    """
    now = time.time()
    row = connection.execute(
        "UPDATE run SET status = ?, error = ?, finished = ?, started = coalesce(started, ?)"
        f" WHERE id = ? AND (status = 'running' OR {IN_LINE}) RETURNING batch, name",
        (status, error, now, now, run),
    ).fetchone()
    if row is None:
        return _ending(connection, run)
    if status == "failed" and row["batch"] is not None:
        Batches.stop_after(connection, row["batch"], row["name"] or run)
    return Ending(status, error, row["batch"])


def interrupt(connection: sqlite3.Connection, run: str, error: str) -> Ending:
    """Put the run whose worker died back in line, or fail it after `ATTEMPTS`."""
    changed = connection.execute(
        "UPDATE run SET status = 'interrupted', error = ?, started = NULL, outputs = '[]'"
        " WHERE id = ? AND status = 'running' AND attempts < ?",
        (error, run, ATTEMPTS),
    ).rowcount
    if changed:
        return _ending(connection, run)
    before = _ending(connection, run)
    return finish(connection, run, "failed", error) if before.status == "running" else before


def release(connection: sqlite3.Connection, run: str) -> Ending:
    """Put the run back in line as if it had not been started."""
    changed = connection.execute(
        "UPDATE run SET status = 'waiting', started = NULL, outputs = '[]',"
        " attempts = attempts - 1 WHERE id = ? AND status = 'running'",
        (run,),
    ).rowcount
    if changed:
        connection.execute("DELETE FROM node WHERE run = ?", (run,))
    return _ending(connection, run)


def produced(connection: sqlite3.Connection, run: str, output: Produced) -> None:
    """Add one output to the run's outputs; a picture goes into the gallery with it."""
    text = text_of(output.model_dump(exclude={"type", "picture"}))
    changed = connection.execute(
        "UPDATE run SET outputs = json_insert(outputs, '$[#]', json(?)) WHERE id = ?",
        (text, run),
    ).rowcount
    if changed and output.kind == "image" and output.area == "output" and output.file:
        keep_picture(connection, picture_of(output, run, time.time()))


def changed(connection: sqlite3.Connection, run: str, nodes: Iterable[NodeChanged]) -> None:
    """Keep the newest state of each node of the run, unless the run is forgotten."""
    rows = [(event.node, event.state, event.seconds, event.message, run) for event in nodes]
    connection.executemany(
        "INSERT OR REPLACE INTO node SELECT id, ?, ?, ?, ? FROM run WHERE id = ?", rows
    )


def recover(connection: sqlite3.Connection, begun: Collection[str] | None = None) -> None:
    """Put runs that a crash left running back in line, or give them up after `ATTEMPTS`.

    `begun` are those that workers had begun, where that is known: one that was only claimed ahead
    goes back as if it had not been started.
    """
    connection.execute(
        "DELETE FROM node WHERE run IN (SELECT id FROM run WHERE status = 'running')"
    )
    if begun is not None:
        connection.execute(
            "UPDATE run SET status = 'waiting', attempts = attempts - 1, outputs = '[]'"
            " WHERE status = 'running' AND started IS NULL"
            " AND id NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(begun)),),
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


def _ending(connection: sqlite3.Connection, run: str) -> Ending:
    row = row_of(connection, run)
    return Ending(row["status"], row["error"], row["batch"])


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
