"""The editor asks whether a workflow makes sense, and where a wire may go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.routes.check import CheckAnswer, PlanAnswer, TargetsAnswer
from server.worker_questions import Planned
from tests.graph.small_world import DEFINITIONS, placed, text_to_image
from tests.server.site import Site, site_at

EVERYDAY = text_to_image().to_json()
MIXED_UP = text_to_image("starter.safetensors", "starter-b.safetensors").to_json()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_a_good_workflow_has_no_problems_and_every_socket_a_type(site: Site) -> None:
    status, answer = await site.post("/api/check", {"workflow": EVERYDAY})
    assert status == 200
    CheckAnswer.model_validate(answer)
    assert (answer["problems"], answer["runnable"]) == ([], True)
    latent = answer["types"]["empty"]["outputs"]["latent"]
    assert latent["kind"] == "Latent"
    assert latent["spaces"][0]["axis"] == "latent"
    assert latent["spaces"][0]["candidates"] == ["starter"]


async def test_a_mix_up_is_told_with_both_sides(site: Site) -> None:
    status, answer = await site.post("/api/check", {"workflow": MIXED_UP})
    assert status == 200
    CheckAnswer.model_validate(answer)
    assert not answer["runnable"]
    (problem,) = [p for p in answer["problems"] if p["severity"] == "error"]
    assert "Starter" in problem["message"]
    assert {side["space"] for side in problem["because"]} == {"starter", "starter-b"}


async def test_checking_and_running_agree(site: Site) -> None:
    for workflow in (EVERYDAY, MIXED_UP, {"nodes": {}}, {"nodes": {"a": {"type": "odd"}}}):
        _, checked = await site.post("/api/check", {"workflow": workflow})
        status, answer = await site.post("/api/runs", {"workflow": workflow})
        assert (status == 201) == checked["runnable"]
        if status == 422:
            assert answer["problems"] == checked["problems"]


async def test_a_workflow_of_a_newer_version_is_read_with_a_warning(site: Site) -> None:
    status, answer = await site.post("/api/check", {"workflow": {**EVERYDAY, "version": 99}})
    assert status == 200
    assert [problem["code"] for problem in answer["problems"]] == ["newer_file"]
    newer = {"workflow": {**EVERYDAY, "version": 99}}
    status, answer = await site.ask("PUT", "/api/workflows/saved/newer", json=newer)
    assert status == 400
    assert "newer version" in answer["error"]["message"]


async def test_a_dragged_wire_is_told_where_it_may_go_and_why_not_elsewhere(site: Site) -> None:
    workflow = text_to_image(
        vae_loader=placed("load_vae", {"file": "starter-b.safetensors"}),
        other=placed("vae_decode", vae="vae_loader.vae"),
    ).to_json()
    body = {"workflow": workflow, "node": "sampler", "output": "latent"}
    status, answer = await site.post("/api/check/targets", body)
    assert status == 200
    TargetsAnswer.model_validate(answer)
    found = {(target["node"], target["socket"]): target for target in answer["targets"]}
    assert found["decode", "latent"]["ok"]
    assert not found["other", "latent"]["ok"]
    assert "Starter" in found["other", "latent"]["reason"]
    assert any(entry["type"] == "vae_decode" for entry in answer["types"])

    body = {"workflow": workflow, "node": "other", "input": "latent"}
    status, answer = await site.post("/api/check/targets", body)
    assert status == 200
    found = {(target["node"], target["socket"]): target for target in answer["targets"]}
    assert not found["sampler", "latent"]["ok"]


async def test_a_check_waits_for_the_definitions_and_then_says_when_to_ask_again(
    site: Site,
) -> None:
    site.worker.library, site.worker.patience = None, 0.01
    for path in ("/api/check", "/api/check/targets"):
        body = {"workflow": EVERYDAY, "node": "sampler", "output": "latent"}
        body = body if path.endswith("targets") else {"workflow": EVERYDAY}
        async with site.client.post(path, json=body) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1


async def test_what_a_run_would_do_is_asked_of_the_worker(site: Site) -> None:
    status, answer = await site.post("/api/plan", {"workflow": EVERYDAY})
    assert (status, answer["error"]["code"]) == (503, "not_ready")
    site.worker.planned = Planned(id=1, cached=4, to_run=3, models=700, at_once=500, budget=600)
    status, answer = await site.post("/api/plan", {"workflow": EVERYDAY})
    assert status == 200
    PlanAnswer.model_validate(answer)
    memory = {"models": 700, "at_once": 500, "budget": 600}
    expected = {"cached": 4, "to_run": 3, "lazy": 0, "refused": None, **memory}
    assert answer == {**expected, "seconds": None}, "nothing is known of its time"
    site.worker.times.learn(EVERYDAY, DEFINITIONS, {"sampler": 4.0, "save": 0.5, "decode": 9.0})
    planned = site.worker.planned
    site.worker.planned = planned.model_copy(update={"runs": (("sampler", "save"),)})
    _, answer = await site.post("/api/plan", {"workflow": EVERYDAY})
    assert answer == {**expected, "seconds": 4.5}
