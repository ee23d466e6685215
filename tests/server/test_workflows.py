"""Workflows are read from files, kept under names, and never run by themselves."""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from aiohttp import FormData
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nodes.picture_formats import FORMATS
from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


EVERYDAY = text_to_image().to_json()


def png(text: str | None, size: int = 8) -> bytes:
    info = PngInfo()
    if text is not None:
        info.add_text("latent_loom", text)
    file = io.BytesIO()
    Image.new("RGB", (size, size)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


async def read(site: Site, data: bytes, name: str = "w.json") -> tuple[int, Any]:
    form = FormData()
    form.add_field("file", data, filename=name)
    return await site.ask("POST", "/api/workflows/read", data=form)


async def test_a_workflow_is_read_from_json_and_not_run(site: Site) -> None:
    status, answer = await read(site, json.dumps(EVERYDAY).encode())
    assert status == 200
    assert answer == {"workflow": EVERYDAY, "problems": [], "read_only": False}
    assert site.queue.list() == []


async def test_templates_are_listed_in_their_order_with_what_they_are_and_a_picture(
    tmp_path: Path,
) -> None:
    async with site_at(tmp_path) as site:
        folder = site.settings.templates
        (folder / "thumbnails").mkdir(parents=True)
        (folder / "b-first.json").write_text(
            json.dumps({**EVERYDAY, "title": "First", "description": "It is.", "order": 1})
        )
        (folder / "a-other.json").write_text(json.dumps(EVERYDAY))
        (folder / "thumbnails" / "b-first.png").write_bytes(png(None))
        _, answer = await site.ask("GET", "/api/workflows")
        address = "/api/workflows/templates/b-first/picture"
        assert answer["templates"] == [
            {"name": "b-first", "title": "First", "description": "It is.", "picture": address},
            {"name": "a-other", "title": "A other", "description": "", "picture": None},
        ]
        got = await site.client.get(address)
        assert (got.status, got.content_type) == (200, "image/png")
        assert await got.read() == png(None)
        missing = await site.client.get("/api/workflows/templates/a-other/picture")
        assert missing.status == 404


async def test_a_workflow_is_read_from_a_picture_of_any_size(site: Site) -> None:
    status, answer = await read(site, png(json.dumps(EVERYDAY), 3000), "picture.png")
    assert status == 200
    assert answer["workflow"] == EVERYDAY


@pytest.mark.parametrize("format_", FORMATS)
async def test_a_workflow_is_read_from_a_picture_of_any_format(site: Site, format_: str) -> None:
    def picture(texts: dict[str, str]) -> bytes:
        file = io.BytesIO()
        FORMATS[format_].encode(file, numpy.zeros((8, 8, 3), numpy.uint8), 90, texts)
        return file.getvalue()

    ours = picture({"latent_loom": json.dumps(EVERYDAY, ensure_ascii=False)})
    status, answer = await read(site, ours, f"picture.{format_}")
    assert status == 200
    assert answer["workflow"] == EVERYDAY
    status, answer = await read(site, picture({}), f"picture.{format_}")
    assert status == 400
    assert "no workflow" in answer["error"]["message"]


async def test_what_is_wrong_with_a_workflow_is_told_and_it_is_opened_all_the_same(
    site: Site,
) -> None:
    odd = json.loads(json.dumps(EVERYDAY))
    odd["nodes"]["new"] = {"type": "from_the_future", "values": {"x": [1, {"y": None}]}}
    odd["comment"] = "fields that nobody knows survive"
    status, answer = await read(site, json.dumps(odd).encode())
    assert status == 200
    assert answer["workflow"]["comment"] == odd["comment"]
    assert answer["workflow"]["nodes"]["new"]["values"]["x"][0] == 1
    assert any(problem["node"] == "new" for problem in answer["problems"])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "workflow"),
        (b"1", "workflow"),
        (b'"text"', "workflow"),
        (b'{"nodes": []}', "nodes"),
        (b'{"nodes": {"a": 1}}', "nodes"),
        (b'{"nodes": {"a": {"type": 1}}}', "type"),
        (b'{"nodes": {"a": {"type": "x", "inputs": {"i": "b"}}}}', "inputs"),
        (b'{"version": "new", "nodes": {}}', "version"),
        (b'{"nodes": {}, "layout": ' + b"[" * 5000 + b"]" * 5000 + b"}", "levels deep"),
        (png(None), "no workflow"),
        (png("not json"), "not JSON"),
        (png("[]"), "workflow"),
        (png("{}")[:40], "cut off"),
    ],
    ids=range(15),
)
async def test_what_holds_no_workflow_is_refused_with_a_sentence(
    site: Site, data: bytes, sentence: str
) -> None:
    status, answer = await read(site, data)
    assert status == 400
    assert sentence in answer["error"]["message"]
    assert answer["error"]["message"].endswith(".")


@pytest.mark.parametrize("name", ["mine", "with space", "Моя", "a.b", "50%", "a#b", "a+b"])
async def test_a_saved_workflow_is_listed_opened_and_deleted(site: Site, name: str) -> None:
    from urllib.parse import quote

    path = f"/api/workflows/saved/{quote(name)}"
    status, answer = await site.ask("PUT", path, json={"workflow": EVERYDAY})
    assert (status, answer["workflow"]) == (200, EVERYDAY)
    _, listed = await site.get("/api/workflows")
    assert [entry["name"] for entry in listed["saved"]] == [name]
    assert listed["saved"][0]["modified"] > 1e9
    status, opened = await site.get(path)
    assert opened == {"workflow": EVERYDAY, "read_only": False}
    status, deleted = await site.ask("DELETE", path)
    assert (status, deleted) == (200, {"workflow": EVERYDAY, "read_only": False})
    assert (await site.get(path))[0] == 404
    assert (await site.ask("DELETE", path))[0] == 404


async def test_saving_again_replaces_and_leaves_nothing_else(site: Site) -> None:
    for seed in (1, 2**63):
        workflow = json.loads(json.dumps(EVERYDAY))
        workflow["nodes"]["sampler"]["values"]["seed"] = seed
        await site.ask("PUT", "/api/workflows/saved/mine", json={"workflow": workflow})
    assert [path.name for path in site.settings.saved.iterdir()] == ["mine.json"]
    _, opened = await site.get("/api/workflows/saved/mine")
    # From 2**53 up JSON readers lose digits, so the saved form has a string.
    assert opened["workflow"]["nodes"]["sampler"]["values"]["seed"] == str(2**63)


@pytest.mark.parametrize("name", ["..%2Fx", "%2e%2e%2fx", "a%5Cb", "con", "a%3Ab", ".x", "a%00b"])
async def test_a_name_that_leads_elsewhere_is_refused(site: Site, name: str) -> None:
    from yarl import URL

    url = site.client.make_url("/").join(URL(f"/api/workflows/saved/{name}", encoded=True))
    async with site.client.session.put(url, json={"workflow": EVERYDAY}) as answer:
        assert answer.status == 400
        assert "name" in (await answer.json())["error"]["message"]
    for method in ("GET", "DELETE"):
        async with site.client.session.request(method, url) as answer:
            assert answer.status == 404
    assert list(site.settings.saved.iterdir()) == []


async def test_templates_are_listed_with_titles_and_cannot_be_changed(site: Site) -> None:
    folder = site.settings.templates
    (folder / "text-to-image.json").write_text(json.dumps(EVERYDAY))
    (folder / "named.json").write_text(json.dumps({**EVERYDAY, "title": "A name"}))
    _, listed = await site.get("/api/workflows")
    assert listed["templates"] == [
        {"name": "named", "title": "A name", "description": "", "picture": None},
        {"name": "text-to-image", "title": "Text to image", "description": "", "picture": None},
    ]
    status, opened = await site.get("/api/workflows/templates/text-to-image")
    assert (status, opened) == (200, {"workflow": EVERYDAY, "read_only": False})
    path = "/api/workflows/templates/text-to-image"
    for method, options in (("PUT", {"json": {"workflow": EVERYDAY}}), ("DELETE", {})):
        status, answer = await site.ask(method, path, **options)
        assert status == 403
        assert "Save" in answer["error"]["message"]


async def test_a_damaged_saved_workflow_is_a_sentence_and_can_be_deleted(site: Site) -> None:
    (site.settings.saved / "bad.json").write_text("{")
    status, answer = await site.get("/api/workflows/saved/bad")
    assert status == 400
    assert "'bad'" in answer["error"]["message"]
    assert (await site.ask("DELETE", "/api/workflows/saved/bad"))[0] == 200
    assert (await site.get("/api/workflows/elsewhere/bad"))[0] == 404
