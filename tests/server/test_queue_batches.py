"""A batch is in the queue as a whole or not at all; it is followed, stopped and repeated as one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.queue import RunQueue, UnknownBatch, Wanted

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": 1, "steps": 4}}}}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "queue.sqlite")
    yield queue
    queue.close()


def seeds(*numbers: int) -> list[Wanted]:
    return [Wanted({"a": {"seed": number}}, f"seed {number}") for number in numbers]


def test_each_run_of_a_batch_has_its_own_values_in_their_order(queue: RunQueue) -> None:
    before = queue.add(WORKFLOW)
    batch = queue.add_batch(WORKFLOW, seeds(5, 6, 7), name="three seeds", recipe={"x": 1})
    runs = queue.batches.runs(batch)
    assert [run.workflow["nodes"]["a"]["values"] for run in runs] == [
        {"seed": number, "steps": 4} for number in (5, 6, 7)
    ]
    assert [run.name for run in runs] == ["seed 5", "seed 6", "seed 7"]
    assert [run.id for run in queue.line.first()] == [before.id, *(run.id for run in runs)]
    found = queue.batches.get(batch)
    assert (found.name, found.recipe, found.counts) == ("three seeds", {"x": 1}, {"waiting": 3})


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(queue: RunQueue) -> None:
    good = seeds(1, 2)
    with pytest.raises(TypeError):
        queue.add_batch(WORKFLOW, [*good, Wanted({"a": {"seed": object()}})])
    assert queue.line.first() == []
    assert queue.batches.newest() == []


def test_cancelling_a_batch_leaves_other_runs_and_what_has_ended(queue: RunQueue) -> None:
    batch = queue.add_batch(WORKFLOW, seeds(1, 2, 3))
    other = queue.add(WORKFLOW)
    first = queue.claim()
    assert first
    queue.finish(first.id, "finished")
    assert len(queue.batches.cancel(batch)) == 2
    assert queue.batches.get(batch).counts == {"finished": 1, "cancelled": 2}
    assert [run.id for run in queue.line.first()] == [other.id]
    assert queue.batches.cancel(None) == [other.id]


def test_a_failure_stops_a_batch_that_was_to_stop_and_no_other(queue: RunQueue) -> None:
    stopping = queue.add_batch(WORKFLOW, seeds(1, 2), stop_on_error=True)
    going = queue.add_batch(WORKFLOW, seeds(3, 4))
    for _ in range(2):
        run = queue.claim()
        assert run
        queue.finish(run.id, "failed", "no memory")
    assert queue.batches.get(stopping).counts == {"failed": 1, "cancelled": 1}
    assert queue.batches.runs(stopping)[1].error == "Not run, because seed 1 of its batch failed."
    assert queue.batches.get(going).counts == {"failed": 1, "waiting": 1}


def test_a_failed_run_is_retried_as_it_was_or_edited(queue: RunQueue) -> None:
    batch = queue.add_batch(WORKFLOW, seeds(1))
    run = queue.claim()
    assert run
    queue.finish(run.id, "failed", "no memory")
    same = queue.again(run.id)
    edited = queue.again(run.id, {"a": {"steps": 2}})
    assert same.workflow == run.workflow
    assert edited.workflow["nodes"]["a"]["values"] == {"seed": 1, "steps": 2}
    assert {same.copy_of, edited.copy_of} == {run.id}
    assert queue.batches.get(batch).counts == {"failed": 1, "waiting": 2}
    assert queue.get(run.id).error == "no memory"


def test_an_unknown_batch_is_said_to_be_unknown(queue: RunQueue) -> None:
    with pytest.raises(UnknownBatch, match="nope"):
        queue.batches.get("nope")
