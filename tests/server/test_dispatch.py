"""Runs go from the queue to the worker and back, whatever becomes of the worker."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from server import station
from server.node_library import NodeDefinitionsUnknown
from server.queue import RunQueue, UnknownRun
from server.settings import Settings
from server.worker_client import FAILED_STARTS
from server.worker_questions import Freeing
from tests.helpers import fake_worker
from tests.helpers.desk import PATIENCE, Desk, at_desk


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(settings) as desk:
        yield desk


async def test_a_run_goes_through_and_everything_in_it_is_heard_and_kept(desk: Desk) -> None:
    run = desk.add("quick", "quick")
    ended = await desk.ended(run)
    assert ended.status == "finished"
    assert ended.error is None
    assert ended.nodes["n1"] == {"state": "finished", "seconds": 0.5, "message": None}
    assert [output["node"] for output in ended.outputs] == ["n0", "n1"]
    kinds = [message["type"] for message in desk.heard if message.get("run") == run]
    per_node = ["node", "progress", "preview", "output", "node"]
    assert kinds == ["run", *per_node, *per_node, "run"]
    assert desk.of_type("run")[-1]["status"] == "finished"


async def test_only_previews_are_not_kept_for_replay(desk: Desk) -> None:
    await desk.ended(desk.add("quick"))
    for message, replay in zip(desk.heard, desk.replayed, strict=True):
        assert replay == (message["type"] != "preview")
    run = desk.of_type("preview")[0]["run"]
    assert desk.of_type("preview")[0]["url"] == f"/api/runs/{run}/preview/n0?step=1"


async def test_runs_wait_for_each_other(desk: Desk) -> None:
    slow, quick = desk.add("slow"), desk.add("quick")
    await desk.running(slow)
    assert desk.queue.get(quick).status == "waiting"
    await desk.dispatcher.cancel(slow)
    assert (await desk.ended(slow)).status == "cancelled"
    assert (await desk.ended(quick)).status == "finished"


async def test_a_waiting_run_is_cancelled_at_once_and_never_starts(desk: Desk) -> None:
    slow, waiting = desk.add("slow"), desk.add("quick")
    await desk.running(slow)
    assert (await desk.dispatcher.cancel(waiting)).status == "cancelled"
    await desk.dispatcher.cancel(slow)
    await desk.ended(slow)
    assert desk.queue.get(waiting).nodes == {}


async def test_cancelling_a_run_that_is_not_there_says_so(desk: Desk) -> None:
    with pytest.raises(UnknownRun):
        await desk.dispatcher.cancel("nope")


async def test_a_run_that_does_not_stop_when_cancelled_costs_its_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "CANCEL_PATIENCE", 0.05)
    run = desk.add("stubborn")
    await desk.running(run)
    await desk.dispatcher.cancel(run)
    assert (await desk.ended(run)).status == "cancelled"
    assert (await desk.ended(desk.add("quick"))).status == "finished"


async def test_no_run_is_handed_to_a_worker_that_was_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station, "CANCEL_PATIENCE", 0.05)
    run, waiting = desk.add("stubborn"), desk.add("quick")
    await desk.running(run)
    await desk.dispatcher.cancel(run)
    # It is next in line at the moment in which the worker is ended, before anybody hears of that.
    after = await desk.ended(waiting)
    assert (after.status, after.attempts) == ("finished", 1)


async def test_a_failing_run_keeps_its_sentence_and_the_next_one_runs(desk: Desk) -> None:
    failed = await desk.ended(desk.add("failing"))
    assert (failed.status, failed.error) == ("failed", "It failed, as told.")
    assert (await desk.ended(desk.add("quick"))).status == "finished"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exit", "it exited with code 3"),
        pytest.param(
            "segfault",
            "it was killed by signal SIGSEGV",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's"),
        ),
    ],
)
async def test_a_crash_fails_its_run_naming_the_node_and_the_worker_comes_back(
    desk: Desk, how: str, reason: str
) -> None:
    run = desk.add("quick", how)
    failed = await desk.ended(run)
    assert failed.status == "failed"
    assert f"{how.title()} (n1) was running: {reason}" in str(failed.error)
    assert "worker.log" in str(failed.error)
    assert failed.nodes["n1"]["state"] == "failed"
    assert failed.nodes["n0"]["state"] == "finished"
    assert desk.dispatcher.worker_status()["state"] == "starting"
    assert (await desk.ended(desk.add("quick"))).status == "finished"
    assert desk.dispatcher.worker_status()["state"] == "ready"


async def test_a_worker_that_cannot_start_is_given_up_in_words_and_runs_wait(
    settings: Settings,
) -> None:
    async with at_desk(settings, fake_worker.broken) as desk:
        run = desk.add("quick")
        await desk.until(lambda: desk.dispatcher.worker_status()["state"] == "stopped")
        assert "exited with code 7" in desk.dispatcher.worker_status()["message"]
        assert desk.queue.get(run).status == "waiting"
        assert len([m for m in desk.of_type("worker") if m["state"] == "starting"]) < FAILED_STARTS


async def test_definitions_are_unknown_until_a_worker_sent_them_and_kept_afterwards(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the fake worker's definitions stand in for those of the present source
    monkeypatch.setattr("server.worker_library.library_version", lambda _: "fake")
    async with at_desk(settings) as desk:
        assert desk.dispatcher.library is None
        library = await desk.dispatcher.known_library()
        assert set(library.nodes) == set(fake_worker.TYPES)
        await desk.until(lambda: any(settings.cache.glob("nodes-fake.json")))
        assert desk.of_type("nodes")
    async with at_desk(settings) as desk:
        assert desk.dispatcher.library == library


async def test_waiting_for_definitions_ends_in_words(settings: Settings) -> None:
    async with at_desk(settings, fake_worker.broken) as desk:
        with pytest.raises(NodeDefinitionsUnknown, match="not known yet"):
            await desk.dispatcher.known_library(patience=0.01)


async def test_stopping_puts_the_running_run_back_in_line_and_leaves_no_process(
    settings: Settings,
) -> None:
    before = set(multiprocessing.active_children())
    async with at_desk(settings) as desk:
        run = desk.add("slow")
        await desk.running(run)
    queue = RunQueue(settings.database)
    assert queue.get(run).status == "waiting"
    assert queue.get(run).attempts == 0
    queue.close()
    assert set(multiprocessing.active_children()) == before


async def test_a_value_comes_back_and_a_dead_worker_answers_gone(desk: Desk) -> None:
    run = desk.add("quick")
    await desk.ended(run)
    asking = asyncio.create_task(desk.dispatcher.asking.value(run, "n0", "text"))
    await asyncio.sleep(0)  # the fake worker answers questions after its next run
    await desk.ended(desk.add("quick"))
    answer = await asking
    assert (answer.kind, answer.data) == ("text", "n0")
    asking = asyncio.create_task(desk.dispatcher.asking.value(run, "n0", "text"))
    await asyncio.sleep(0)
    await desk.ended(desk.add("exit"))
    assert (await asking).kind == "gone"


SERVER = """
import asyncio, sys
from pathlib import Path
from server.settings import Settings
from server.worker_client import WorkerClient
from tests.helpers import fake_worker
from tests.helpers.desk import PATIENCE, Desk, at_desk

async def serve():
    client = WorkerClient(Settings.of(data=Path(sys.argv[1])), print, fake_worker.main)
    await client.start()
    await client.ready.wait()
    print("worker", client._process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(serve())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="relies on inherited standard output")
def test_a_worker_does_not_outlive_a_server_that_is_killed(settings: Settings) -> None:
    command = [sys.executable, "-c", SERVER, str(settings.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=settings.root) as server:
        assert server.stdout is not None
        worker = next(int(line.split()[1]) for line in server.stdout if line.startswith("worker"))
        os.kill(worker, 0)  # raises where there is no such process
        server.kill()
        # The worker writes into the same pipe, which ends when the last writer is gone.
        server.communicate(timeout=PATIENCE)


async def test_a_note_of_a_run_is_heard_and_kept_for_replay(desk: Desk) -> None:
    run = desk.add("noting")
    await desk.ended(run)
    note = {"type": "note", "run": run, "node": "n0", "message": "It went otherwise."}
    assert desk.of_type("note") == [note]


async def test_the_worker_is_asked_for_its_memory(desk: Desk) -> None:
    slow = desk.add("slow")
    await desk.running(slow)
    asked = asyncio.create_task(desk.dispatcher.asking.memory(Freeing(models=("1", "2"))))
    await asyncio.sleep(0.1)
    await desk.dispatcher.cancel(slow)  # the fake answers between runs
    await desk.ended(slow)
    report = (await asked)[1]
    assert (report.device, report.freed) == ("paper", 2)
