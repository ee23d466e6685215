"""A batch is planned, queued as a whole, followed and refused over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.worker_questions import Planned
from tests.graph.small_world import DEFINITIONS, text_to_image
from tests.server.site import Site, site_at

EVERYDAY = text_to_image().to_json()
SEEDS = {
    "kind": "seeds",
    "at": {"node": "sampler", "widget": "seed"},
    "how": "increment",
    "seed": 5,
    "count": 3,
}
STEPS = {"kind": "values", "at": {"node": "sampler", "widget": "steps"}, "values": [4, 8]}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def batch(*axes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"workflow": EVERYDAY, "recipe": {"axes": axes}, **more}


async def test_a_plan_says_how_many_runs_there_would_be_and_queues_none(site: Site) -> None:
    status, answer = await site.post("/api/batches/plan", batch(STEPS, SEEDS))
    assert status == 200
    assert (answer["count"], answer["runnable"], answer["problems"]) == (6, True, [])
    assert answer["axes"] == [
        {"title": "Steps", "labels": ["4", "8"]},
        {"title": "Seed", "labels": ["5", "6", "7"]},
    ]
    assert answer["names"][0] == "Steps 4, Seed 5"
    assert site.queue.list() == []


async def test_the_time_of_a_batch_leaves_out_what_is_cached(site: Site) -> None:
    async def seconds() -> float | None:
        _, answer = await site.post("/api/batches/plan", batch(SEEDS))
        found: float | None = answer["seconds"]
        return found

    assert await seconds() is None
    took = dict.fromkeys(EVERYDAY["nodes"], 1.0)
    site.worker.times.learn(EVERYDAY, DEFINITIONS, took)
    workers = len(site.worker.worker_statuses())
    alone = len(took) - 3  # sampled, decoded and saved for each seed
    assert await seconds() == pytest.approx((alone + 3 * 3) / workers), "no worker says otherwise"
    site.worker.planned = Planned(id=1, runs=(("save",),) * 3)
    assert await seconds() == pytest.approx(3 / workers)


async def test_a_batch_is_queued_and_its_grid_shows_the_newest_run_of_each_cell(
    site: Site,
) -> None:
    status, made = await site.post("/api/batches", batch(STEPS, SEEDS, name="six"))
    assert status == 201
    assert (made["name"], made["counts"]) == ("six", {"waiting": 6})
    assert site.worker.woken == 1
    first = site.queue.claim()
    assert first
    assert first.workflow["nodes"]["sampler"]["values"]["steps"] == 4
    site.queue.finish(first.id, "failed", "no memory")
    again = site.queue.again(first.id)
    status, found = await site.get(f"/api/batches/{made['id']}")
    assert status == 200
    assert [cell["cell"] for cell in found["cells"]] == [[s, k] for s in (0, 1) for k in range(3)]
    assert found["cells"][0]["run"]["id"] == again.id
    assert found["counts"] == {"failed": 1, "waiting": 6}
    assert (await site.get("/api/batches"))[1]["batches"][0]["id"] == made["id"]
    assert (await site.get("/api/batches/nope"))[0] == 404


async def test_a_batch_one_of_whose_models_does_not_fit_is_refused_as_a_whole(site: Site) -> None:
    vaes = {
        "kind": "values",
        "at": {"node": "checkpoint", "widget": "file"},
        "values": ["starter.safetensors", "nothing.safetensors"],
    }
    status, answer = await site.post("/api/batches", batch(SEEDS, vaes))
    assert status == 422
    assert "nothing.safetensors" in answer["problems"][0]["message"]
    assert site.queue.list() == []
    _, plan = await site.post("/api/batches/plan", batch(SEEDS, vaes))
    assert (plan["count"], plan["runnable"]) == (6, False)


async def test_texts_come_from_files_of_their_own_folders_only(site: Site) -> None:
    site.settings.input.mkdir(exist_ok=True)
    (site.settings.input / "prompts.txt").write_text("a cat\na dog\n", "utf-8")
    (site.settings.data / "secret.txt").write_text("x", "utf-8")
    site.settings.wildcards.mkdir()
    (site.settings.wildcards / "colour.txt").write_text("red\n", "utf-8")
    at = {"node": "positive", "widget": "text"}

    async def names(axis: dict[str, Any]) -> tuple[int, Any]:
        status, answer = await site.post("/api/batches/plan", batch({**axis, "at": at}))
        return status, answer.get("names") or answer["error"]["message"]

    assert await names({"kind": "lines", "file": "prompts.txt"}) == (
        200,
        ["Text a cat", "Text a dog"],
    )
    status, message = await names({"kind": "lines", "file": "../secret.txt"})
    assert status == 400
    assert "no file '../secret.txt'" in message
    drawn = {"kind": "wildcards", "text": "a __colour__ {ball|ball}", "count": 1}
    assert await names(drawn) == (200, ["Text a red ball"])
    status, message = await names({**drawn, "text": "__x/../../secret__"})
    assert status == 400


async def test_a_batch_stops_at_its_first_failure_if_wanted(site: Site) -> None:
    _, made = await site.post("/api/batches", batch(SEEDS, on_error="stop"))
    first = site.queue.claim()
    assert first
    site.queue.finish(first.id, "failed", "no memory")
    _, found = await site.get(f"/api/batches/{made['id']}")
    assert found["counts"] == {"failed": 1, "cancelled": 2}
    assert "of its batch failed" in found["cells"][1]["run"]["error"]


async def test_cancelling_a_batch_leaves_other_runs(site: Site) -> None:
    other = site.queue.add(EVERYDAY)
    _, made = await site.post("/api/batches", batch(SEEDS))
    assert await site.post("/api/queue/cancel", {"batch": made["id"]}) == (200, {"cancelled": 3})
    assert [run.id for run in site.queue.line.first()] == [other.id]


@pytest.mark.parametrize(
    "recipe",
    [
        {"axes": []},
        {"axes": [{"kind": "dance"}]},
        {"axes": [{**SEEDS, "count": 10**9}]},
        {"axes": [{**STEPS, "values": ["many"]}]},
    ],
)
async def test_a_recipe_that_means_nothing_is_refused_in_words(site: Site, recipe: Any) -> None:
    status, answer = await site.post("/api/batches", {"workflow": EVERYDAY, "recipe": recipe})
    assert status == 400
    assert answer["error"]["message"]
