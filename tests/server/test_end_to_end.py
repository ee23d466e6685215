"""The whole program over HTTP: real worker, real nodes, a real (tiny, untrained) checkpoint."""

import asyncio
import io
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
from PIL import Image

from tests.helpers import pack_nodes
from tests.helpers.tiny_model import tiny_checkpoint, tiny_vae
from tests.helpers.workflows import graph, text_to_image
from tests.server.program import PATIENCE, started, workers_of

PACK = Path(pack_nodes.__file__).read_text("utf-8")


class App(NamedTuple):
    """A running program."""

    address: str
    process: int
    data: Path


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One program for every test here: starting it takes seconds."""
    folder = tmp_path_factory.mktemp("app")
    models = folder / "more models"
    for name in ("checkpoints", "vae"):
        (models / name).mkdir(parents=True)
    tiny_checkpoint(models / "checkpoints" / "tiny.safetensors")
    tiny_checkpoint(models / "checkpoints" / "nan.safetensors", broken="vae")
    tiny_vae(models / "vae" / "tiny-b.safetensors")
    whole = (models / "checkpoints" / "tiny.safetensors").read_bytes()
    (models / "checkpoints" / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (models / "checkpoints" / "not.safetensors").write_bytes(b"this is no model")
    (models / "checkpoints" / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
    for pack, source in (("mine", PACK), ("broken", "import nothing_of_this_name\n")):
        (folder / "custom_nodes" / pack).mkdir(parents=True)
        (folder / "custom_nodes" / pack / "nodes.py").write_text(source, "utf-8")
    with started(folder / "data", "--models", str(models)) as (process, address, _):
        yield App(address, process.pid, folder / "data")


class Page:
    """What a page does: ask, and wait."""

    def __init__(self, app: App, session: aiohttp.ClientSession) -> None:
        self.address = app.address
        self.data = app.data
        self.session = session

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.session.request(method, self.address + path, **options) as answer:
            return answer.status, await answer.json()

    async def bytes(self, path: str) -> tuple[int, str, bytes]:
        async with self.session.get(self.address + path) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def run(self, workflow: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The run, once it has ended. The first one waits until the nodes are known."""
        status, answer = await self.ask("POST", "/api/runs", json={"workflow": workflow, **more})
        assert status == 201, answer
        return await self.until(answer["id"], lambda run: run["status"] not in GOING_ON)

    async def until(self, id_: str, reached: Callable[[Any], bool]) -> dict[str, Any]:
        end = time.monotonic() + 2 * PATIENCE
        while not reached(run := (await self.ask("GET", f"/api/runs/{id_}"))[1]):
            assert run["status"] in GOING_ON, run
            assert time.monotonic() < end, run
            await asyncio.sleep(0.05)
        return dict(run)


GOING_ON = ("waiting", "running", "interrupted")


@pytest.fixture
async def page(app: App):
    async with aiohttp.ClientSession() as session:
        yield Page(app, session)


def pass_on(name: str) -> dict[str, Any]:
    """A workflow that saves an uploaded picture again; it needs no model."""
    wire = {"node": "1", "output": "image"}
    return {
        "version": 1,
        "nodes": {
            "1": {"type": "load_image", "values": {"file": name}},
            "2": {"type": "save_image", "values": {"file_name": "copy"}, "inputs": {"image": wire}},
        },
    }


async def upload(page: Page, data: bytes, name: str) -> tuple[int, Any]:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", data, filename=name)
    return await page.ask("POST", "/api/files/input", data=form)


async def test_a_prompt_becomes_a_picture_that_carries_its_workflow(page: Page) -> None:
    workflow = text_to_image(seed=2**63)
    run = await page.run(workflow)
    assert (run["status"], run["error"]) == ("finished", None)
    (output,) = run["outputs"]
    assert output["kind"] == "image"
    assert run["nodes"]["5"]["state"] == "finished"
    assert run["nodes"]["5"]["seconds"] > 0

    status, kind, data = await page.bytes(output["url"])
    assert (status, kind) == (200, "image/png")
    assert Image.open(io.BytesIO(data)).size == (32, 24)
    assert (await page.bytes(output["thumbnail"]))[:2] == (200, "image/webp")

    form = aiohttp.FormData()
    form.add_field("file", data, filename="picture.png")
    status, read = await page.ask("POST", "/api/workflows/read", data=form)
    assert status == 200
    assert read["problems"] == []
    assert read["workflow"]["nodes"] == run["workflow"]["nodes"]
    assert read["workflow"]["nodes"]["5"]["values"]["seed"] == str(2**63)


async def test_every_step_is_told_with_a_preview(page: Page) -> None:
    async with page.session.ws_connect(f"{page.address}/api/events") as socket:
        run = await page.run(text_to_image(seed=1))
        assert run["status"] == "finished", run["error"]
        heard: list[dict[str, Any]] = []
        while not any(m["type"] == "run" and m["status"] == "finished" for m in heard):
            heard.append(await socket.receive_json(timeout=PATIENCE))
    mine = [message for message in heard if message.get("run") == run["id"]]
    steps = [(m["step"], m["steps"]) for m in mine if m["type"] == "progress" and m["node"] == "5"]
    assert steps[-1] == (4, 4)
    states = [m["state"] for m in mine if m["type"] == "node" and m["node"] == "5"]
    assert states[-2:] == ["running", "finished"]
    assert [m["kind"] for m in mine if m["type"] == "output"] == ["image"]
    numbers = [message["seq"] for message in heard[1:] if "seq" in message]
    assert numbers == sorted(numbers)

    preview = next(message for message in mine if message["type"] == "preview")
    status, kind, data = await page.bytes(preview["url"])
    assert (status, kind) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(data)).format == "JPEG"


async def test_values_of_a_finished_run_can_be_asked_for(page: Page) -> None:
    run = await page.run(text_to_image(seed=1))
    base = f"/api/runs/{run['id']}/values"
    for place in ("5/latent", "6/image"):
        status, kind, data = await page.bytes(f"{base}/{place}")
        assert (status, kind) == (200, "image/png"), place
        Image.open(io.BytesIO(data)).load()
    assert (await page.ask("GET", f"{base}/6/nothing"))[0] == 410


async def test_an_uploaded_picture_goes_through(page: Page) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (24, 16), (0, 128, 255)).save(picture, "PNG")
    status, kept = await upload(page, picture.getvalue(), "../../mein Bild.png")
    assert (status, kept["name"]) == (201, "mein Bild.png")
    run = await page.run(pass_on(kept["name"]))
    assert run["status"] == "finished", run["error"]
    _, _, data = await page.bytes(run["outputs"][0]["url"])
    copy = Image.open(io.BytesIO(data))
    assert copy.size == (24, 16)
    assert copy.convert("RGB").getpixel((3, 3)) == (0, 128, 255)


async def test_a_vae_of_another_space_is_refused_in_words(page: Page) -> None:
    workflow = text_to_image()
    workflow["nodes"]["9"] = {"type": "load_vae", "values": {"file": "tiny-b.safetensors"}}
    decoder = next(k for k, n in workflow["nodes"].items() if n["type"] == "vae_decode")
    workflow["nodes"][decoder]["inputs"]["vae"] = {"node": "9", "output": "vae"}
    status, answer = await page.ask("POST", "/api/runs", json={"workflow": workflow})
    assert status == 422
    (problem,) = [p for p in answer["problems"] if p["severity"] == "error"]
    assert {side["space"] for side in problem["because"]} == {"tiny", "tiny-b"}
    assert problem["fixes"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("cut.safetensors", "cut"),
        ("not.safetensors", "not.safetensors"),
        ("old.ckpt", "safetensors"),
        ("../checkpoints/tiny.safetensors", "tiny.safetensors"),
        ("nowhere.safetensors", "nowhere.safetensors"),
    ],
)
async def test_a_file_that_cannot_be_used_is_told_before_anything_runs(
    page: Page, name: str, word: str
) -> None:
    workflow = text_to_image(name)
    status, answer = await page.ask("POST", "/api/runs", json={"workflow": workflow})
    assert status == 422
    told = [problem["message"] for problem in answer["problems"] if problem["node"] == "1"]
    assert any(word in message for message in told), answer["problems"]
    assert "Traceback" not in json.dumps(answer)


async def test_numbers_that_are_none_are_told_with_the_node(page: Page) -> None:
    run = await page.run(text_to_image("nan.safetensors"))
    assert run["status"] == "failed"
    assert "NaN" in run["error"]
    assert "VAE Decode" in run["error"]
    assert "Traceback" not in run["error"]
    assert (await page.ask("GET", "/api/status"))[0] == 200


async def test_a_run_is_cancelled_while_it_runs(page: Page) -> None:
    workflow = text_to_image(steps=1000, seed=3)
    _, answer = await page.ask("POST", "/api/runs", json={"workflow": workflow})
    await page.until(answer["id"], lambda run: run["status"] == "running")
    await page.ask("POST", f"/api/runs/{answer['id']}/cancel")
    run = await page.until(answer["id"], lambda run: run["status"] not in GOING_ON)
    assert run["status"] == "cancelled"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc to find it")
async def test_the_page_outlives_its_worker_and_the_run_is_tried_twice(
    app: App, page: Page
) -> None:
    workflow = text_to_image(steps=1000, seed=4)
    _, answer = await page.ask("POST", "/api/runs", json={"workflow": workflow})
    for _ in range(2):
        await page.until(answer["id"], lambda run: run["status"] == "running")
        (worker,) = workers_of(app.process)
        os.kill(worker, signal.SIGKILL)
        await page.until(answer["id"], lambda run: run["status"] != "running")
    run = await page.until(answer["id"], lambda run: run["status"] not in GOING_ON)
    assert run["status"] == "failed"
    assert "worker" in run["error"]
    assert (await page.run(text_to_image(seed=5)))["status"] == "finished"


async def test_models_and_spaces_are_told_with_what_files_declare(page: Page) -> None:
    _, models = await page.ask("GET", "/api/models")
    files = {entry["name"]: entry for entry in models["checkpoints"]}
    assert files["tiny.safetensors"]["spaces"]["latent"] == ["tiny"]
    assert files["old.ckpt"]["trouble"]
    _, spaces = await page.ask("GET", "/api/spaces")
    assert spaces["latent"]["tiny"]["channels"] == 4
    _, nodes = await page.ask("GET", "/api/nodes")
    assert {"load_checkpoint", "k_sampler", "save_image"} <= nodes["nodes"].keys()


async def test_a_pack_that_fails_is_named_and_the_rest_goes_on(page: Page) -> None:
    await page.run(pile_of_greys())  # the nodes are known by now
    _, answer = await page.ask("GET", "/api/nodes")
    packs = {pack["name"]: pack["error"] for pack in answer["packs"]}
    assert packs["mine"] is None
    assert "nothing_of_this_name" in packs["broken"]
    assert "Traceback" not in packs["broken"]


def pile_of_greys() -> dict[str, Any]:
    """Wires into a widget, into a variadic input and of a list; a node bypassed and one muted."""
    image = "image"
    workflow = graph(
        n=("mine.number", {"value": 200}, {}),
        a=("mine.grey", {}, {"level": "n.integer"}),
        b=("mine.grey", {"level": 100}, {}),
        row=("mine.beside", {}, {"images.0": f"a.{image}", "images.1": f"b.{image}"}),
        squares=("mine.columns", {}, {"image": f"row.{image}"}),
        pile=("mine.pile", {}, {"images": f"squares.{image}"}),
        night=("mine.blacken", {}, {"image": f"pile.{image}"}),
        save=("save_image", {"file_name": "greys"}, {"image": f"night.{image}"}),
        other=("save_image", {"file_name": "other"}, {"image": f"pile.{image}"}),
    )
    workflow["nodes"]["night"]["mode"] = "bypass"
    workflow["nodes"]["other"]["mode"] = "mute"
    return workflow


async def test_every_kind_of_input_and_mode_works_in_the_whole_program(page: Page) -> None:
    run = await page.run(pile_of_greys())
    assert run["status"] == "finished", run["error"]
    assert [output["node"] for output in run["outputs"]] == ["save"]
    assert run["nodes"].keys().isdisjoint({"night", "other"})
    _, _, data = await page.bytes(run["outputs"][0]["url"])
    picture = Image.open(io.BytesIO(data)).convert("L")
    assert picture.size == (8, 16)
    assert [picture.getpixel((4, y)) for y in (4, 12)] == [200, 100]


async def test_any_node_can_be_run_alone(page: Page) -> None:
    run = await page.run(pile_of_greys(), wanted=["row"])
    assert run["status"] == "finished", run["error"]
    assert run["outputs"] == []
    assert run["nodes"].keys() == {"n", "a", "b", "row"}
    _, kind, data = await page.bytes(f"/api/runs/{run['id']}/values/row/image")
    assert (kind, Image.open(io.BytesIO(data)).size) == ("image/png", (16, 8))
