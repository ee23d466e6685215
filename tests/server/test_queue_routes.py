"""The line of waiting runs is looked at and changed over HTTP, and pages are told of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import FormData

from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at

EVERYDAY = text_to_image().to_json()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def add(site: Site, count: int) -> list[str]:
    return [site.queue.add(EVERYDAY).id for _ in range(count)]


async def line(site: Site) -> list[str]:
    status, answer = await site.get("/api/queue")
    assert status == 200
    return [run["id"] for run in answer["runs"]]


async def test_what_runs_comes_first_and_then_what_waits_in_its_order(site: Site) -> None:
    a, b, c = add(site, 3)
    site.queue.claim()
    site.queue.line.to_front(c)
    _, answer = await site.get("/api/queue")
    assert [(run["id"], run["status"]) for run in answer["runs"]] == [
        (a, "running"),
        (c, "waiting"),
        (b, "waiting"),
    ]
    assert (answer["waiting"], answer["pause"]) == (2, "no")


async def test_a_run_is_moved_and_preferred_and_pages_are_told(site: Site) -> None:
    a, b, c = add(site, 3)
    assert (await site.post(f"/api/runs/{c}/move", {"before": b}))[0] == 200
    assert await line(site) == [a, c, b]
    await site.post(f"/api/runs/{a}/move", {})
    assert await line(site) == [c, b, a]
    await site.post(f"/api/runs/{b}/move", {"front": True})
    assert await line(site) == [b, c, a]
    await site.post(f"/api/runs/{a}/priority", {"priority": 3})
    assert await line(site) == [a, b, c]
    assert [message["type"] for message in site.hub._buffer].count("queue") == 4


async def test_a_run_that_no_longer_waits_is_not_moved_and_says_so(site: Site) -> None:
    (a,) = add(site, 1)
    site.queue.claim()
    status, answer = await site.post(f"/api/runs/{a}/move", {"front": True})
    assert (status, answer["error"]["code"]) == (409, "not_in_line")
    status, answer = await site.post("/api/runs/nope/move", {"front": True})
    assert (status, answer["error"]["code"]) == (404, "unknown_run")


async def test_a_pause_is_kept_and_shown(site: Site) -> None:
    status, answer = await site.post("/api/queue/pause", {"pause": "after"})
    assert (status, answer["pause"]) == (200, "after")
    assert site.queue.line.pause == "after"
    assert (await site.post("/api/queue/pause", {"pause": "maybe"}))[0] == 400


async def test_a_waiting_run_is_edited_if_it_still_checks(site: Site) -> None:
    (a,) = add(site, 1)
    good = {"values": {"sampler": {"seed": 77}}}
    status, answer = await site.ask("PATCH", f"/api/runs/{a}", json=good)
    assert (status, answer["values"]) == (200, {"sampler": {"seed": 77}})
    assert site.queue.get(a).workflow["nodes"]["sampler"]["values"]["seed"] == 77
    bad = {"values": {"sampler": {"steps": 0}}}
    status, answer = await site.ask("PATCH", f"/api/runs/{a}", json=bad)
    assert status == 422
    assert answer["problems"][0]["node"] == "sampler"
    assert "steps" not in site.queue.get(a).changes["sampler"]


async def test_a_run_is_repeated_as_it_was_or_edited(site: Site) -> None:
    (a,) = add(site, 1)
    site.queue.claim()
    site.queue.finish(a, "failed", "no memory")
    status, same = await site.post(f"/api/runs/{a}/again", {})
    assert (status, same["status"], same["copy_of"]) == (201, "waiting", a)
    status, other = await site.post(f"/api/runs/{a}/again", {"values": {"sampler": {"seed": 5}}})
    assert (status, other["values"]) == (201, {"sampler": {"seed": 5}})
    assert site.worker.woken == 2
    status, _ = await site.post(f"/api/runs/{a}/again", {"values": {"sampler": {"steps": 0}}})
    assert status == 422


async def test_everything_is_cancelled_at_once(site: Site) -> None:
    add(site, 3)
    status, answer = await site.post("/api/queue/cancel", {})
    assert (status, answer) == (200, {"cancelled": 3})
    assert await line(site) == []
    assert (await site.post("/api/queue/cancel", {"batch": "nope"}))[0] == 404


async def test_ended_runs_are_forgotten_and_others_stay(site: Site) -> None:
    a, b, c = add(site, 3)
    for _ in range(2):
        run = site.queue.claim()
        assert run
        site.queue.finish(run.id, "finished")
    assert (await site.post("/api/queue/forget", {"runs": [a, c]}))[1] == {"forgotten": 1}
    assert (await site.post("/api/queue/forget", {"keep": 0}))[1] == {"forgotten": 1}
    assert [run.id for run in site.queue.list()] == [c]
    assert b not in await line(site)


async def test_a_queue_is_carried_to_another_machine_as_a_file(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    runs = add(site, 2)
    async with site.client.get("/api/queue/export?waiting=true") as answer:
        exported = await answer.read()
    async with site_at(tmp_path_factory.mktemp("other")) as other:
        form = FormData()
        form.add_field("file", exported, filename="queue.json")
        assert await other.ask("POST", "/api/queue/import", data=form) == (200, {"added": 2})
        assert await line(other) == runs
        assert other.worker.woken == 1
        form = FormData()
        form.add_field("file", b"{}", filename="queue.json")
        status, refused = await other.ask("POST", "/api/queue/import", data=form)
        assert (status, refused["error"]["code"]) == (400, "bad_export")


async def test_workers_are_listed_drained_and_restarted(site: Site) -> None:
    status, answer = await site.get("/api/workers")
    assert status == 200
    assert [worker["number"] for worker in answer["workers"]] == [1, 2]
    status, answer = await site.post("/api/workers/2/drain", {"drain": True})
    assert (status, [worker["draining"] for worker in answer["workers"]]) == (200, [False, True])
    assert site.worker.woken == 1
    assert (await site.post("/api/workers/1/restart", {}))[0] == 200
    assert [station.restarts for station in site.worker.stations] == [1, 0]
    assert (await site.post("/api/workers/3/restart", {}))[0] == 404


async def test_old_runs_and_their_temporary_files_go_and_pictures_stay(site: Site) -> None:
    runs = []
    for number in range(3):
        run = site.queue.add(EVERYDAY)
        site.queue.claim()
        site.queue.finish(run.id, "finished")
        for folder in (site.settings.previews / run.id, site.settings.temp / run.id):
            folder.mkdir(parents=True)
            (folder / "x.png").write_bytes(b"x")
        (site.settings.output / f"{number}.png").write_bytes(b"x")
        runs.append(run.id)
    waiting = site.queue.add(EVERYDAY)
    assert await site.get("/api/queue/limits") == (200, {"runs": None, "days": None})
    limits = {"runs": 1, "days": None}
    assert await site.ask("PUT", "/api/queue/limits", json=limits) == (200, limits)
    assert [run.id for run in site.queue.list()] == [waiting.id, runs[2]]
    assert [path.name for path in site.settings.previews.iterdir()] == [runs[2]]
    assert not (site.settings.temp / runs[0]).exists()
    assert (site.settings.temp / runs[2]).exists()
    assert len(list(site.settings.output.iterdir())) == 3
    assert await site.get("/api/queue/limits") == (200, limits)
    assert (await site.ask("PUT", "/api/queue/limits", json={"runs": -1}))[0] == 400
    _, answer = await site.post("/api/queue/forget", {"runs": [runs[2]]})
    assert answer == {"forgotten": 1}
    assert not (site.settings.temp / runs[2]).exists()
