"""Workers share the queue, may be drained and restarted, and when one dies its run is retried."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from server.queue import ATTEMPTS
from server.settings import Settings
from server.worker_questions import Freeing
from tests.helpers.desk import Desk, at_desk


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(settings) as desk:
        yield desk


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(replace(settings, workers=2)) as desk:
        yield desk


def test_each_device_gets_its_workers_and_each_worker_its_log(settings: Settings) -> None:
    chosen = replace(settings, device="cuda:0, cuda:1", workers=2).for_workers()
    assert [(one.worker, one.device, one.workers) for one in chosen] == [
        (1, "cuda:0", 1),
        (2, "cuda:0", 1),
        (3, "cuda:1", 1),
        (4, "cuda:1", 1),
    ]
    assert [one.device for one in settings.for_workers()] == ["auto"]


async def test_a_run_whose_worker_died_is_run_once_more_and_then_failed(desk: Desk) -> None:
    run = desk.add("quick", "exit")
    ended = await desk.ended(run)
    assert (ended.status, ended.attempts) == ("failed", ATTEMPTS)
    assert "Exit (n1) was running: it exited with code 3" in str(ended.error)
    statuses = [m["status"] for m in desk.of_type("run") if m["run"] == run]
    assert statuses == ["running", "interrupted", "running", "failed"]


async def test_an_interrupted_run_comes_before_those_behind_it(desk: Desk) -> None:
    first, second = desk.add("exit"), desk.add("quick")
    await desk.ended(second)
    assert desk.queue.get(first).status == "failed", "it was tried twice before its turn came"


async def test_two_workers_share_the_queue_and_run_at_the_same_time(two: Desk) -> None:
    slow = [two.add("slow"), two.add("slow")]
    for run in slow:
        await two.running(run)
    assert {status["run"] for status in two.dispatcher.worker_statuses()} == set(slow)
    quick = two.add("quick")
    await two.dispatcher.cancel(slow[1])
    assert (await two.ended(quick)).status == "finished"
    assert two.queue.get(slow[0]).status == "running"
    await two.dispatcher.cancel(slow[0])
    await two.ended(slow[0])


async def test_a_worker_that_drains_begins_no_other_run(two: Desk) -> None:
    first, second = two.dispatcher.stations
    await asyncio.gather(first.is_ready(), second.is_ready())
    first.draining = True
    runs = [two.add("quick") for _ in range(4)]
    for run in runs:
        await two.ended(run)
    assert set(map(two.dispatcher.asking.ran_at, runs)) == {second}


async def test_a_restarted_worker_begins_its_run_again(desk: Desk) -> None:
    run = desk.add("slow")
    await desk.running(run)
    desk.dispatcher.stations[0].restart()
    await desk.until(lambda: desk.queue.get(run).attempts == 2)
    await desk.dispatcher.cancel(run)
    assert (await desk.ended(run)).status == "cancelled"


async def test_a_pause_lets_the_running_run_end_and_begins_no_other(desk: Desk) -> None:
    running, waiting = desk.add("slow"), desk.add("quick")
    await desk.running(running)
    await desk.dispatcher.pause("after")
    assert desk.queue.get(running).status == "running"
    await desk.dispatcher.cancel(running)
    await desk.ended(running)
    await asyncio.sleep(0.1)
    assert desk.queue.get(waiting).status == "waiting"
    await desk.dispatcher.pause("no")
    assert (await desk.ended(waiting)).status == "finished"


async def test_a_pause_at_once_puts_the_running_run_back_without_counting(desk: Desk) -> None:
    run = desk.add("slow")
    await desk.running(run)
    await desk.dispatcher.pause("now")
    await desk.until(lambda: desk.queue.get(run).status == "waiting")
    assert desk.queue.get(run).attempts == 0
    await asyncio.sleep(0.1)
    assert desk.queue.get(run).status == "waiting"
    await desk.dispatcher.pause("no")
    await desk.until(lambda: desk.queue.get(run).status == "running")
    await desk.dispatcher.cancel(run)
    assert (await desk.ended(run)).status == "cancelled"


async def test_runs_that_need_loaded_models_go_first_within_bounds(desk: Desk) -> None:
    await desk.dispatcher.pause("after")
    for number in range(40):
        workflow = {"version": 1, "nodes": {"n0": {"type": "quick", "title": str(number)}}}
        desk.queue.add(workflow, models="a" if number % 2 else "b")
    await desk.dispatcher.pause("no")
    await desk.until(lambda: desk.queue.counts()["waiting"] == 0)
    await desk.until(lambda: desk.queue.counts()["running"] == 0)
    began = [m["run"] for m in desk.of_type("run") if m["status"] == "running"]
    order = [desk.queue.get(run).models for run in began]
    changes = sum(one != other for one, other in itertools.pairwise(order))
    assert changes <= 6, "40 alternating runs would load a model 40 times"
    positions = [int(desk.queue.get(run).workflow["nodes"]["n0"]["title"]) for run in began]
    late = max(place - number for place, number in enumerate(positions))
    assert late <= 2 * 16, "nobody is passed over for ever"


async def test_memory_is_asked_of_each_worker_and_named_models_freed_at_one(two: Desk) -> None:
    first, second = two.dispatcher.stations
    await asyncio.gather(first.is_ready(), second.is_ready())
    for free, worker, freed in (
        (None, None, {1: 0, 2: 0}),
        (Freeing(models=("1",)), 2, {1: 0, 2: 1}),
        (Freeing(models=("1", "2")), 1, {1: 2, 2: 0}),
    ):
        runs = [two.add("slow"), two.add("slow")]
        for run in runs:
            await two.running(run)
        asked = asyncio.create_task(two.dispatcher.asking.memory(free, worker))
        await asyncio.sleep(0.05)
        for run in runs:
            await two.dispatcher.cancel(run)  # the fakes answer between runs
            await two.ended(run)
        assert {number: report.freed for number, report in (await asked).items()} == freed


async def test_a_trial_goes_to_a_worker_that_has_nothing_to_do(two: Desk) -> None:
    first, second = two.dispatcher.stations
    await asyncio.gather(first.is_ready(), second.is_ready())
    run = two.add("slow")
    await two.running(run)
    busy, idle = (first, second) if first.run is not None else (second, first)
    asked = asyncio.create_task(two.dispatcher.trials.ask("x"))
    await two.until(lambda: bool(idle.trials._waiting))
    assert not busy.trials._waiting
    idle.trials.died()
    assert await asked is None
    await two.dispatcher.cancel(run)


async def test_short_runs_that_lie_ready_are_cancelled_paused_and_given_back(desk: Desk) -> None:
    await asyncio.gather(*(desk.ended(desk.add("quick")) for _ in range(60)))
    (station,) = desk.dispatcher.stations
    assert station.room > 1, "runs were short, so several lie ready"
    slow = desk.add("slow")
    behind = [desk.add("quick") for _ in range(3)]
    await desk.running(slow)
    # The slow one holds them up, so they go back in line, as if they had not been started.
    await desk.until(lambda: all(desk.queue.get(run).status == "waiting" for run in behind))
    assert [desk.queue.get(run).attempts for run in behind] == [0, 0, 0]
    assert (await desk.dispatcher.cancel(behind[0])).status == "cancelled"
    await desk.dispatcher.pause("now")
    await desk.until(lambda: desk.queue.get(slow).status == "waiting")
    await desk.dispatcher.pause("no")
    await desk.running(slow)
    await desk.dispatcher.cancel(slow)
    assert [(await desk.ended(run)).status for run in behind[1:]] == ["finished", "finished"]
    assert desk.queue.get(behind[0]).status == "cancelled"
    assert desk.queue.get(slow).status == "cancelled"
