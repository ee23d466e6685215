"""Tell sentences that were put together in English, where no reader was known, in a language."""

import re
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

_PLACE = re.compile(r"\{(\w+)\}")
_BETWEEN = re.compile(r"((?<=[.!?]) (?=[A-Z])|; |, and )")
"""What parts of a text are put apart by, where no pattern is the whole of it."""

_END = re.compile(r"[.!?] [A-Z]")
"""Where one sentence ends and another begins."""

_DEEPEST = 5
"""So often what fills a place is told anew."""

_KEPT = 4096
"""So many sentences are remembered."""


class Told:
    """Sentences by patterns: "There is no file {name}." takes whatever stands in its place.

    Longer patterns count before shorter ones. Safe for threads.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = table
        placed = [english for english in table if _PLACE.search(english)]
        placed.sort(key=lambda english: len(_PLACE.sub("", english)), reverse=True)
        self._patterns = [(_pattern(english), table[english]) for english in placed]
        self._known: dict[str, str] = {}

    def __call__(self, english: str) -> str:
        """The sentence, or the parts of it that are known; what is not known stays as it is."""
        found = self._known.get(english)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            found = self._known[english] = self._tell(english, 0)
        return found

    def _tell(self, english: str, depth: int) -> str:
        if english in self.table:
            return self.table[english]
        if depth > _DEEPEST or " " not in english:
            return english
        parts = _BETWEEN.split(english)  # every second one is what stands between
        told = [self._tell(part, depth + 1) for part in parts] if len(parts) > 1 else parts
        changed = [part != known for part, known in zip(parts[::2], told[::2], strict=True)]
        if all(changed):
            return "".join(told)
        split = "".join(told) if any(changed) else None
        for end in ("", "."):  # the last of several parts ends with that of the whole
            found = self._whole(english.removesuffix(end), depth) if english.endswith(end) else None
            # A place that takes more than one sentence is the last choice.
            if found is not None and (split is None or not found.several):
                return found.text + end
        return split or english

    def _whole(self, english: str, depth: int) -> "_Whole | None":
        """The sentence by the pattern that it fits; None where it fits none."""
        for pattern, other in self._patterns:
            if found := pattern.fullmatch(english):
                places = found.groupdict()
                filled = {name: self._tell(text, depth + 1) for name, text in places.items()}
                text = _PLACE.sub(partial(_place, filled), other)
                return _Whole(text, any(map(_END.search, places.values())))
        return None


class _Whole(NamedTuple):
    """A sentence, and whether something that fills it is more than one."""

    text: str
    several: bool


def _place(filled: Mapping[str, str], place: re.Match[str]) -> str:
    return filled[place[1]]


def _pattern(english: str) -> re.Pattern[str]:
    text = re.escape(english)
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", text), re.DOTALL)
