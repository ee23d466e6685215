"""Short runs are handed out ahead of time, and what is written of them waits for a full disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from server import ledger as ledger_module
from server.ahead import MOST, WORTH, Ahead
from server.begun import PLACES, Begun, begun_path, take_begun
from server.ledger import Ledger
from server.queue import RunQueue, UnknownRun, Wanted, progress
from server.settings import Settings
from server.worker_inbox import Starts
from server.worker_messages import Start

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": 1}}}}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "q.sqlite")
    yield queue
    queue.close()


def claimed(queue: RunQueue, count: int, models: str = "", *, idle: bool = True) -> list[str]:
    work = partial(progress.claim_several, count=count, models=models, idle=idle)
    (runs,) = queue.together([work])
    return [run.id for run in runs]


def batch(queue: RunQueue, *models: str) -> list[str]:
    found = queue.add_batch(WORKFLOW, [Wanted(models=one) for one in models])
    return [run.id for run in queue.batches.runs(found)]


def test_runs_that_need_the_same_models_are_claimed_together_in_their_order(
    queue: RunQueue,
) -> None:
    runs = batch(queue, "a", "a", "b", "a")
    assert claimed(queue, 10) == runs[:2], "the third one would have others loaded"
    assert [queue.get(run).status for run in runs] == ["running", "running", "waiting", "waiting"]
    assert claimed(queue, 10, "a", idle=False) == [runs[3]], "its models are loaded"
    assert claimed(queue, 10, "a", idle=False) == []
    assert claimed(queue, 10, "a") == [runs[2]]


def test_nothing_is_claimed_while_the_queue_is_paused(queue: RunQueue) -> None:
    batch(queue, "a")
    queue.line.pause = "after"
    assert claimed(queue, 5) == []
    queue.line.pause = "no"
    assert len(claimed(queue, 5)) == 1


def test_a_run_that_was_only_claimed_ahead_loses_no_attempt_in_a_crash(
    settings: Settings, queue: RunQueue
) -> None:
    runs = batch(queue, "", "", "")
    assert claimed(queue, 3) == runs
    note = Begun(begun_path(settings))
    note.note(runs[0])
    note.note(runs[1])
    begun = take_begun(settings)
    assert begun == set(runs[:2])
    queue.recover(begun)
    assert [queue.get(run).attempts for run in runs] == [1, 1, 0]
    assert [queue.get(run).status for run in runs] == ["interrupted", "interrupted", "waiting"]
    assert take_begun(settings) == set(), "it is known once"


def test_without_the_workers_word_every_claimed_run_counts(
    settings: Settings, queue: RunQueue
) -> None:
    runs = batch(queue, "", "")
    claimed(queue, 2)
    assert take_begun(settings) is None
    queue.recover(None)
    assert [queue.get(run).attempts for run in runs] == [1, 1]


def test_the_newest_of_many_runs_are_remembered(settings: Settings) -> None:
    note = Begun(begun_path(settings))
    for number in range(3 * PLACES):
        note.note(f"{number:012}")
    assert take_begun(settings) == {f"{number:012}" for number in range(2 * PLACES, 3 * PLACES)}


def test_only_short_runs_are_handed_out_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("server.ahead.time.monotonic", lambda: now[0])
    ahead = Ahead()
    assert ahead.most == 1, "until something is known"
    for _ in range(50):
        now[0] += WORTH / 10
        ahead.ended()
    assert 9 <= ahead.most <= 10
    for _ in range(80):
        ahead.ended()
    assert ahead.most == MOST
    assert not ahead.is_stuck
    now[0] += 1
    assert ahead.is_stuck
    ahead.ended()
    assert ahead.most == 1, "one long run is enough"


def test_runs_that_wait_at_a_worker_are_given_back_and_others_are_not() -> None:
    starts = Starts()
    for name in "abc":
        starts.put(Start(run=name, workflow={}))
    assert starts.get().run == "a"  # type: ignore[union-attr]
    assert starts.withdraw(["a", "c", "x"]) == ("c",)
    assert starts.get().run == "b"  # type: ignore[union-attr]
    starts.put(Start(run="d", workflow={}))
    starts.end()
    assert starts.get() is None


async def test_what_cannot_be_written_is_tried_until_it_can_and_in_order(
    queue: RunQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "PAUSE", 0.01)
    full = threading.Event()
    full.set()
    together = queue.together

    def maybe(works):  # type: ignore[no-untyped-def]
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        return together(works)

    monkeypatch.setattr(queue, "together", maybe)
    told: list[str] = []
    ledger = Ledger(queue, lambda: told.append(ledger.trouble))
    (run,) = batch(queue, "")
    ledger.note(partial(progress.claim, models=""))
    ending = asyncio.create_task(ledger.do(partial(progress.finish, run=run, status="finished")))
    async with asyncio.timeout(30):
        while not told:
            await asyncio.sleep(0.01)
    assert "disk is full" in told[0]
    assert queue.get(run).status == "waiting"
    full.clear()
    assert (await ending).status == "finished"
    assert (queue.get(run).status, queue.get(run).attempts) == ("finished", 1)
    assert ledger.trouble == ""
    await ledger.close()


async def test_an_error_of_one_piece_of_work_is_its_own(queue: RunQueue) -> None:
    ledger = Ledger(queue)
    (run,) = batch(queue, "")
    wrong = ledger.do(partial(progress.release, run="nothing"))
    right = ledger.do(partial(progress.claim, models=""))
    found = await asyncio.gather(wrong, right, return_exceptions=True)
    assert isinstance(found[0], UnknownRun)
    assert found[1].id == run  # type: ignore[union-attr]
    ledger.note(partial(progress.finish, run=run, status="finished"))
    await ledger.close()
    assert queue.get(run).status == "finished", "closing writes what waits"
