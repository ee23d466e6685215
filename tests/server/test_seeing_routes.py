"""What a page asks to see more: token counts, steps of a sampler, values told in numbers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.previews import step_path
from server.worker_questions import EncoderTokens, Tokens, Value
from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at

EVERYDAY = text_to_image().to_json()
NODE = next(iter(EVERYDAY["nodes"]))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_tokens_are_counted_by_a_worker_once_one_is_there(site: Site) -> None:
    asked = {"workflow": EVERYDAY, "node": NODE, "text": "a cat"}
    status, _ = await site.ask("POST", "/api/tokens", json=asked)
    assert status == 503
    told = EncoderTokens(
        encoder="clip_l", tokens=2, room=75, chunks=1, pieces=((0, 1, 1.0, 0), (2, 5, 1.0, 0))
    )
    site.worker.counted = Tokens(id=1, encoders=(told,))
    status, answer = await site.ask("POST", "/api/tokens", json=asked)
    assert status == 200
    assert answer["encoders"][0]["pieces"] == [[0, 1, 1.0, 0], [2, 5, 1.0, 0]]
    status, _ = await site.ask("POST", "/api/tokens", json={**asked, "node": "nobody"})
    assert status == 404


async def test_steps_are_listed_and_shown_as_long_as_they_are_kept(site: Site) -> None:
    run = site.queue.add(EVERYDAY, None).id
    address = f"/api/runs/{run}/steps/{NODE}"
    assert await site.get(address) == (200, {"steps": []})
    for step in (2, 10):
        path = step_path(site.settings, run, NODE, step)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"jpeg")
    assert await site.get(address) == (200, {"steps": [2, 10]})
    shown = await site.client.get(f"{address}/10")
    assert (shown.status, shown.content_type) == (200, "image/jpeg")
    assert (await site.client.get(f"{address}/3")).status == 404


async def test_a_value_is_told_in_numbers_on_request(site: Site) -> None:
    run = site.queue.add(EVERYDAY, None).id
    told = Value(id=0, kind="about", data={"kind": "Latent", "channels": 4})
    site.worker.values[NODE, "latent"] = told
    status, answer = await site.get(f"/api/runs/{run}/values/{NODE}/latent?view=about")
    assert (status, answer["value"]["channels"]) == (200, 4)
    status, _ = await site.get(f"/api/runs/{run}/values/{NODE}/latent?view=sideways")
    assert status == 400
