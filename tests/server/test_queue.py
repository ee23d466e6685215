"""The queue keeps every run, hands each out once, and survives the program's death."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.events import NodeChanged, Produced
from server.queue import ATTEMPTS, MIGRATIONS, NewerQueue, RunQueue, UnknownRun

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": str(2**63)}}}}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "queue.sqlite"


@pytest.fixture
def queue(database: Path) -> Iterator[RunQueue]:
    queue = RunQueue(database)
    yield queue
    queue.close()


def test_a_run_comes_back_as_it_was_added(queue: RunQueue) -> None:
    run = queue.add(WORKFLOW, ["a"])
    assert run.workflow == WORKFLOW
    assert run.wanted == ("a",)
    assert run.status == "waiting"
    assert queue.add(WORKFLOW).wanted is None


def test_runs_are_claimed_in_the_order_they_came(queue: RunQueue) -> None:
    first, second = queue.add(WORKFLOW), queue.add(WORKFLOW)
    claimed = [queue.claim(), queue.claim(), queue.claim()]
    assert [run and run.id for run in claimed] == [first.id, second.id, None]
    assert claimed[0]
    assert (claimed[0].status, claimed[0].attempts) == ("running", 1)


def test_two_programs_never_claim_the_same_run(queue: RunQueue, database: Path) -> None:
    added = {queue.add(WORKFLOW).id for _ in range(40)}
    claimed: list[str] = []

    def claim_all() -> None:
        own = RunQueue(database)
        while run := own.claim():
            claimed.append(run.id)
        own.close()

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(added)


def test_runs_outlive_the_program(queue: RunQueue, database: Path) -> None:
    run = queue.add(WORKFLOW)
    queue.close()
    again = RunQueue(database)
    assert again.get(run.id) == run
    again.close()


def test_a_run_left_running_by_a_crash_is_tried_again_and_then_given_up(
    queue: RunQueue,
) -> None:
    run = queue.add(WORKFLOW)
    for attempt in range(ATTEMPTS):
        queue.recover()
        assert queue.get(run.id).status == ("interrupted" if attempt else "waiting")
        queue.claim()
        queue.changed(run.id, [NodeChanged(node="a", state="running")])
    queue.recover()
    failed = queue.get(run.id)
    assert failed.status == "failed"
    assert "second time" in str(failed.error)
    assert failed.nodes == {}
    assert queue.claim() is None


def test_a_program_that_ends_in_order_puts_its_run_back_without_counting(queue: RunQueue) -> None:
    run = queue.add(WORKFLOW)
    for _ in range(ATTEMPTS + 1):
        assert queue.claim()
        assert queue.release(run.id).status == "waiting"
    assert queue.get(run.id).attempts == 0


def test_cancelling_takes_a_waiting_run_out_of_line_and_leaves_others(queue: RunQueue) -> None:
    running, waiting = queue.add(WORKFLOW), queue.add(WORKFLOW)
    queue.claim()
    assert queue.cancel(waiting.id).status == "cancelled"
    assert queue.cancel(running.id).status == "running"
    assert queue.claim() is None


def test_an_ended_run_keeps_its_first_ending(queue: RunQueue) -> None:
    run = queue.add(WORKFLOW)
    queue.claim()
    queue.finish(run.id, "failed", "no such file")
    assert queue.finish(run.id, "finished").status == "failed"
    assert queue.cancel(run.id).error == "no such file"


def test_outputs_and_node_states_are_kept_with_the_run(queue: RunQueue) -> None:
    run = queue.add(WORKFLOW)
    queue.produced(run.id, Produced(node="a", kind="image", file="x.png"))
    queue.produced(run.id, Produced(node="a", kind="text", data={"é": 1}))
    queue.changed(run.id, [NodeChanged(node="a", state="running")])
    queue.changed(run.id, [NodeChanged(node="a", state="failed", seconds=1.5, message="no")])
    kept = queue.get(run.id)
    assert [(output["kind"], output["file"], output["data"]) for output in kept.outputs] == [
        ("image", "x.png", None),
        ("text", "", {"é": 1}),
    ]
    assert kept.nodes == {"a": {"state": "failed", "seconds": 1.5, "message": "no"}}


def test_the_list_is_newest_first_and_can_be_narrowed(queue: RunQueue) -> None:
    ids = [queue.add(WORKFLOW).id for _ in range(3)]
    queue.claim()
    assert [run.id for run in queue.list()] == ids[::-1]
    assert [run.id for run in queue.list(limit=1)] == ids[2:]
    assert [run.id for run in queue.list(status="running")] == ids[:1]
    assert queue.counts() == {"waiting": 2, "running": 1}


def test_an_unknown_run_is_said_to_be_unknown(queue: RunQueue) -> None:
    with pytest.raises(UnknownRun, match="nope"):
        queue.get("nope")


def test_a_newer_database_is_refused_and_left_alone(queue: RunQueue, database: Path) -> None:
    queue.close()
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(NewerQueue, match="--data"):
        RunQueue(database)


def test_a_worker_is_handed_no_run_whose_models_it_lacks(queue: RunQueue) -> None:
    for models in ("a", "b", "a", ""):
        queue.add({"version": 1, "nodes": {}}, models=models)
    claimed = [queue.claim("a", ["a"]), queue.claim("", ["a", "c"]), queue.claim("", ["a"])]
    assert [None if run is None else run.models for run in claimed] == ["b", "", None]
    assert [run.models for run in (queue.claim(), queue.claim()) if run] == ["a", "a"]
