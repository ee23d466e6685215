"""The workflow inside a PNG is found by reading a few bytes."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from server.png import SIGNATURE, BadPng, text_of


def picture(**texts: tuple[str, bool]) -> io.BytesIO:
    """A small PNG by Pillow; `texts` maps a keyword to its text and whether it is packed."""
    info = PngInfo()
    for keyword, (text, packed) in texts.items():
        info.add_text(keyword, text, zip=packed)
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=info)
    file.seek(0)
    return file


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("text", ['{"nodes": {}}', '{"text": "ein Stern ★ 星"}'])
def test_the_text_that_pillow_wrote_is_read_back(text: str, packed: bool) -> None:
    assert text_of(picture(other=("no", False), latent_loom=(text, packed))) == text


def test_a_picture_without_the_text_says_so() -> None:
    assert text_of(picture(parameters=("a cat", False))) is None
    assert text_of(picture(latent_loom_2=("no", False))) is None


def test_picture_data_is_skipped_however_much_it_is() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    data = SIGNATURE + chunk(b"IHDR", b"\0" * 13) + chunk(b"IDAT", b"\0" * 10_000_000)
    file = Counting(data + chunk(b"tEXt", b"latent_loom\0{}") + chunk(b"IEND", b""))
    assert text_of(file) == "{}"
    assert file.count < 200


def test_a_bomb_in_the_text_is_refused_before_it_is_unpacked() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)
    data = SIGNATURE + chunk(b"zTXt", b"latent_loom\0\0" + bomb) + chunk(b"IEND", b"")
    with pytest.raises(BadPng, match="longer than 1 MiB"):
        text_of(io.BytesIO(data), limit=2**20)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        SIGNATURE,
        SIGNATURE + b"\0\0",
        SIGNATURE + struct.pack(">I4s", 2**32 - 1, b"IDAT"),
        SIGNATURE + chunk(b"iTXt", b"latent_loom\0\1\0\0"),
        SIGNATURE + chunk(b"iTXt", b"latent_loom\0"),
        SIGNATURE + chunk(b"iTXt", b"latent_loom\0\0\0\0\0\xff\xfe"),
        SIGNATURE + chunk(b"zTXt", b"latent_loom\0\0not zlib"),
        SIGNATURE + struct.pack(">I4s", 10**6, b"tEXt") + b"latent_",
    ],
)
def test_a_damaged_file_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(BadPng, match=r"\.$"):
        text_of(io.BytesIO(data))


def test_every_cut_of_a_real_picture_is_refused_or_read() -> None:
    whole = picture(latent_loom=('{"nodes": {}}', True)).getvalue()
    for length in range(len(whole)):
        try:
            assert text_of(io.BytesIO(whole[:length])) == '{"nodes": {}}'
        except BadPng:
            continue
