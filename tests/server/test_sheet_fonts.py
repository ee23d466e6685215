"""Every label of a drawn sheet can be read, in any script and whichever fonts there are."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from server.sheet_fonts import Lettering, font_folders, system_fonts

CHINESE = "你好, fox"


def drawn(letters: Lettering, text: str) -> bytes:
    paper = Image.new("L", (400, 30), 255)
    letters.draw(ImageDraw.Draw(paper), 2, 2, text, 0)
    return paper.tobytes()


def font_with(letter: str) -> Path:
    """A font of this system that has the letter."""
    for path in system_fonts(font_folders()):
        if Lettering(13, [path]).legible(letter) == letter:
            return path
    pytest.skip(f"No font here has {letter!r}.")


def test_a_letter_that_no_font_has_is_told_by_its_number() -> None:
    letters = Lettering(13, [])
    assert letters.legible(CHINESE) == "U+4F60 U+597D , fox"
    assert letters.legible("a🦊b") == "a U+1F98A b"
    assert letters.legible("Seed 7, ok") == "Seed 7, ok"
    assert letters.legible("") == ""


def test_an_accent_that_no_font_has_is_left_out() -> None:
    assert Lettering(13, []).legible("Café ｆｏｘ") == "Cafe fox"


def test_joiners_and_variants_are_no_letters_of_their_own() -> None:
    assert Lettering(13, []).legible("a\u200db\ufe0f") == "ab"
    assert Lettering(13, []).legible("👩\u200d🚀") == "U+1F469 U+1F680"


def test_what_is_drawn_of_unknown_letters_is_their_numbers_and_no_boxes() -> None:
    letters = Lettering(13, [])
    shown = letters.legible("你好")
    assert drawn(letters, shown) == drawn(Lettering(13, []), "U+4F60 U+597D")
    assert letters.length(shown) == letters.length("U+4F60 U+597D")


def test_a_font_of_the_system_lends_the_letters_that_it_has() -> None:
    letter = "ж"
    own, lent = Lettering(13, []), Lettering(13, [font_with(letter)])
    if own.legible(letter) == letter:
        pytest.skip("Pillow's own font has Cyrillic letters by now.")
    assert own.legible("жa") == "U+0436 a"
    assert lent.legible("жa") == "жa"
    assert lent.length("жa") > lent.length("a") > 0
    assert drawn(lent, "жa") not in (drawn(lent, "aa"), drawn(lent, "a"), drawn(lent, "  a"))
    assert drawn(lent, "a") == drawn(own, "a"), "Latin letters look the same everywhere"


def test_a_damaged_font_is_passed_over(tmp_path: Path) -> None:
    damaged = tmp_path / "dejavusans.ttf"
    damaged.write_bytes(b"no font")
    good = font_with("ж")
    assert Lettering(13, [damaged, good]).legible("ж") == "ж"


def test_fonts_are_found_by_name_in_the_order_of_how_good_they_look(tmp_path: Path) -> None:
    names = (
        *("sub/NotoSansThai-Regular.ttf", "sub/NotoSansThai-Bold.ttf", "wqy-zenhei.ttc"),
        *("SEGUIEMJ.TTF", "DejaVuSans.ttf", "Comic.ttf"),
    )
    (tmp_path / "sub").mkdir()
    for name in names:
        (tmp_path / name).touch()
    found = [path.name for path in system_fonts([tmp_path, tmp_path / "nowhere"])]
    expected = ["DejaVuSans.ttf", "wqy-zenhei.ttc", "SEGUIEMJ.TTF", "NotoSansThai-Regular.ttf"]
    assert found == expected


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_system_has_its_folders(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sheet_fonts.sys.platform", platform)
    assert len(font_folders()) >= 2
