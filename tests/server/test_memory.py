"""What is loaded can be seen and freed over HTTP; what a run uses stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.worker_questions import Freeing, LoadedModel, MemoryReport
from tests.server.site import Site, site_at

MODEL = LoadedModel(
    id="3", name="a.safetensors", part="vae", dtype="float32", bytes=70, host=5, in_use=True
)
REPORT = MemoryReport(
    id=8,
    device="paper",
    budget=100,
    used=70,
    total=200,
    free=None,
    results=12,
    freed=30,
    models=(MODEL,),
)
OTHER = REPORT.model_copy(update={"device": "stone", "models": ()})


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_what_is_loaded_is_told_in_bytes_of_each_worker(site: Site) -> None:
    site.worker.reports = {2: REPORT, 1: OTHER}
    status, answer = await site.get("/api/memory")
    assert status == 200
    told = {
        "device": "paper",
        "budget": 100,
        "used": 70,
        "total": 200,
        "free": None,
        "results": 12,
        "freed": 30,
        "models": [
            {
                "id": "3",
                "name": "a.safetensors",
                "part": "vae",
                "dtype": "float32",
                "bytes": 70,
                "host": 5,
                "in_use": True,
            }
        ],
    }
    other = {**told, "device": "stone", "models": []}
    assert answer == {**told, "workers": [{**other, "number": 1}, {**told, "number": 2}]}
    assert not site.worker.freed


async def test_models_are_freed_one_by_one_or_all_with_the_results(site: Site) -> None:
    site.worker.reports = {1: REPORT}
    for body, wish, worker in (
        ({"models": ["3"], "worker": 2}, Freeing(models=("3",)), 2),
        ({}, Freeing(), None),
        ({"models": [], "results": True}, Freeing(models=(), results=True), None),
    ):
        status, answer = await site.post("/api/memory/free", body)
        assert (status, answer["freed"]) == (200, 30)
        assert site.worker.freed.pop() == (wish, worker)


async def test_until_a_worker_is_ready_the_answer_says_when_to_ask_again(site: Site) -> None:
    status, answer = await site.get("/api/memory")
    assert (status, answer["error"]["code"]) == (503, "not_ready")


@pytest.mark.parametrize("body", [{"models": "3"}, {"models": [3]}, {"all": True}])
async def test_a_wish_that_makes_no_sense_frees_nothing(site: Site, body: object) -> None:
    site.worker.reports = {1: REPORT}
    status, answer = await site.post("/api/memory/free", body)
    assert (status, answer["error"]["code"]) == (400, "bad_request")
    assert not site.worker.freed
