"""The past is kept within limits, and a queue can be carried to another machine as a file."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.events import NodeChanged, Produced
from server.queue import BadExport, Limits, RunQueue, Sought, UnknownRun, Wanted

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": 1}}}}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "queue.sqlite")
    yield queue
    queue.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "other.sqlite")
    yield queue
    queue.close()


def ended(queue: RunQueue, count: int) -> list[str]:
    ids = [queue.add(WORKFLOW).id for _ in range(count)]
    for run in ids:
        queue.claim()
        queue.changed(run, [NodeChanged(node="a", state="finished")])
        queue.finish(run, "finished")
    return ids


def test_pruning_keeps_the_newest_and_all_that_has_not_ended(queue: RunQueue) -> None:
    old = ended(queue, 5)
    running, waiting = queue.add(WORKFLOW).id, queue.add(WORKFLOW).id
    queue.claim()
    assert len(queue.history.prune(keep=2)) == 3
    assert [run.id for run in queue.list()] == [waiting, running, old[4], old[3]]
    assert queue.history.prune(keep=2) == []
    assert queue.get(old[4]).nodes == {"a": {"state": "finished", "seconds": None, "message": None}}
    assert len(queue.history.prune(keep=0)) == 2
    assert queue.get(waiting).workflow == WORKFLOW


def test_runs_are_kept_for_days_and_a_star_keeps_one_for_ever(queue: RunQueue) -> None:
    old, starred, new = ended(queue, 3)
    facts = Produced(node="a", kind="image", file="x.png")
    queue.produced(starred, facts)
    (picture,) = queue.pictures.newest(Sought(), 10)
    queue.pictures.star(picture.number, True)
    queue._database.write(
        lambda found: found.execute(
            "UPDATE run SET finished = 1000 WHERE id IN (?, ?)", (old, starred)
        )
    )
    assert queue.history.prune(since=2000.0) == [old]
    assert queue.history.prune(keep=0) == [new]
    assert queue.get(starred).status == "finished"
    queue.pictures.star(picture.number, False)
    assert queue.history.prune(keep=0) == [starred]
    assert len(queue.pictures.newest(Sought(), 10)) == 1, "pictures outlive their runs"


def test_limits_are_kept_between_starts(queue: RunQueue, tmp_path: Path) -> None:
    assert queue.history.limits == Limits(None, None)
    queue.history.limits = Limits(100, 2.5)
    again = RunQueue(tmp_path / "queue.sqlite")
    assert again.history.limits == Limits(100, 2.5)
    again.close()


def test_only_ended_runs_are_forgotten(queue: RunQueue) -> None:
    done = ended(queue, 2)
    waiting = queue.add(WORKFLOW).id
    assert queue.history.forget([done[0], waiting, "nope"]) == [done[0]]
    assert [run.id for run in queue.list()] == [waiting, done[1]]
    with pytest.raises(UnknownRun):
        queue.get(done[0])


def test_an_export_read_in_elsewhere_gives_the_same_runs(queue: RunQueue, other: RunQueue) -> None:
    done = ended(queue, 1)[0]
    queue.produced(done, Produced(node="a", kind="image", file="x.png"))
    batch = queue.add_batch(WORKFLOW, [Wanted({"a": {"seed": 2}}, "seed 2")], name="b")
    exported = json.loads(json.dumps(queue.history.export()))
    assert other.history.read_in(exported) == 2
    assert other.get(done) == queue.get(done)
    assert other.batches.runs(batch) == queue.batches.runs(batch)
    assert other.batches.get(batch) == queue.batches.get(batch)
    assert other.history.read_in(exported) == 0, "runs that are known stay as they are"


def test_what_waits_can_be_exported_alone_and_a_running_one_waits_there(
    queue: RunQueue, other: RunQueue
) -> None:
    ended(queue, 1)
    running, waiting = queue.add(WORKFLOW).id, queue.add(WORKFLOW).id
    queue.claim()
    assert other.history.read_in(queue.history.export(only_waiting=True)) == 2
    assert [run.id for run in other.line.first()] == [running, waiting]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _: [], "no export"),
        (lambda export: {**export, "version": 9}, "version 9"),
        (lambda export: {**export, "workflows": {}}, "damaged"),
        (lambda export: {**export, "runs": [*export["runs"], {"id": "x"}]}, "damaged"),
        (lambda export: {**export, "runs": [{**export["runs"][0], "wanted": "{"}]}, "damaged"),
    ],
)
def test_a_damaged_export_is_refused_and_nothing_of_it_is_kept(
    queue: RunQueue, other: RunQueue, spoil: object, words: str
) -> None:
    queue.add(WORKFLOW)
    assert callable(spoil)
    with pytest.raises(BadExport, match=words):
        other.history.read_in(spoil(queue.history.export()))
    assert other.list() == []
