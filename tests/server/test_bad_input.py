"""Whatever is sent, the answer is a sentence and the server goes on."""

import copy
import json
import random
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at

EVERYDAY = text_to_image().to_json()
JSON_ROUTES = [
    ("POST", "/api/check"),
    ("POST", "/api/check/targets"),
    ("POST", "/api/runs"),
    ("PUT", "/api/workflows/saved/mine"),
]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The site itself fails a test whose request ends in the last resort."""
    async with site_at(tmp_path, max_json=1_000_000) as site:
        yield site
        status, _ = await site.get("/api/status")
        assert status == 200


async def send(site: Site, method: str, path: str, body: bytes) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    return await site.ask(method, path, data=body, headers=headers)


BAD_BODIES = {
    "empty": b"",
    "malformed": b'{"workflow": ',
    "not utf-8": b'{"workflow": "\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "nothing in it": b"{}",
    "a list as workflow": b'{"workflow": []}',
    "null as workflow": b'{"workflow": null}',
    "an unknown field": b'{"workflow": {}, "surprise": 1}',
    "nodes are a list": b'{"workflow": {"nodes": []}}',
    "a node is a text": b'{"workflow": {"nodes": {"a": "b"}}}',
    "an odd mode": b'{"workflow": {"nodes": {"a": {"type": "x", "mode": "fly"}}}}',
    "a wire is a list": b'{"workflow": {"nodes": {"a": {"type": "x", "inputs": {"i": ["b", 0]}}}}}',
    "nan": b'{"workflow": {"nodes": {"a": {"type": "x", "values": {"v": NaN}}}}}',
    "infinite": b'{"workflow": {"nodes": {"a": {"type": "x", "values": {"v": 1e999}}}}}',
    "half a character": b'{"workflow": {"nodes": {"a": {"type": "\\ud800"}}}}',
    "deep": b'{"workflow": {"layout": {"x": ' + b"[" * 3000 + b"]" * 3000 + b"}}}",
    "very deep": b"[" * 400_000,
    "a number of 5000 digits": b'{"workflow": {"version": ' + b"9" * 5000 + b"}}",
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
async def test_a_bad_body_is_refused_with_a_sentence(
    site: Site, method: str, path: str, body: bytes
) -> None:
    status, answer = await send(site, method, path, body)
    assert status == HTTPStatus.BAD_REQUEST
    assert answer["error"]["code"] == "bad_request"
    assert answer["error"]["message"].endswith(".")
    assert "Traceback" not in answer["error"]["message"]
    assert site.queue.list() == []
    assert list(site.settings.saved.iterdir()) == []


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
async def test_a_body_that_is_too_large_is_refused(site: Site, method: str, path: str) -> None:
    status, answer = await send(site, method, path, b'"' + b"x" * 1_100_000 + b'"')
    assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    "ends",
    [
        {},
        {"node": "sampler"},
        {"output": "latent"},
        {"node": "sampler", "output": "latent", "input": "model"},
        {"node": 1, "output": "latent"},
        {"node": "nobody", "output": "latent"},
        {"node": "sampler", "output": "nothing"},
        {"node": "sampler", "input": "nothing"},
    ],
    ids=str,
)
async def test_a_wire_from_nowhere_is_refused_with_a_sentence(
    site: Site, ends: dict[str, Any]
) -> None:
    status, answer = await site.post("/api/check/targets", {"workflow": EVERYDAY, **ends})
    assert status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    assert answer["error"]["message"].endswith(".")


async def test_an_unknown_node_and_a_missing_file_are_problems_of_the_workflow(site: Site) -> None:
    workflow = copy.deepcopy(EVERYDAY)
    workflow["nodes"]["checkpoint"]["values"]["file"] = "nowhere.safetensors"
    workflow["nodes"]["decode"]["type"] = "no_such_node"
    status, answer = await site.post("/api/runs", {"workflow": workflow})
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    found = {problem["node"]: problem["message"] for problem in answer["problems"]}
    assert "nowhere.safetensors" in found["checkpoint"]
    assert "no_such_node" in found["decode"]


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\secret", "/etc/passwd", "C:\\x", "a\x00b", "", "con", "x" * 9000],
)
async def test_a_file_name_that_leads_elsewhere_is_a_problem(site: Site, name: str) -> None:
    workflow = copy.deepcopy(EVERYDAY)
    workflow["nodes"]["checkpoint"]["values"]["file"] = name
    status, answer = await site.post("/api/runs", {"workflow": workflow})
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert any(problem["node"] == "checkpoint" for problem in answer["problems"])


ODD: list[Any] = [None, True, -1, 2**70, 1.5, "", "x\x00", "../..", [], {}, [[]], {"a": {"b": [1]}}]


def mutations(value: Any, count: int, seed: int) -> Iterator[Any]:
    """Copies of the JSON value, each with one to three places replaced, renamed or dropped."""
    chance = random.Random(seed)
    for _ in range(count):
        copied = copy.deepcopy(value)
        for _ in range(chance.randint(1, 3)):
            _mutate(copied, chance)
        yield copied


def _mutate(value: Any, chance: random.Random) -> None:
    while isinstance(value, dict) and value:
        key = chance.choice(list(value))
        inner = value[key]
        if not (isinstance(inner, dict) and inner) or chance.random() < 0.2:
            match chance.randrange(3):
                case 0:
                    value[key] = copy.deepcopy(chance.choice(ODD))
                case 1:
                    value[chance.choice(["", "a.0", "nodes", "x" * 300, key + "."])] = value.pop(
                        key
                    )
                case _:
                    del value[key]
            return
        value = inner


@pytest.mark.parametrize(("method", "path"), JSON_ROUTES)
async def test_a_damaged_workflow_never_ends_in_an_error_of_ours(
    site: Site, method: str, path: str
) -> None:
    request = {"workflow": EVERYDAY}
    if path.endswith("targets"):
        request |= {"node": "sampler", "output": "latent"}
    for damaged in mutations(request, 300, seed=7):
        status, answer = await send(site, method, path, json.dumps(damaged).encode())
        assert status < 500, damaged
        if status >= 400 and status != HTTPStatus.UNPROCESSABLE_ENTITY:
            assert answer["error"]["message"].endswith((".", "…")), damaged
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            assert all(problem["message"] for problem in answer["problems"])


async def test_a_chain_of_ten_thousand_nodes_is_checked(tmp_path: Path) -> None:
    nodes = {"n0": {"type": "load_image", "values": {"file": "photo.png"}}}
    for number in range(1, 10_000):
        wire = {"node": f"n{number - 1}", "output": "image"}
        nodes[f"n{number}"] = {"type": "invert", "inputs": {"image": wire}}
    async with site_at(tmp_path) as site:
        status, answer = await site.post("/api/check", {"workflow": {"nodes": nodes}})
        assert status == 200
        assert [problem["code"] for problem in answer["problems"]] == ["nothing_to_run"]
        assert len(answer["types"]) == 10_000
