"""Every sentence of the checker is there in German, and English where a language lacks it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import graph
from graph import sentences, space_problems, values
from graph.words import Language, speaking, t
from tests.helpers.told import is_sentence, texts_of

ROOT = Path(graph.__file__).parent.parent
GERMAN = json.loads((ROOT / "server" / "languages" / "de.json").read_text("utf-8"))

TABLES = (
    *sentences.PARTS.values(),
    *space_problems._ADVICE.values(),
    *values._LIMITS.values(),
    *values._TYPES.values(),
    *("certain", "likely", "assumed", "unknown"),
)
"""Texts that are looked up by a variable."""


def _calls() -> Iterator[ast.Call]:
    for path in sorted([*(ROOT / "graph").glob("*.py"), *(ROOT / "server").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "t"
            ):
                yield node


TEXTS = {
    str(call.args[0].value) for call in _calls() if isinstance(call.args[0], ast.Constant)
} | set(TABLES)


def _places(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w+\}", text))


def test_every_sentence_of_the_checker_has_a_german_one() -> None:
    assert len(TEXTS) > 100, "the search for sentences is broken"
    assert sorted(TEXTS - set(GERMAN)) == [], "put them into server/languages/de.json"


def test_no_german_sentence_is_left_over() -> None:
    assert sorted(set(GERMAN) - TEXTS) == []


def test_both_languages_name_the_same_values() -> None:
    wrong = {text: other for text, other in GERMAN.items() if _places(text) != _places(other)}
    assert wrong == {}


def test_every_sentence_is_given_the_values_that_it_names() -> None:
    for call in _calls():
        if isinstance(call.args[0], ast.Constant):
            given = sorted(f"{{{keyword.arg}}}" for keyword in call.keywords)
            assert given == sorted(set(_places(str(call.args[0].value)))), ast.unparse(call)


AROUND = {
    *("batch", "batch_axes", "edits", "fitting", "migrations", "picture_text", "plan", "targets"),
    *(
        "cache",
        "call",
        "describe",
        "execute",
        "expand",
        "node",
        "signature",
        "types",
        "widgets",
        "wildcards",
    ),
}
"""Modules whose sentences are put together in English: for answers (`tests/server/test_told.py`),
and for those who write nodes."""


def test_no_sentence_of_the_checker_is_made_without_its_language() -> None:
    paths = [path for path in (ROOT / "graph").glob("*.py") if path.stem not in AROUND]
    assert len(paths) > 35
    made = [
        f"{path.name}: {text}"
        for path in paths
        for _, text in texts_of(path)
        if is_sentence(text) and text not in TEXTS
    ]
    assert made == []


def test_what_a_language_lacks_is_said_in_english() -> None:
    with speaking(Language("xx", {"{a} before {b}": "{b} after {a}"})):
        assert t("{a} before {b}", a=1, b=2) == "2 after 1"
        assert t("{a} alone", a="{b}") == "{b} alone"
    assert t("{a} before {b}", a=1, b=2) == "1 before 2"
