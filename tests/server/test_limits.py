"""A node that crashes, hangs or takes too much costs its own run only, and the message names it."""

import multiprocessing
import os
import sys
from dataclasses import replace

import pytest

from server import limits, station, worker
from server.process_memory import taken_by
from server.queue import progress
from server.settings import Settings
from tests.helpers.desk import at_desk

MODULES = ["tests.helpers.dangerous_nodes"]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second attempt (test_workers.py has that), and little patience."""
    monkeypatch.setattr(progress, "ATTEMPTS", 1)
    monkeypatch.setattr(limits, "PAUSE", 0.05)
    monkeypatch.setattr(station, "CANCEL_PATIENCE", 0.2)


@pytest.mark.usefixtures("hasty")
async def test_a_crash_or_a_hang_costs_that_run_only_and_names_the_node(settings: Settings) -> None:
    how = {
        "segfault": "SIGSEGV" if sys.platform != "win32" else "exited with code",
        "be_killed": "SIGKILL" if sys.platform != "win32" else "exited with code",
        "hang": "Hang (n0) was stopped because it ran for longer than 3 seconds. Start with a",
    }
    async with at_desk(replace(settings, node_limit=3), worker.main, modules=MODULES) as desk:
        runs = {}
        for kind in how:
            runs[kind] = desk.add(kind)
            runs[f"after {kind}"] = desk.add("quick")
        for kind, why in how.items():
            ended, after = await desk.ended(runs[kind]), await desk.ended(runs[f"after {kind}"])
            title = kind.replace("_", " ").capitalize()
            assert (ended.status, after.status) == ("failed", "finished"), (
                ended.error,
                after.error,
            )
            assert why in str(ended.error)
            assert f"{title} (n0)" in str(ended.error)
            assert ended.nodes["n0"]["state"] == "failed"


@pytest.mark.usefixtures("hasty")
async def test_a_pack_sets_a_limit_of_its_own_and_a_node_that_listens_costs_no_worker(
    settings: Settings,
) -> None:
    settings = replace(settings, worker_memory=1_500_000_000)
    async with at_desk(settings, worker.main, modules=MODULES) as desk:
        station.CANCEL_PATIENCE = 120.0  # undone by the fixture
        stopped = await desk.ended(desk.add("slow"))
        assert stopped.status == "failed"
        assert (
            "Slow (n0) was stopped because it ran for longer than 0.2 seconds. Its node pack"
            in (str(stopped.error))
        )
        assert not any("died" in message["message"] for message in desk.of_type("worker"))

        # The worker has ended a run before, so that one might have taken the memory: a new worker
        # shows whose it is.
        run, after = desk.add("hoard"), desk.add("quick")
        hoarded = await desk.ended(run)
        statuses = [m["status"] for m in desk.of_type("run") if m["run"] == run]
        assert "The worker was ended while the node Hoard (n0) was running, because it took" in (
            str(hoarded.error)
        )
        assert "--worker-memory allows 1.5 GB" in str(hoarded.error)
        assert hoarded.status == "failed"
        assert statuses[-1] == "failed"
        assert (await desk.ended(after)).status == "finished"


def test_a_process_memory_is_what_it_took_for_itself() -> None:
    before = taken_by(os.getpid())
    kept = bytearray(b"x") * 200_000_000
    after = taken_by(os.getpid())
    assert before is not None
    assert after is not None
    assert 150_000_000 < after - before < 400_000_000, "200 MB, and what else the tests do"
    del kept


def test_a_process_that_is_gone_takes_no_memory() -> None:
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start()
    process.join()
    assert process.pid is not None
    assert not taken_by(process.pid)
