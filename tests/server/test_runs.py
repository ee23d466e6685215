"""Runs are accepted when they check, and can be followed, cancelled and looked into."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from graph.events import NodeChanged, Produced
from server.previews import preview_path
from server.worker_questions import Value
from tests.graph.small_world import placed, text_to_image
from tests.server.site import LIBRARY, Site, site_at

EVERYDAY = text_to_image().to_json()
MIXED_UP = text_to_image("starter.safetensors", "starter-b.safetensors").to_json()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_a_workflow_that_checks_is_queued(site: Site) -> None:
    status, answer = await site.post("/api/runs", {"workflow": EVERYDAY})
    assert status == 201
    assert answer.keys() == {"id", "status"}
    assert answer["status"] == "waiting"
    assert site.worker.woken == 1
    assert site.queue.get(answer["id"]).workflow == EVERYDAY


async def test_a_latent_of_another_space_is_refused_with_both_sides_and_a_fix(site: Site) -> None:
    status, answer = await site.post("/api/runs", {"workflow": MIXED_UP})
    assert status == 422
    problem = next(p for p in answer["problems"] if p["severity"] == "error")
    assert problem.keys() >= {"code", "severity", "node", "socket", "message", "because", "fixes"}
    assert {side["space"] for side in problem["because"]} == {"starter", "starter-b"}
    assert problem["fixes"]
    assert site.queue.list() == []


async def test_every_problem_is_told_at_once(site: Site) -> None:
    workflow = text_to_image(
        odd=placed("no_such_node"), lonely=placed("save_image"), gone=placed("load_image")
    ).to_json()
    workflow["nodes"]["sampler"]["values"]["steps"] = 100_000
    status, answer = await site.post("/api/runs", {"workflow": workflow})
    assert status == 422
    assert {"lonely", "sampler"} <= {problem["node"] for problem in answer["problems"]}


async def test_an_error_beside_the_wanted_nodes_does_not_refuse_the_run(site: Site) -> None:
    workflow = text_to_image(lonely=placed("save_image")).to_json()
    status, _ = await site.post("/api/runs", {"workflow": workflow, "wanted": ["save"]})
    assert status == 201
    status, _ = await site.post("/api/runs", {"workflow": workflow, "wanted": ["lonely"]})
    assert status == 422


async def test_an_unknown_wanted_node_is_refused(site: Site) -> None:
    status, answer = await site.post("/api/runs", {"workflow": EVERYDAY, "wanted": ["nobody"]})
    assert status == 422
    assert "nobody" in json.dumps(answer)


async def test_an_accepted_run_waits_for_the_definitions(site: Site) -> None:
    import asyncio

    site.worker.library = None
    asked = asyncio.create_task(site.post("/api/runs", {"workflow": EVERYDAY}))
    await asyncio.sleep(0.05)
    assert not asked.done()
    site.worker.library = LIBRARY
    site.worker.known.set()
    status, _ = await asked
    assert status == 201


async def test_a_run_is_not_refused_as_unknown_where_definitions_never_come(site: Site) -> None:
    site.worker.library, site.worker.patience = None, 0.01
    async with site.client.post("/api/runs", json={"workflow": EVERYDAY}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]


async def test_a_run_is_told_with_its_outputs_and_nodes(site: Site) -> None:
    run = site.queue.add(EVERYDAY, ["save"])
    site.queue.claim()
    site.queue.changed(run.id, [NodeChanged(node="save", state="finished", seconds=0.5)])
    site.queue.produced(run.id, Produced(node="save", kind="image", file="a b/c#1.png"))
    site.queue.finish(run.id, "finished")
    status, answer = await site.get(f"/api/runs/{run.id}")
    assert status == 200
    assert answer["status"] == "finished"
    assert answer["created"] <= answer["started"] <= answer["finished"]
    assert answer["error"] is None
    assert answer["workflow"] == EVERYDAY
    assert answer["wanted"] == ["save"]
    assert answer["nodes"]["save"] == {"state": "finished", "seconds": 0.5, "message": None}
    (output,) = answer["outputs"]
    assert (output["node"], output["kind"]) == ("save", "image")
    assert output["url"] == "/api/files/output/a%20b/c%231.png"

    folder = site.settings.output / "a b"
    folder.mkdir()
    Image.new("RGB", (600, 300)).save(folder / "c#1.png")
    async with site.client.get(output["thumbnail"]) as picture:
        assert picture.status == 200


async def test_runs_are_listed_newest_first_without_their_workflows(site: Site) -> None:
    ids = [site.queue.add(EVERYDAY).id for _ in range(3)]
    site.queue.cancel(ids[0])
    _, answer = await site.get("/api/runs?limit=2")
    assert [run["id"] for run in answer["runs"]] == [ids[2], ids[1]]
    assert "workflow" not in answer["runs"][0]
    _, answer = await site.get("/api/runs?status=cancelled")
    assert [run["id"] for run in answer["runs"]] == [ids[0]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=9999", "limit=x", "limit=1.5", "status=odd", "other=1", "limit="]
)
async def test_an_odd_query_is_refused_with_its_name(site: Site, query: str) -> None:
    status, answer = await site.get(f"/api/runs?{query}")
    assert status == 400
    assert query.split("=")[0] in answer["error"]["message"]


async def test_a_run_can_be_cancelled(site: Site) -> None:
    run = site.queue.add(EVERYDAY)
    status, answer = await site.post(f"/api/runs/{run.id}/cancel", None)
    assert (status, answer["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/runs/nobody"),
        ("POST", "/api/runs/nobody/cancel"),
        ("GET", "/api/runs/nobody/preview/sampler"),
        ("GET", "/api/runs/..%2f../preview/sampler"),
        ("GET", "/api/runs/nobody/values/sampler/latent"),
    ],
)
async def test_an_unknown_run_is_a_sentence(site: Site, method: str, path: str) -> None:
    status, answer = await site.ask(method, path)
    assert status == 404
    assert answer["error"]["code"] == "unknown_run"


async def test_values_of_every_kind_are_told(site: Site) -> None:
    run = site.queue.add(EVERYDAY)
    (site.settings.temp / "values").mkdir()
    Image.new("RGB", (4, 4)).save(site.settings.temp / "values" / "v.png")
    site.worker.values = {
        ("decode", "image"): Value(id=0, kind="image", file="values/v.png"),
        ("sampler", "latent"): Value(id=0, kind="latent", file="values/v.png"),
        ("empty", "number"): Value(id=0, kind="number", data=0.5),
        ("positive", "text"): Value(id=0, kind="text", data="a red circle"),
        ("save", "escape"): Value(id=0, kind="image", file="../queue.sqlite"),
    }
    base = f"/api/runs/{run.id}/values"
    for place in ("decode/image", "sampler/latent"):
        async with site.client.get(f"{base}/{place}") as answer:
            assert answer.status == 200
            assert answer.content_type == "image/png"
    assert await site.get(f"{base}/empty/number") == (200, {"kind": "number", "value": 0.5})
    assert await site.get(f"{base}/positive/text") == (
        200,
        {"kind": "text", "value": "a red circle"},
    )
    assert (await site.get(f"{base}/save/escape"))[0] == 404


async def test_a_value_that_is_no_longer_kept_is_gone(site: Site) -> None:
    run = site.queue.add(EVERYDAY)
    status, answer = await site.get(f"/api/runs/{run.id}/values/decode/image")
    assert status == 410
    assert "Run the workflow again" in answer["error"]["message"]
    assert (await site.get(f"/api/runs/{run.id}/values/nobody/image"))[0] == 404


async def test_the_newest_preview_is_shown_and_not_kept_by_the_browser(site: Site) -> None:
    run = site.queue.add(EVERYDAY)
    assert (await site.get(f"/api/runs/{run.id}/preview/sampler"))[0] == 404
    path = preview_path(site.settings, run.id, "sampler")
    path.parent.mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(path)
    async with site.client.get(f"/api/runs/{run.id}/preview/sampler?step=3") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/jpeg"
        assert answer.headers["Cache-Control"] == "no-store"
