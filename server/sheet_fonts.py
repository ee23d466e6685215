"""Letters for a sheet that is drawn as a picture: each from the first font that has it.

Pillow's own font has Latin letters. The rest comes from the fonts that the system has; what none of
them has is told by its number, so that a label can always be read.
"""

import itertools
import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

PREFERRED = (
    # Linux and the BSDs
    *("dejavusans.ttf", "notosans-regular.ttf", "notosanscjk-regular.ttc"),
    *("notosanscjksc-regular.otf", "notosanscjkjp-regular.otf", "notosanssc-regular.otf"),
    *("sourcehansans-regular.ttc", "sourcehansanssc-regular.otf", "sourcehansanscn-regular.otf"),
    *("wqy-microhei.ttc", "wqy-zenhei.ttc", "droidsansfallbackfull.ttf", "droidsansfallback.ttf"),
    *("uming.ttc", "ipagp.ttf", "ipag.ttf", "takaopgothic.ttf", "vl-gothic-regular.ttf"),
    *("nanumgothic.ttf", "unbatang.ttf", "freesans.ttf", "lohit-devanagari.ttf", "symbola.ttf"),
    # Windows
    *("segoeui.ttf", "msyh.ttc", "simsun.ttc", "msjh.ttc", "yugothr.ttc", "meiryo.ttc"),
    *("msgothic.ttc", "malgun.ttf", "nirmala.ttc", "nirmala.ttf", "leelawui.ttf", "ebrima.ttf"),
    *("gadugi.ttf", "seguisym.ttf", "seguiemj.ttf"),
    # macOS
    *("arial unicode.ttf", "pingfang.ttc", "hiragino sans gb.ttc", "stheiti light.ttc"),
    *("ヒラギノ角ゴシック w3.ttc", "applesdgothicneo.ttc", "geezapro.ttc", "thonburi.ttc"),
    *("kohinoor.ttc", "apple symbols.ttf"),
    # what can show nearly everything, if roughly
    *("unifont.otf", "unifont.ttf"),
)
"""Names of font files in lower case, those that look best first."""

FAMILIES = ("notosans", "notonaskh")
"""Beginnings of the names of further fonts, one for each script: their regular weight is taken."""

NOBODYS = "\U0010fffe"
"""A code point that is no character and never will be: what a font shows for what it has not."""


def font_folders() -> list[Path]:
    """Where the system keeps fonts."""
    home = Path.home()
    if sys.platform == "win32":
        own = Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft" / "Windows" / "Fonts"
        return [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts", own]
    if sys.platform == "darwin":
        system = Path("/System/Library/Fonts")
        own = home / "Library" / "Fonts"
        return [system, system / "Supplemental", Path("/Library/Fonts"), own]
    shared = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    return [*shared, home / ".local" / "share" / "fonts", home / ".fonts"]


def system_fonts(folders: Sequence[Path]) -> list[Path]:
    """The font files in the folders that may have letters which others lack, the best first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for above, _, names in os.walk(folder):  # what cannot be read is passed over
            for name in names:
                found.setdefault(name.lower(), Path(above) / name)
    named = [found[name] for name in PREFERRED if name in found]
    regular = sorted(name for name in found if name.startswith(FAMILIES) and "-regular." in name)
    return list(dict.fromkeys([*named, *(found[name] for name in regular)]))


@cache
def _installed() -> tuple[Path, ...]:
    """Those of this system, looked for once."""
    return tuple(system_fonts(font_folders()))


class Lettering:
    """Measures and draws lines of text at one size, in pixels. `paths`: in place of the system's
    fonts, beside Pillow's own."""

    def __init__(self, size: int, paths: Sequence[Path] | None = None) -> None:
        from PIL import ImageFont

        self._size = size
        self._paths = iter(_installed() if paths is None else paths)
        self._fonts: list[Any] = [ImageFont.load_default(size=size)]
        self._plain: dict[int, tuple[Any, Any]] = {}
        self._chosen: dict[str, Any] = {}

    def legible(self, text: str) -> str:
        """The text as it can be drawn: letters that no font has without their accents, and where
        that does not help either as their numbers, "U+4F60"."""
        words = []
        for letters in self._runs("".join(map(self._plainer, text))):
            if self._font(letters[0]) is not None:
                words.append(letters)
            elif unknown := [one for one in letters if not _is_mark(one)]:
                words.append(f" {' '.join(f'U+{ord(one):04X}' for one in unknown)} ")
        return " ".join("".join(words).split())

    def _plainer(self, letter: str) -> str:
        if self._font(letter) is not None:
            return letter
        parts = unicodedata.normalize("NFKD", letter)
        bare = "".join(one for one in parts if not unicodedata.combining(one))
        return bare if bare and all(map(self._font, bare)) else letter

    def _runs(self, text: str) -> Iterator[str]:
        """The text in pieces that there are fonts for, and pieces that there are none for."""
        for _, letters in itertools.groupby(text, lambda one: self._font(one) is not None):
            yield "".join(letters)

    def length(self, text: str) -> float:
        """How wide a line is."""
        return sum(float(font.getlength(part)) for font, part in self._parts(text))

    def draw(self, canvas: Any, left: float, top: float, text: str, ink: Any) -> None:
        """Draw a line; `canvas` is Pillow's `ImageDraw`."""
        baseline = top + self._fonts[0].getmetrics()[0]
        for font, part in self._parts(text):
            canvas.text((left, baseline), part, fill=ink, font=font, anchor="ls")
            left += float(font.getlength(part))

    def _parts(self, text: str) -> Iterator[tuple[Any, str]]:
        """The text in pieces of one font each."""
        own = self._fonts[0]
        for _, letters in itertools.groupby(text, lambda letter: id(self._font(letter) or own)):
            part = "".join(letters)
            yield self._font(part[0]) or own, part

    def _font(self, letter: str) -> Any:
        """The first font that has the letter, None where none has."""
        if letter not in self._chosen:
            self._chosen[letter] = next(
                (font for font in self._every() if self._has(font, letter)), None
            )
        return self._chosen[letter]

    def _every(self) -> Iterator[Any]:
        """The fonts, each opened when it is first asked for."""
        from PIL import ImageFont

        yield from list(self._fonts)
        for path in self._paths:
            try:
                font = ImageFont.truetype(str(path), self._size)
            except (OSError, ValueError):  # damaged, or of pictures in one size alone
                continue
            self._fonts.append(font)
            yield font

    def _has(self, font: Any, letter: str) -> bool:
        if letter.isspace():
            return True
        if id(font) not in self._plain:
            plain = font.font_variant(layout_engine=0)  # one letter, and no dotted circle below it
            self._plain[id(font)] = plain, _shape(plain, NOBODYS)
        plain, nothing = self._plain[id(font)]
        shape = _shape(plain, letter)
        return shape[1] != b"" and shape != nothing


def _shape(font: Any, letter: str) -> tuple[Any, bytes]:
    """The letter as the font draws it; no bytes where it draws nothing."""
    mask = font.getmask(letter)
    drawn = bytes(mask)
    return mask.size, drawn if any(drawn) else b""


def _is_mark(letter: str) -> bool:
    """Whether it only changes how others are shown: joiners, directions, variants."""
    return unicodedata.category(letter) in ("Cf", "Cc") or 0xFE00 <= ord(letter) <= 0xFE0F
