"""The real worker process, on nodes that need no model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server import worker, worker_client
from server.settings import Settings
from tests.helpers.desk import Desk, at_desk
from tests.helpers.workflows import graph

MODULES = ["tests.helpers.trivial_nodes"]


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(settings, worker.main, modules=MODULES) as desk:
        yield desk


async def test_a_worker_runs_is_cancelled_dies_and_comes_back(desk: Desk) -> None:
    # One process start (importing torch takes seconds) for the whole story.
    library = await desk.dispatcher.known_library()
    assert {"number", "wait", "example.invert_image"} <= set(library.nodes)

    sums = graph(
        a=("number", {"value": 2}, {}),
        b=("add", {"right": 3}, {"left": "a"}),
        s=("show", {}, {"value": "b"}),
    )
    run = desk.add_workflow(sums)
    ended = await desk.ended(run)
    assert (ended.status, ended.error) == ("finished", None)
    assert {node: kept["state"] for node, kept in ended.nodes.items()} == {
        "a": "finished",
        "b": "finished",
        "s": "finished",
    }
    value = await desk.dispatcher.asking.value(run, "b", "integer")
    assert (value.kind, value.data) == ("number", 5)

    waiting = desk.add_workflow(graph(w=("wait", {}, {})))
    await desk.running(waiting, "w")
    during = await desk.dispatcher.asking.value(run, "b", "integer")  # answered while it runs
    assert during.data == 5
    await desk.dispatcher.cancel(waiting)
    assert (await desk.ended(waiting)).status == "cancelled"

    dying = desk.add_workflow(graph(d=("die", {}, {})))
    died = await desk.ended(dying)
    assert died.status == "failed"
    assert "Die (d) was running: it exited with code 5" in str(died.error)

    again = desk.add_workflow(sums)
    assert (await desk.ended(again)).status == "finished"
    assert (
        await desk.dispatcher.asking.value(run, "b", "integer")
    ).kind == "gone"  # with the process


async def test_a_nodes_traceback_is_in_the_log_and_not_in_the_message(
    desk: Desk, settings: Settings
) -> None:
    failed = await desk.ended(desk.add_workflow(graph(s=("stumble", {}, {}))))
    assert str(failed.error).startswith("Stumble: KeyError: 'x' (trivial_nodes.py, line ")
    text = worker.log_path(settings).read_text("utf-8")
    assert "Traceback" in text
    assert "trivial_nodes.py" in text


async def test_a_worker_that_cannot_import_its_nodes_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_client, "FAILED_STARTS", 1)
    async with at_desk(settings, worker.main, modules=["no_such_module"]) as desk:
        await desk.until(lambda: desk.dispatcher.worker_status()["state"] == "stopped")
        message = desk.dispatcher.worker_status()["message"]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in message
    assert str(worker.log_path(settings)) in message


def test_a_long_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LARGEST_LOG", 3)
    path = tmp_path / "worker.log"
    path.write_text("long", "utf-8")
    worker.set_aside(path)
    assert not path.exists()
    assert path.with_suffix(".old.log").read_text("utf-8") == "long"
    worker.set_aside(path)  # nothing there is nothing to do
