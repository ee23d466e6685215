"""Answer in the language that the page asks for, by `Accept-Language`."""

import json
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

from graph.retelling import Told
from graph.words import ENGLISH, Language, speaking
from server.errors import Handler

FOLDER = Path(__file__).parent / "languages"
"""A file a language, "de.json": the sentence for each English one.

`told/de.json` has those that are known by a pattern alone (`graph.retelling`).
"""

MOST = 200
"""So many characters of a request's list of languages are read."""


@cache
def languages() -> dict[str, Language]:
    """The languages that there are, by their tag; English is the language of the source."""
    found = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}
    return {**found, ENGLISH.tag: ENGLISH}


def _read(path: Path) -> Language:
    told = path.parent / "told" / path.name
    patterns = json.loads(told.read_text("utf-8")) if told.is_file() else {}
    return Language(path.stem, json.loads(path.read_text("utf-8")), Told(patterns))


def best_of(header: str) -> Language:
    """The language of an `Accept-Language` header that is here and weighs most, or English."""
    wanted: list[tuple[float, str]] = []
    for entry in header[:MOST].split(","):
        tag, _, weight = entry.partition(";")
        try:
            share = float(weight.partition("=")[2] or 1)
        except ValueError:
            share = 0.0
        wanted.append((-share, tag.strip().split("-")[0].lower()))
    known = languages()
    order = [tag for share, tag in sorted(wanted, key=lambda one: one[0]) if share < 0]
    return next((known[tag] for tag in order if tag in known), ENGLISH)


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let what answers the request speak its language; `?lang=` counts before the header."""
    wanted = request.query.get("lang") or request.headers.get(hdrs.ACCEPT_LANGUAGE) or ""
    with speaking(best_of(wanted)):
        return await handler(request)
