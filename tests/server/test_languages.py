"""The checker speaks the language that the page asks for."""

from pathlib import Path
from typing import Any

import pytest

from server.languages import best_of
from tests.graph.small_world import text_to_image
from tests.server.site import site_at


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("fr, en;q=0.2", "en"),
        ("de;q=0", "en"),
        (";;;,q=,=", "en"),
        ("de;q=x", "en"),
    ],
)
def test_the_language_is_the_one_that_weighs_most_and_is_here(header: str, tag: str) -> None:
    assert best_of(header).tag == tag


async def test_a_problem_is_told_in_german_with_the_same_code_and_fixes(tmp_path: Path) -> None:
    mixed_up = text_to_image("starter.safetensors", "starter-b.safetensors").to_json()
    async with site_at(tmp_path) as site:
        _, english = await site.post("/api/check", {"workflow": mixed_up})
        _, german = await site.post("/api/check?lang=de", {"workflow": mixed_up})
        status, refused = await site.post("/api/runs?lang=de", {"workflow": mixed_up})
        _, again = await site.post("/api/check", {"workflow": mixed_up})
    assert {**again, "base": english["base"]} == english, "a language stays behind"
    assert (status, refused["problems"]) == (422, german["problems"])
    for ours, theirs in zip(german["problems"], english["problems"], strict=True):
        assert (ours["code"], ours["parameters"]) == (theirs["code"], theirs["parameters"])
        assert [_edits(fix) for fix in ours["fixes"]] == [_edits(fix) for fix in theirs["fixes"]]
        assert ours["message"] != theirs["message"]
    assert "Was hier ankommt" in german["problems"][0]["message"]


def _edits(fix: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What the fix does, and where; a node that it adds is titled in the reader's language."""
    return [
        (edit["op"], edit.get("node") if edit["op"] != "add_node" else edit["id"])
        for edit in fix["edits"]
    ]
