"""Pictures come in safely, and files go out so that no browser takes them for a page."""

import io
import struct
import warnings
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from server.errors import BadRequest, TooLarge
from server.pictures import suffix_of, thumbnail
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path, max_upload=2_000_000, max_pixels=4_000_000) as site:
        yield site


def picture(size: tuple[int, int] = (40, 20), kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, kind, **options)
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it has many pixels, and has them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


async def upload(site: Site, data: bytes, name: str = "cat.png") -> tuple[int, Any]:
    form = FormData(quote_fields=False)  # as browsers send names
    form.add_field("file", data, filename=name)
    return await site.ask("POST", "/api/files/input", data=form)


def leftovers(site: Site) -> list[Path]:
    return list(site.settings.temp.rglob("*.part")) + list(site.settings.input.glob(".*"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
async def test_a_picture_is_kept_and_can_be_looked_at(site: Site, kind: str) -> None:
    data = picture(kind=kind)
    status, answer = await upload(site, data, "my cat.anything")
    assert status == 201
    assert answer["name"].startswith("my cat.")
    async with site.client.get(answer["url"]) as sent:
        assert sent.status == 200
        assert await sent.read() == data
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert not leftovers(site)


async def test_a_second_picture_of_the_same_name_does_not_replace_the_first(site: Site) -> None:
    _, first = await upload(site, picture((8, 8)))
    _, second = await upload(site, picture((9, 9)))
    assert (first["name"], second["name"]) == ("cat.png", "cat (2).png")
    assert Image.open(site.settings.input / "cat.png").size == (8, 8)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../evil.png", "evil.png"),
        ("..\\evil.png", "evil.png"),
        ("page.html", "page.png"),
        ("script.svg", "script.png"),
        ("", "picture.png"),
    ],
)
async def test_the_name_of_an_upload_is_tidied(site: Site, name: str, kept: str) -> None:
    status, answer = await upload(site, picture(), name)
    assert (status, answer.get("name")) == (201, kept)
    assert (site.settings.input / kept).is_file()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        picture()[:60],
        picture(kind="JPEG")[:200],
        b"GIF89a" + b"\0" * 20,
        b"%!PS-Adobe-3.0 EPSF-3.0\n",  # Pillow would start Ghostscript for it
    ],
    ids=["empty", "html", "svg", "png start", "png cut", "jpeg cut", "gif", "postscript"],
)
async def test_what_is_no_picture_is_refused(site: Site, data: bytes) -> None:
    status, answer = await upload(site, data)
    assert status == 400
    assert "cat.png is not a picture" in answer["error"]["message"]
    assert list(site.settings.input.iterdir()) == []
    assert not leftovers(site)


async def test_a_decompression_bomb_is_refused_before_it_is_unpacked(site: Site) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in ((4000, 4000), (30_000, 30_000)):
            data = bomb(*size)
            assert len(data) < 200_000
            status, answer = await upload(site, data)
            assert status == 413
            assert "million pixels" in answer["error"]["message"]
    assert not leftovers(site)


async def test_too_many_bytes_are_refused_and_not_kept(site: Site) -> None:
    status, answer = await upload(site, b"\0" * 2_500_000)
    assert status == 413
    assert answer["error"]["code"] == "too_large"
    assert not leftovers(site)


async def test_too_many_bytes_of_unknown_length_are_refused(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(100):
            yield b"\0" * 100_000

    status, answer = await site.ask(
        "POST",
        "/api/files/input",
        data=endless(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert status == 413
    assert answer["error"]["code"] == "too_large"
    assert not leftovers(site)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon here\r\n\r\nabc\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\na\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
            b"Content-Transfer-Encoding: nonsense\r\n\r\nabc\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
            b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/api/files/input", "/api/workflows/read"])
async def test_a_damaged_form_is_refused_with_a_sentence(
    site: Site, path: str, kind: str, body: bytes
) -> None:
    status, answer = await site.ask("POST", path, data=body, headers={"Content-Type": kind})
    assert status == 400
    assert answer["error"]["message"].endswith(".")
    assert not leftovers(site)


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "code.js", "x.xml", "y.xhtml", "z"])
async def test_no_file_of_a_user_is_served_as_a_page_or_script(site: Site, name: str) -> None:
    (site.settings.output / name).write_text("<script>alert(1)</script>")
    async with site.client.get(f"/api/files/output/{name}") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_files_are_served_from_subfolders_and_with_any_name(site: Site) -> None:
    folder = site.settings.output / "2026 ё"
    folder.mkdir()
    (folder / 'a "b" #1%.png').write_bytes(picture())
    async with site.client.get("/api/files/output/2026 ё/a %22b%22 %231%25.png") as answer:
        assert answer.status == 200
        assert answer.content_type == "image/png"


@pytest.mark.parametrize(
    "path",
    [
        "/api/files/output/nothing.png",
        "/api/files/output/..%2Fqueue.sqlite",
        "/api/files/output/%2e%2e/queue.sqlite",
        "/api/files/output/..%5Cqueue.sqlite",
        "/api/files/output//etc/passwd",
        "/api/files/output/%2Fetc%2Fpasswd",
        "/api/files/output/C:%5Cx",
        "/api/files/output/a%00.png",
        "/api/files/output/%ff",
        "/api/files/secret/a.png",
        "/api/files/..%2F..%2F/a.png",
        "/api/files/output/" + "a" * 4000,
    ],
)
async def test_no_path_leads_out_of_the_folders(site: Site, path: str) -> None:
    from yarl import URL

    url = site.client.make_url("/").join(URL(path, encoded=True))
    async with site.client.session.get(url) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["message"].endswith(".")


async def test_a_link_out_of_the_folder_is_not_followed(site: Site) -> None:
    try:
        (site.settings.output / "link.png").symlink_to(site.settings.database)
    except OSError:
        pytest.skip("this system does not let us make symbolic links")
    status, _ = await site.get("/api/files/output/link.png")
    assert status == 404


async def test_a_thumbnail_is_small_and_made_once(site: Site) -> None:
    source = site.settings.output / "big.png"
    source.write_bytes(picture((1000, 500)))
    for _ in range(2):
        async with site.client.get("/api/files/output/big.png?thumbnail=256") as answer:
            assert answer.status == 200
            assert answer.content_type == "image/webp"
            small = Image.open(io.BytesIO(await answer.read()))
    assert small.size == (256, 128)
    cache = site.settings.temp / "thumbnails"
    assert len(list(cache.iterdir())) == 1

    source.write_bytes(picture((500, 1000)))
    async with site.client.get("/api/files/output/big.png?thumbnail=256") as answer:
        assert Image.open(io.BytesIO(await answer.read())).size == (128, 256)


@pytest.mark.parametrize("size", ["0", "15", "1025", "-1", "big", "1e2", "", "9" * 5000])
async def test_an_odd_thumbnail_size_is_refused(site: Site, size: str) -> None:
    (site.settings.output / "a.png").write_bytes(picture())
    status, answer = await site.get("/api/files/output/a.png", params={"thumbnail": size})
    assert status == 400
    assert "thumbnail" in answer["error"]["message"]


async def test_a_thumbnail_of_what_is_no_picture_is_refused(site: Site) -> None:
    (site.settings.output / "a.txt").write_text("text")
    (site.settings.output / "bomb.png").write_bytes(bomb(4000, 4000))
    status, answer = await site.get("/api/files/output/a.txt?thumbnail=64")
    assert (status, answer["error"]["code"]) == (400, "bad_request")
    status, answer = await site.get("/api/files/output/bomb.png?thumbnail=64")
    assert (status, answer["error"]["code"]) == (413, "too_large")


def test_a_thumbnail_stands_upright_and_keeps_transparency(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    lying = tmp_path / "lying.jpg"
    Image.new("RGB", (400, 200)).save(lying, exif=exif)
    clear = tmp_path / "clear.png"
    Image.new("RGBA", (64, 64), (0, 255, 0, 0)).save(clear)
    cache = tmp_path / "cache"
    assert Image.open(thumbnail(lying, "lying", 100, cache, 10**6)).size == (50, 100)
    small = Image.open(thumbnail(clear, "clear", 32, cache, 10**6))
    assert small.getpixel((5, 5))[3] == 0


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_every_cut_of_a_picture_is_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = picture((9, 7), kind)
        for length in range(0, len(whole), 7):
            path.write_bytes(whole[:length])
            try:
                assert suffix_of(path, "cut", 10**6).startswith(".")
            except (BadRequest, TooLarge):
                continue


@pytest.mark.parametrize(
    ("name", "data", "kept"),
    [
        ("prompts.txt", b"a red disc\na blue ring\n", "prompts.txt"),
        ("table.CSV", b'text,steps\n"a, b",3\n', "table.csv"),
        ("marked.csv", b"\xef\xbb\xbftext\nk\xc3\xb6nig\n", "marked.csv"),
        ("../../etc/list.txt", b"one\n", "list.txt"),
    ],
)
async def test_a_list_or_table_is_kept_and_never_sent_as_a_page(
    site: Site, name: str, data: bytes, kept: str
) -> None:
    status, answer = await upload(site, data, name)
    assert (status, answer["name"]) == (201, kept)
    assert (site.settings.input / kept).read_bytes() == data
    async with site.client.get(answer["url"]) as sent:
        assert await sent.read() == data
        plain = ("text/plain; charset=utf-8", "application/octet-stream")
        assert sent.headers["Content-Type"] in plain
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in sent.headers["Content-Security-Policy"]
    assert not leftovers(site)


async def test_a_page_that_calls_itself_a_list_is_sent_as_plain_text(site: Site) -> None:
    status, answer = await upload(site, b"<script>alert(1)</script>", "page.txt")
    assert status == 201
    async with site.client.get(answer["url"]) as sent:
        assert sent.headers["Content-Type"] == "text/plain; charset=utf-8"
    status, _ = await upload(site, b"<script>alert(1)</script>", "page.html")
    assert status == 400


@pytest.mark.parametrize("data", [b"\xff\xfet\0e\0x\0t\0", b"k\xf6nig", b"one\0two", picture()])
async def test_what_is_no_text_is_refused_as_a_list(site: Site, data: bytes) -> None:
    status, answer = await upload(site, data, "list.txt")
    assert status == 400
    assert "list.txt is no" in answer["error"]["message"]
    assert not leftovers(site)


async def test_a_list_that_no_batch_would_read_is_too_large(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.text_files.LARGEST", 1000)
    status, _ = await upload(site, b"x" * 1001, "list.csv")
    assert status == 413
    assert not leftovers(site)
