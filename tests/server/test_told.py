"""Sentences that the server puts together in English reach a German reader in German."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from diffusion.families.advice import ADVICE
from graph.retelling import Told
from graph.words import Language, retold, speaking
from server.languages import languages
from tests.helpers.told import is_sentence, texts_of
from tests.server.site import site_at

ROOT = Path(__file__).parents[2]
GERMAN = languages()["de"]

ELSEWHERE = {
    "app", "catalogue_inspect", "command_line", "editor_build", "file_lock", "headless",
    "headless_batch", "headless_desk", "headless_values", "node_languages", "openapi",
    "process_memory", "serve", "settings", "sheet_fonts", "sheet_page", "template_words", "verify",
}  # fmt: skip
"""Modules that speak to who started the program, on sheets, and in the log."""

GRAPH = "batch", "batch_axes", "edits", "fitting", "migrations", "picture_text", "plan", "targets"

MODULES = (
    *(
        path
        for path in sorted((ROOT / "server").glob("*.py"))
        if path.stem not in ELSEWHERE and not path.stem.startswith(("worker", "ray_"))
    ),
    *sorted((ROOT / "server" / "routes").glob("*.py")),
    *sorted((ROOT / "server" / "queue").glob("*.py")),
    *sorted((ROOT / "diffusion" / "identity").glob("*.py")),
    *(ROOT / "graph" / f"{name}.py" for name in (*GRAPH, "wildcards")),
    ROOT / "diffusion" / "header.py",
)
"""Where sentences are made that reach a page, beside those of the checker (`graph.words.t`)."""

UNREAD = re.compile(
    r"%s|\b(SELECT|INSERT|UPDATE|CREATE)\b|^<|<!doctype|default-src|python -c|cookie \{"
    r"|running, reason|id, status, workflow|picture\.number"
)
"""Logs, SQL, pages, headers and commands."""

PIECES = {
    " (and {value} more)", " and of {value} more", " while the node {value} was running",
    "In its {part}: ", "At {place}: it ", ", and choose {value} here", "no place in {title}",
    "missing of the {total} of {title}", "another shape than in {title}",
    "{name} names the latent space {space}", "The editor is not built",
    "The model files could not be compared.", "What became of a run could not be written.",
    "It is written.", " A newer version of this program wrote this file: update it.",
    "{owner}{value} Download it again, or get another version.",
    "{owner} is stored as {words}, which this version cannot read yet. {another}",
    "Its diffusion model is of no family that this version knows{near}: choose another model, or "
    "get another version of this one.",
    "It was recognised as {title}, which this version cannot run yet{because}: choose another "
    "model.",
    "The worker was ended{where}, because it took {value} GB of memory and --worker-memory allows "
    "{value2} GB. Make the picture or the batch smaller, or allow more.",
    "The worker process died{during}: {reason}. {where}",
}  # fmt: skip
"""Pieces of sentences, which are told as a whole below, and what stops the program's start."""

WHOLE = (
    "The query is not of the right form: limit: too large (and 3 more).",
    "its encoder is that of a.safetensors and of 2 more",
    "The worker process died while the node K (k) was running: code 3. Its log is a.log.",
    "In its VAE: 2 are missing of the 248 of SDXL (a, b). It is probably a SDXL that was pruned or "
    "not saved whole. Download it again, or get another version.",
    "This is not a workflow. At nodes: it must be a whole number from 1 up.",
    "1 has another shape than in SDXL (a); 3 have no place in SDXL (b, c, d).",
    "a.safetensors is a VAE: move it to models/vae, and choose a LoRA here.",
    "But the hash of a known file says SDXL (it is the published file x); its metadata says SD2.",
    "its encoder is that of a, and its metadata names the architecture b",
    "Its VAE is stored as 4-bit numbers packed by bitsandbytes, which this version cannot read yet."
    " Get another version of it, in fp16, bf16 or plain fp8.",
    "Its diffusion model is of no family that this version knows (nearest is SDXL, but there is no"
    " a.b): choose another model, or get another version of this one.",
    "It was recognised as SDXL, which this version cannot run yet, since its sizes are those of no"
    " known one: choose another model.",
    "The worker was ended while the node K (k) was running, because it took 3.0 GB of memory and"
    " --worker-memory allows 2.0 GB. Make the picture or the batch smaller, or allow more.",
    "The worker process died: it gave no sign of life although nothing ran in it. Its log is a.",
    "But what its header says says SD 1.x; a trial of what it does says SDXL (the file says so).",
    "This does not have the form of version 1 of the workflow form. A newer version of this program"
    " wrote this file: update it.",
)
"""Sentences that are put together from pieces, as a person reads them."""


def _made() -> Iterator[tuple[str, str]]:
    for path in MODULES:
        for node, text in texts_of(path):
            if is_sentence(text) and not UNREAD.search(text) and text not in PIECES:
                yield f"{path.name}:{getattr(node, 'lineno', 0)}", text


MADE = dict(_made())


def _filled(text: str) -> str:
    """A sentence with something in each of its places that no language knows."""
    return re.sub(r"\{\w+\}", "Xq7", text)


def _told(text: str) -> str:
    with speaking(GERMAN):
        return retold(text)


def _words(text: str) -> set[str]:
    """The words that only English has: told sentences hold none of them."""
    english = "the|this|that|which|is|are|has|have|its|cannot|with|there|and|not|than|from|while"
    quoted = re.sub(r"`[^`]*`|„[^“]*“|'[^']*'|--\S+", "", text)
    return set(re.findall(rf"\b(?:{english})\b", quoted.lower()))


def test_every_sentence_that_the_server_makes_is_told_in_german() -> None:
    assert len(MADE) > 150, "the search for sentences is broken"
    left = {
        place: text
        for place, text in MADE.items()
        if (told := _told(_filled(text))) == _filled(text) or _words(told)
    }
    assert left == {}, "put them into server/languages/told/de.json"


@pytest.mark.parametrize("sentence", WHOLE)
def test_a_sentence_made_of_pieces_is_told_as_a_whole(sentence: str) -> None:
    assert not _words(_told(sentence)), _told(sentence)


def test_every_warning_of_a_setting_is_told_in_german() -> None:
    reasons = {avoid.why for advice in ADVICE.values() for avoid in advice.avoid}
    assert len(reasons) >= 5
    assert [why for why in reasons if _told(why) == why] == []


def test_both_languages_have_the_same_places() -> None:
    assert GERMAN.told is not None
    places = {
        english: (set(re.findall(r"\{\w+\}", english)), set(re.findall(r"\{\w+\}", german)))
        for english, german in GERMAN.told.table.items()
    }
    assert {english: both for english, both in places.items() if both[0] != both[1]} == {}


def test_no_german_sentence_is_left_over() -> None:
    """Three words in a row that no source has are those of a sentence that is made no more."""
    assert GERMAN.told is not None
    paths = (*MODULES, *sorted((ROOT / "diffusion" / "families").glob("*.py")))
    sources = " ".join(path.read_text("utf-8") for path in (*paths, Path(__file__)))
    made = set(_threes(re.sub(r'"\s*f?"', "", sources)))
    left = {
        english: missing
        for english in GERMAN.told.table
        if (threes := [three for part in re.split(r"\{\w+\}", english) for three in _threes(part)])
        and (missing := [three for three in threes if three not in made])
        and len(missing) > len(threes) / 2
    }
    assert left == {}


def _threes(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"[a-z]+", text.lower())
    return list(zip(words, words[1:], words[2:], strict=False))


def test_what_is_not_known_stays_and_what_fills_a_place_is_told_anew() -> None:
    told = Told({"No {part} in {name}.": "In {name} kein {part}.", "text encoder": "Textencoder"})
    with speaking(Language("xx", {}, told)):
        assert retold("No text encoder in a.b.") == "In a.b kein Textencoder."
        assert retold("No X in Y. Nobody knows this.") == "In Y kein X. Nobody knows this."
        assert retold("One, and another; a third. Done.") == "One, and another; a third. Done."
    assert retold("No text encoder in a.b.") == "No text encoder in a.b."


async def test_a_refusal_is_told_in_the_language_of_the_request(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        status, german = await site.get("/api/runs/nothing?lang=de")
        _, english = await site.get("/api/runs/nothing")
        _, gallery = await site.get("/api/gallery?lang=de&limit=x")
    assert status == 404
    assert german["error"]["code"] == english["error"]["code"] == "unknown_run"
    assert german["error"]["message"] == "Es gibt keinen Lauf 'nothing'."
    assert english["error"]["message"] == "There is no run 'nothing'."
    assert "Die Abfrage hat nicht die richtige Form" in gallery["error"]["message"]
