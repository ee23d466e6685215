"""What is loaded can be seen and freed over HTTP; what a run uses stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.worker_messages import Freeing, LoadedModel, MemoryReport
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


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_what_is_loaded_is_told_in_bytes(site: Site) -> None:
    site.worker.report = REPORT
    status, answer = await site.get("/api/memory")
    assert status == 200
    assert answer == {
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
    assert not site.worker.freed


async def test_models_are_freed_one_by_one_or_all_with_the_results(site: Site) -> None:
    site.worker.report = REPORT
    for body, wish in (
        ({"models": ["3"]}, Freeing(models=("3",))),
        ({}, Freeing()),
        ({"models": [], "results": True}, Freeing(models=(), results=True)),
    ):
        status, answer = await site.post("/api/memory/free", body)
        assert (status, answer["freed"]) == (200, 30)
        assert site.worker.freed.pop() == wish


async def test_until_a_worker_is_ready_the_answer_says_when_to_ask_again(site: Site) -> None:
    status, answer = await site.get("/api/memory")
    assert (status, answer["error"]["code"]) == (503, "not_ready")


@pytest.mark.parametrize("body", [{"models": "3"}, {"models": [3]}, {"all": True}])
async def test_a_wish_that_makes_no_sense_frees_nothing(site: Site, body: object) -> None:
    site.worker.report = REPORT
    status, answer = await site.post("/api/memory/free", body)
    assert (status, answer["error"]["code"]) == (400, "bad_request")
    assert not site.worker.freed
