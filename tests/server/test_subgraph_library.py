"""Subgraphs are kept in a library, under names, with the interface that they show."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from graph.workflow import Workflow
from tests.graph.small_world import text_to_image
from tests.helpers.packing import packed
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def entry() -> dict[str, Any]:
    flow = packed(text_to_image(), ["empty", "sampler"], "draw", {"steps": ("sampler", "steps")})
    placed = flow.nodes["draw"].model_copy(update={"inputs": {}})
    return Workflow(nodes={"draw": placed}, subgraphs=flow.subgraphs).to_json()


async def test_a_subgraph_is_kept_listed_and_deleted(site: Site) -> None:
    assert await site.get("/api/subgraphs") == (200, {"subgraphs": []})
    body = {"workflow": entry()}
    status, kept = await site.ask("PUT", "/api/subgraphs/My%20drawing", json=body)
    assert status == 200
    assert kept["workflow"] == entry()
    _, answer = await site.get("/api/subgraphs")
    (listed,) = answer["subgraphs"]
    assert (listed["name"], listed["trouble"]) == ("My drawing", None)
    assert listed["workflow"] == entry()
    shown = listed["definition"]
    assert shown["type"] == "subgraph:draw"
    kinds = [one["term"]["kind"] for one in shown["inputs"]]
    assert kinds == ["Model", "Conditioning", "Conditioning"]
    assert shown["widgets"][0]["schema"]["maximum"] == 1000
    assert json.loads((site.settings.subgraphs / "My drawing.json").read_text("utf-8")) == entry()
    status, deleted = await site.ask("DELETE", "/api/subgraphs/My%20drawing")
    assert (status, deleted) == (200, {"workflow": entry()})
    assert await site.get("/api/subgraphs") == (200, {"subgraphs": []})
    status, _ = await site.ask("DELETE", "/api/subgraphs/My%20drawing")
    assert status == 404


async def test_what_stands_for_no_subgraph_is_refused_in_words(site: Site) -> None:
    for workflow in (text_to_image().to_json(), {"nodes": {"a": {"type": "subgraph:gone"}}}):
        status, answer = await site.ask("PUT", "/api/subgraphs/a", json={"workflow": workflow})
        assert status == 400
        assert "one node, which stands for a subgraph" in answer["error"]["message"]
    status, _ = await site.ask("PUT", "/api/subgraphs/..%2Fa", json={"workflow": entry()})
    assert status == 400


async def test_a_damaged_file_is_listed_with_its_trouble_and_can_be_deleted(site: Site) -> None:
    site.settings.subgraphs.mkdir(parents=True)
    (site.settings.subgraphs / "bad.json").write_text("{", "utf-8")
    _, answer = await site.get("/api/subgraphs")
    (listed,) = answer["subgraphs"]
    assert listed["name"] == "bad"
    assert listed["trouble"]
    assert (await site.ask("DELETE", "/api/subgraphs/bad"))[0] == 200
