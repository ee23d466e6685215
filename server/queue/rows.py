"""A run as the rest of the program sees it, made from its rows in the database."""

import copy
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graph.subgraph_values import set_inside

Status = Literal["waiting", "running", "finished", "failed", "cancelled", "interrupted"]
"""`interrupted` runs were running when something died; they are in line to be run again."""

Changes = dict[str, dict[str, Any]]
"""What a run changes of its workflow: node id to widget name to value."""

IN_LINE = "status IN ('waiting', 'interrupted')"
"""The condition of the index that the next claim uses; SQLite needs it word for word."""

COLUMNS = "run.*, (SELECT body FROM workflow WHERE hash = run.workflow) AS body"


class UnknownRun(Exception):
    """No run has this id."""

    def __init__(self, run: str) -> None:
        super().__init__(f"There is no run {run!r}.")
        self.run = run


@dataclass(frozen=True)
class Run:
    """One run. Times are seconds since 1970 (UTC); `wanted` is None for "every output".

    `workflow` is the saved form with the run's own `changes` made. `batch` is the id of the batch
    that it is of, `copy_of` the run that it repeats. Of those in line the highest `priority` comes
    first, then the lowest `rank`. `models` names the model files that it needs, in a form that only
    serves to tell whether two runs need the same. `outputs` are the fields of
    `graph.events.Produced`; `nodes` maps a node's id to its `state`, `seconds` and `message`.
    `error` is a sentence for people.
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
    changes: Changes
    name: str
    batch: str | None
    copy_of: str | None
    priority: int
    rank: float
    models: str

    @property
    def is_in_line(self) -> bool:
        """Whether it is still to be run."""
        return self.status in ("waiting", "interrupted")


def run_of(connection: sqlite3.Connection, row: sqlite3.Row) -> Run:
    """The run of a row that was read with `COLUMNS`."""
    nodes = connection.execute(
        "SELECT node, state, seconds, message FROM node WHERE run = ?", (row["id"],)
    ).fetchall()
    wanted = json.loads(row["wanted"])
    changes = json.loads(row["changes"])
    return Run(
        id=row["id"],
        status=row["status"],
        workflow=with_changes(json.loads(row["body"]), changes),
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
        changes=changes,
        name=row["name"],
        batch=row["batch"],
        copy_of=row["copy_of"],
        priority=row["priority"],
        rank=row["rank"],
        models=row["models"],
    )


def row_of(connection: sqlite3.Connection, run: str) -> sqlite3.Row:
    """The run's row, with `COLUMNS`; raises `UnknownRun`."""
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {COLUMNS} FROM run WHERE id = ?", (run,)
    ).fetchone()
    if row is None:
        raise UnknownRun(run)
    return row


def with_changes(workflow: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The workflow (the saved form) with these values; nodes that it lacks are passed over.

    "up/k" is the node "k" inside the subgraph that "up" stands for.
    """
    changed = dict(workflow)
    if not changes:
        return changed
    nodes = dict(changed.get("nodes", {}))
    for node, values in changes.items():
        if node in nodes:
            placed = copy.copy(nodes[node])
            placed["values"] = {**placed.get("values", {}), **values}
            nodes[node] = placed
            changed["nodes"] = nodes
        elif (inside := set_inside(changed, node, values)) is not None:
            changed, nodes = inside, inside["nodes"]
    return changed


def both(first: Changes, second: Changes) -> Changes:
    """Both changes in one; where they differ over a value, the second one's."""
    merged = {node: dict(values) for node, values in first.items()}
    for node, values in second.items():
        merged.setdefault(node, {}).update(values)
    return merged


def keep_workflow(connection: sqlite3.Connection, workflow: Mapping[str, Any]) -> str:
    """The name under which the workflow is kept, once however many runs have it."""
    body = text_of(workflow)
    name = hashlib.sha256(body.encode()).hexdigest()
    connection.execute("INSERT OR IGNORE INTO workflow VALUES (?, ?)", (name, body))
    return name


def text_of(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
