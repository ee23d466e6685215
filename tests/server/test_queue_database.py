"""Writes are whole or not at all, durable ones share a commit, and old databases are carried on."""

import sqlite3
import threading
from pathlib import Path

import pytest

from server.queue import RunQueue
from server.queue.database import Database
from server.queue.schema import FIRST

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": 1}}}}


def settings_of(database: Database) -> dict[str, str]:
    rows = database.read(lambda found: found.execute("SELECT name, value FROM setting").fetchall())
    return {row["name"]: row["value"] for row in rows}


def put(name: str):
    return lambda found: found.execute("INSERT INTO setting VALUES (?, 'x')", (name,))


def test_a_write_that_fails_is_undone_and_the_next_one_works(tmp_path: Path) -> None:
    database = Database(tmp_path / "q.sqlite")

    def half(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise ValueError("no")

    for write in (database.write, database.write_durably):
        with pytest.raises(ValueError, match="no"):
            write(half)
    database.write(put("whole"))
    assert set(settings_of(database)) == {"whole"}
    database.close()


def test_durable_writes_that_come_together_share_a_commit_and_fail_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "q.sqlite")
    commits: list[str] = []
    database._connection.set_trace_callback(
        lambda text: commits.append(text) if text == "COMMIT" else None
    )
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            database.write_durably(put("twice" if number % 5 == 0 else f"n{number}"))
        except sqlite3.IntegrityError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    with database._lock:  # all of them come while somebody else writes
        for thread in threads:
            thread.start()
        while len(database._wishes) < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert len(commits) == 1
    assert len(errors) == 3, "four wanted the same name"
    assert set(settings_of(database)) == {"twice"} | {f"n{k}" for k in range(20) if k % 5}
    database.close()


def test_a_durable_write_is_synchronised_and_an_ordinary_one_is_not(tmp_path: Path) -> None:
    database = Database(tmp_path / "q.sqlite")
    seen: list[int] = []

    def look(connection: sqlite3.Connection) -> None:
        seen.append(connection.execute("PRAGMA synchronous").fetchone()[0])

    database.write_durably(look)
    database.write(look)
    full, normal = 2, 1
    assert seen == [full, normal]
    database.close()


def test_a_full_disk_refuses_the_run_in_words_and_loses_none(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "q.sqlite")
    kept = queue.add(WORKFLOW)
    connection = queue._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        queue.add({**WORKFLOW, "notes": ["x" * 100_000]})
    assert [run.id for run in queue.list()] == [kept.id]
    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    later = queue.add({**WORKFLOW, "notes": ["x" * 100_000]})
    assert [run.id for run in queue.list()] == [later.id, kept.id]
    queue.close()


def test_a_write_too_large_for_the_disk_does_not_take_its_neighbours_along(tmp_path: Path) -> None:
    database = Database(tmp_path / "q.sqlite")
    (pages,) = database.read(lambda found: found.execute("PRAGMA page_count").fetchone())
    database.read(lambda found: found.execute(f"PRAGMA max_page_count = {pages + 2}"))
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            database.write_durably(put(name))
        except sqlite3.OperationalError as error:
            errors.append(error)

    names = ["a", "x" * 100_000, "b"]
    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    with database._lock:
        for thread in threads:
            thread.start()
        while len(database._wishes) < len(threads):
            pass
    for thread in threads:
        thread.join()
    assert set(settings_of(database)) == {"a", "b"}
    assert len(errors) == 1
    database.close()


def test_a_database_of_the_first_version_keeps_its_runs_and_their_order(tmp_path: Path) -> None:
    path = tmp_path / "q.sqlite"
    with sqlite3.connect(path) as old:
        old.executescript(f"{FIRST}; PRAGMA user_version = 1;")
        for name, status in (("one", "finished"), ("two", "waiting"), ("three", "waiting")):
            old.execute(
                "INSERT INTO run (id, status, workflow, wanted, created) VALUES (?, ?, ?, ?, 1)",
                (name, status, '{"version":1,"nodes":{}}', "null"),
            )
    old.close()
    queue = RunQueue(path)
    assert [run.id for run in queue.list()] == ["three", "two", "one"]
    assert queue.get("one").workflow == {"version": 1, "nodes": {}}
    added = queue.add(WORKFLOW)
    assert [run.id for run in queue.line.first()] == ["two", "three", added.id]
    queue.close()
