"""What the list of model files tells: what fits the wires, and a picture of each."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from server.routes.model_files import FilesAnswer, PicturesAnswer
from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at
from tests.server.test_gallery import CAT, saved


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def model(site: Site, name: str) -> Path:
    """A model file on the disk; what is in it does not matter here."""
    path = site.settings.root / "models" / "checkpoints" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"weights")
    return path


def draw(path: Path, size: tuple[int, int] = (400, 200)) -> None:
    Image.new("RGB", size, (200, 30, 30)).save(path)


async def pictures(site: Site) -> dict[str, str]:
    status, answer = await site.get("/api/models/pictures?folder=checkpoints")
    assert status == 200
    return PicturesAnswer.model_validate(answer).pictures


async def test_files_that_do_not_fit_are_told_in_the_asked_language(site: Site) -> None:
    flow = text_to_image("sd15.safetensors", "sd1.safetensors").to_json()
    body = {"workflow": flow, "node": "vae_loader", "widget": "file"}
    status, answer = await site.post("/api/check/files", body)
    assert status == 200
    found = {one.name: one for one in FilesAnswer.model_validate(answer).misfits}
    assert found["sdxl.safetensors"].reason.startswith(
        "It is for SDXL: KSampler uses sd15.safetensors"
    )
    assert "sd1.safetensors" not in found
    _, german = await site.ask(
        "POST", "/api/check/files", json=body, headers={"Accept-Language": "de"}
    )
    assert any(one["reason"].startswith("Sie ist für SDXL") for one in german["misfits"])


@pytest.mark.parametrize(("node", "widget"), [("nobody", "file"), ("sampler", "steps")])
async def test_a_widget_that_is_not_there_is_a_404(site: Site, node: str, widget: str) -> None:
    body = {"workflow": text_to_image().to_json(), "node": node, "widget": widget}
    status, _ = await site.post("/api/check/files", body)
    assert status == 404


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".preview.png"])
async def test_a_picture_beside_a_model_is_its_picture(site: Site, ending: str) -> None:
    path = model(site, "sd15.safetensors")
    draw(path.with_name("sd15" + ending))
    found = await pictures(site)
    assert set(found) == {"sd15.safetensors"}
    async with site.client.get(found["sd15.safetensors"]) as sent:
        assert (sent.status, sent.headers["Content-Type"]) == (200, "image/webp")
        assert "sandbox" in sent.headers["Content-Security-Policy"]
        small = site.settings.temp / "small.webp"
        small.write_bytes(await sent.read())
    assert max(Image.open(small).size) <= 96


async def test_without_one_it_is_the_newest_picture_made_with_the_model(site: Site) -> None:
    for name in ("old.png", "new.png", "thrown.png"):
        saved(site, name, CAT.model_copy(update={"models": ("sd15",)}))
    saved(site, "other.png", CAT)
    _, answer = await site.get("/api/gallery")
    (thrown,) = [item["id"] for item in answer["items"] if item["file"] == "thrown.png"]
    await site.ask("DELETE", f"/api/gallery/{thrown}")
    found = await pictures(site)
    assert found["sd15.safetensors"] == "/api/files/output/new.png?thumbnail=96"
    assert found["starter.safetensors"] == "/api/files/output/other.png?thumbnail=96"
    async with site.client.get(found["sd15.safetensors"]) as sent:
        assert sent.headers["Content-Type"] == "image/webp"


async def test_a_picture_that_is_none_is_refused_and_never_sent_as_it_is(site: Site) -> None:
    path = model(site, "sd15.safetensors")
    path.with_name("sd15.png").write_text("<html><script>alert(1)</script>")
    status, answer = await site.get("/api/models/picture/checkpoints/sd15.safetensors")
    assert status == 400
    assert "is not a picture" in answer["error"]["message"]


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own there")
async def test_a_link_that_leads_out_of_the_models_folders_is_not_followed(site: Site) -> None:
    path = model(site, "sd15.safetensors")
    secret = site.settings.root / "secret.png"
    draw(secret)
    path.with_name("sd15.png").symlink_to(secret)
    assert "sd15.safetensors" not in await pictures(site)
    status, _ = await site.get("/api/models/picture/checkpoints/sd15.safetensors")
    assert status == 404


@pytest.mark.parametrize(
    "place",
    ["checkpoints/gone.safetensors", "nowhere/sd15.safetensors", "checkpoints/..%2Fsecret.png"],
)
async def test_a_name_that_leads_to_no_model_is_a_404(site: Site, place: str) -> None:
    status, _ = await site.get(f"/api/models/picture/{place}")
    assert status == 404
