"""Every bad file is told at the right node, under a stable code, before anything runs."""

import asyncio
import json
from pathlib import Path

import pytest

from graph.check import check
from graph.edits import apply
from graph.problem import Problem
from server.catalogue import Catalogue
from server.headless import check_file
from server.keys import CATALOGUE
from server.settings import Settings
from server.worker_library import keep_library, library_version
from server.worker_messages import Library
from tests.diffusion.files import known_shapes, write_zeros
from tests.helpers import fake_worker
from tests.helpers.every_space import definitions
from tests.server.bad_files import CASES, PLAIN, SD15, TINY_DECODER, Case
from tests.server.site import STOOD_IN, site_at

FOLLOWING = ("unresolved_space", "space_mismatch", "missing_part")


def models_at(folder: Path, case: Case) -> Path:
    models = folder / "models"
    write_zeros(models / "checkpoints" / "good.safetensors", SD15)
    write_zeros(models / "vae" / "good.safetensors", known_shapes("vae_kl_f8_z4_ldm"))
    (folder / "input").mkdir()
    (folder / "input" / "cat.png").write_bytes(b"png")
    case.write(models)
    return models


def told(problems: list[Problem] | tuple[Problem, ...], case: Case) -> Problem:
    errors = [item for item in problems if item.severity == "error"]
    (found,) = [item for item in errors if item.code == case.code]
    assert (found.node, found.socket) == case.at, found.message
    # What follows from it may be told too: nothing says a space now, or it is another one.
    assert {item.code for item in errors} <= {case.code, *FOLLOWING}
    assert found.parameters.get("reason", "") == case.reason
    assert case.words in found.message
    assert found.message.endswith((".", "OLD NEW.safetensors"))
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_one_problem_where_it_is_with_what_to_do(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    files = Catalogue([models_at(tmp_path, case)], tmp_path / "input", tmp_path / "cache.json")
    result = check(case.flow, definitions(), files)
    problem = told(result.problems, case)
    assert not result.runnable
    for fix in problem.fixes:
        after = check(apply(case.flow, fix.edits), definitions(), files)
        places = [(item.code, item.node, item.socket) for item in after.problems]
        assert (problem.code, problem.node, problem.socket) not in places, fix.title


TYPED = [name for name, case in CASES.items() if case.code in ("not_runnable", "damaged_model")]


@pytest.mark.parametrize("name", [name for name in TYPED if CASES[name].flow is PLAIN])
def test_a_checkpoint_that_cannot_be_run_keeps_its_types(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    files = Catalogue([models_at(tmp_path, case)], tmp_path / "input", tmp_path / "cache.json")
    result = check(case.flow, definitions(), files)
    expected = None if case.reason == "unknown" else ("sd1",)
    assert result.bindings["sampler"]["S"] == expected


def test_what_is_kept_between_starts_says_the_same(tmp_path: Path) -> None:
    case = CASES["8-bit weights with scales"]
    models = models_at(tmp_path, case)
    write_zeros(models / "vae" / "half.safetensors", TINY_DECODER)

    def facts() -> list[object]:
        files = Catalogue([models], tmp_path / "input", tmp_path / "cache.json")
        files.refresh()
        return [
            files.facts("checkpoints", "bad.safetensors"),
            files.facts("vae", "half.safetensors"),
        ]

    first = facts()
    assert facts() == first
    assert "scaled_weights" in json.dumps(json.loads((tmp_path / "cache.json").read_text()))


SOME = ["a variant that cannot be run yet", "a LoRA", "a checkpoint without VAE", "a GGUF file"]


@pytest.mark.parametrize("name", SOME)
async def test_the_page_the_queue_and_the_command_line_say_the_same(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    models_at(tmp_path, case)
    workflow = case.flow.to_json()
    async with site_at(tmp_path) as site:
        catalogue = site.client.app[CATALOGUE]
        for stood_in in STOOD_IN:
            delattr(catalogue, stood_in)
        site.worker.library = Library(version="real", nodes=definitions(), packs=())
        status, answer = await site.post("/api/check", {"workflow": workflow})
        assert (status, answer["runnable"]) == (200, False)
        told([Problem.model_validate(item) for item in answer["problems"]], case)
        status, refused = await site.post("/api/runs", {"workflow": workflow})
        assert (status, refused["problems"]) == (422, answer["problems"])
        _, models = await site.get("/api/models")
    bad = [item for found in models.values() for item in found if item["name"].startswith("bad.")]
    assert [bool(item["flaws"]) or bool(item["trouble"]) for item in bad] == [
        case.code != "missing_part"
    ]
    settings = Settings.of(tmp_path)
    library = Library(version=library_version(settings), nodes=definitions(), packs=())
    keep_library(settings, library)
    saved = tmp_path / "flow.json"
    saved.write_text(json.dumps(workflow))
    code = await asyncio.to_thread(check_file, settings, saved, True, fake_worker.broken)
    printed = json.loads(capsys.readouterr().out)
    assert (code, printed["problems"]) == (1, answer["problems"])
