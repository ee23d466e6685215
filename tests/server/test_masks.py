"""A painted mask becomes a picture's transparency; colours stay, also where nothing is seen."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from aiohttp import FormData
from PIL import Image

from graph.widgets import ImageFile
from nodes.images import load_image
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


PIXELS = numpy.random.default_rng(1).integers(0, 255, (12, 20, 3), dtype=numpy.uint8)


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def painted(width: int = 20, height: int = 12) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (5, 0, 10, height))
    mask.putpixel((0, 0), 128)
    return mask


async def paint(site: Site, name: str, mask: Image.Image) -> tuple[int, Any]:
    form = FormData()
    form.add_field("file", png(mask), filename="mask.png")
    return await site.ask("POST", f"/api/files/input/{name}/mask", data=form)


async def test_load_image_gives_the_picture_and_the_mask_that_was_painted(site: Site) -> None:
    (site.settings.input / "cat.png").write_bytes(png(Image.fromarray(PIXELS)))
    status, answer = await paint(site, "cat.png", painted())
    assert (status, answer["name"]) == (201, "cat masked.png")
    path = site.settings.input / answer["name"]
    loaded = load_image(ImageFile(answer["name"], path, ""))
    numpy.testing.assert_array_equal((loaded.image.pixels[0] * 255).round().numpy(), PIXELS)
    mask = (loaded.mask.values[0] * 255).round().numpy()
    numpy.testing.assert_array_equal(mask, numpy.asarray(painted()))


async def test_a_mask_can_be_painted_on_again(site: Site) -> None:
    (site.settings.input / "cat.png").write_bytes(png(Image.fromarray(PIXELS)))
    _, first = await paint(site, "cat.png", painted())
    address = f"/api/files/input/{first['name']}"
    mask = await (await site.client.get(f"{address}?layer=mask")).read()
    assert numpy.array_equal(Image.open(io.BytesIO(mask)), painted())
    colour = await (await site.client.get(f"{address}?layer=colour")).read()
    assert numpy.array_equal(Image.open(io.BytesIO(colour)), PIXELS)
    _, second = await paint(site, first["name"], painted())
    assert second["name"] == "cat masked (2).png"


async def test_a_crop_keeps_its_part_of_the_mask(site: Site) -> None:
    (site.settings.input / "cat.png").write_bytes(png(Image.fromarray(PIXELS)))
    _, first = await paint(site, "cat.png", painted())
    address = f"/api/files/input/{first['name']}/crop?x=4&y=2&width=8&height=5"
    status, answer = await site.ask("POST", address)
    assert (status, answer["name"]) == (201, "cat cropped.png")
    with Image.open(site.settings.input / answer["name"]) as piece:
        assert numpy.array_equal(piece.convert("RGB"), PIXELS[2:7, 4:12])
        whole = 255 - numpy.asarray(painted())
        assert numpy.array_equal(piece.getchannel("A"), whole[2:7, 4:12])


@pytest.mark.parametrize(
    "address",
    ["cat.png/crop", "cat.png/crop?x=15&y=0&width=9&height=2", "cat.png/crop?width=0&height=1"],
)
async def test_a_piece_outside_of_the_picture_is_refused(site: Site, address: str) -> None:
    (site.settings.input / "cat.png").write_bytes(png(Image.fromarray(PIXELS)))
    status, _ = await site.ask("POST", f"/api/files/input/{address}")
    assert status == 400


async def test_a_mask_of_another_size_or_of_no_picture_is_refused(site: Site) -> None:
    (site.settings.input / "cat.png").write_bytes(png(Image.fromarray(PIXELS)))
    status, answer = await paint(site, "cat.png", painted(7, 7))
    assert status == 400
    assert "7 x 7" in answer["error"]["message"]
    assert (await paint(site, "nobody.png", painted()))[0] == 404
    assert (await paint(site, "..%2F..%2Fcat.png", painted()))[0] == 404
