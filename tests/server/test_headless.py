"""Workflows run and are checked from the command line, without a page."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffusion.identity.hashes import file_hash
from graph.definition import NodeDefinition
from graph.migrations import load
from graph.node import nodes_of
from graph.workflow import Workflow
from server import headless
from server.catalogue_identity import identities_of
from server.headless import check_file, inspect_file, run_file
from server.headless_values import BadAssignment, assigned
from server.settings import Settings
from server.worker_client import Entry
from server.worker_library import keep_library, library_version
from server.worker_messages import Pack
from tests.helpers import fake_worker
from tests.helpers.workflows import text_to_image
from tests.server import vae_shelf
from tests.server.site import LIBRARY, site_at

# --- setting values


@pytest.fixture(scope="module")
def definitions() -> dict[str, NodeDefinition]:
    from nodes import images, latents, loaders, sampling, text, vae

    return dict(nodes_of([images, latents, loaders, sampling, text, vae]).definitions)


@pytest.fixture
def workflow() -> Workflow:
    return load(text_to_image()).workflow


@pytest.mark.parametrize(
    ("assignment", "node", "name", "value"),
    [
        ("KSampler.seed=7", "5", "seed", 7),
        ("5.seed=18446744073709551615", "5", "seed", 2**64 - 1),
        ("ksampler.CFG=3", "5", "cfg", 3),
        ("KSampler.sampler=heun", "5", "sampler", "heun"),
        ("Prompt.text=a = b.c", "2", "text", "a = b.c"),
        ("3.text=7", "3", "text", "7"),
        ("3.text=", "3", "text", ""),
        ("Empty Latent.Width=256", "4", "width", 256),
        ("Load Checkpoint.file=x/y.safetensors", "1", "file", "x/y.safetensors"),
    ],
)
def test_values_are_set_by_id_or_title_and_read_as_the_widget_wants(
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    assignment: str,
    node: str,
    name: str,
    value: Any,
) -> None:
    before = workflow.to_text()
    changed = assigned(workflow, definitions, [assignment])
    assert changed.nodes[node].values[name] == value
    assert workflow.to_text() == before


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("seed=7", "NODE.VALUE=X"),
        ("KSampler.seed", "NODE.VALUE=X"),
        (".seed=7", "NODE.VALUE=X"),
        ("Sampler.seed=7", r"no node 'Sampler'. There are: .*KSampler \(5\)"),
        ("KSampler.sed=7", "no value 'sed'. It has: seed, steps"),
        ("KSampler.seed=seven", "must be a whole number"),
        ("KSampler.seed=1.0", "must be a whole number"),
        ("KSampler.seed=-1", "at least 0"),
        ("KSampler.cfg=NaN", "must be a number"),
        ("KSampler.sampler=eulr", "must be one of"),
        ("Empty Latent.width=100", "multiple of 8"),
    ],
)
def test_an_assignment_that_means_nothing_is_refused_with_what_would(
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    assignment: str,
    complaint: str,
) -> None:
    with pytest.raises(BadAssignment, match=complaint):
        assigned(workflow, definitions, [assignment])


def test_two_nodes_of_one_title_are_told_apart_by_id(
    workflow: Workflow, definitions: dict[str, NodeDefinition]
) -> None:
    workflow.nodes["2"].title = workflow.nodes["3"].title = ""
    with pytest.raises(BadAssignment, match=r"2 nodes are called .* one of 2, 3"):
        assigned(workflow, definitions, ["CLIP Text Encode.text=x"])


def test_a_value_that_comes_along_a_wire_cannot_be_set(
    workflow: Workflow, definitions: dict[str, NodeDefinition]
) -> None:
    changed = workflow.to_json()
    changed["nodes"]["5"]["inputs"]["seed"] = {"node": "9", "output": "integer"}
    with pytest.raises(BadAssignment, match="comes along a wire"):
        assigned(load(changed).workflow, definitions, ["KSampler.seed=7"])


# --- the commands


@pytest.fixture
def tiny(settings: Settings, tiny_models: Path) -> Settings:
    return Settings.of(data=settings.data, models=(tiny_models,), device="cpu", precision="float32")


def written(path: Path, workflow: dict[str, Any]) -> Path:
    path.write_text(json.dumps(workflow), "utf-8")
    return path


def test_a_workflow_runs_and_the_picture_runs_again(
    tiny: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pictures"
    file = written(tmp_path / "w.json", text_to_image())
    assert run_file(tiny, file, ["KSampler.seed=7"], out) == 0
    said = capsys.readouterr()
    (path,) = map(Path, said.out.split())
    assert path.is_relative_to(out)
    assert path.is_file()
    assert "KSampler" in said.err
    assert not list(tiny.output.iterdir())

    # the picture holds its workflow, seed and all
    again = tmp_path / "again.png"
    shutil.copy(path, again)
    assert run_file(tiny, again, out=out) == 0
    (second,) = map(Path, capsys.readouterr().out.split())
    assert second != path
    assert "_7_" in second.name

    # and checking needs no worker now, since the definitions are kept
    assert check_file(tiny, again, entry=fake_worker.broken) == 0
    assert "no problems" in capsys.readouterr().out


def test_a_run_that_does_not_check_says_all_that_is_wrong_and_runs_nothing(
    tiny: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = text_to_image("nowhere.safetensors", steps=0)
    assert run_file(tiny, written(tmp_path / "w.json", workflow)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "nowhere.safetensors" in said.err
    assert "KSampler (5)" in said.err
    assert "Traceback" not in said.err


def test_check_gives_problems_as_json(
    tiny: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workflow = text_to_image("nowhere.safetensors")
    assert check_file(tiny, written(tmp_path / "w.json", workflow), json_output=True) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any(problem["node"] == "1" for problem in problems)
    assert {"code", "severity", "node", "socket", "message", "because", "fixes"} <= set(problems[0])


async def test_check_gives_what_the_api_gives(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"version": library_version(settings), "packs": ()}
    keep_library(settings, LIBRARY.model_copy(update=kept))
    newer = {
        "version": 99,
        "nodes": {"a": {"type": "odd"}, "k": {"type": "k_sampler", "values": {"steps": 0}}},
    }
    file = written(tmp_path / "w.json", newer)
    code = await asyncio.to_thread(check_file, settings, file, True, fake_worker.broken)
    async with site_at(tmp_path) as site:
        _, answer = await site.post("/api/check", {"workflow": newer})
    told = json.loads(capsys.readouterr().out)
    assert told == {"problems": answer["problems"]}
    assert {"newer_file", "unknown_node"} <= {problem["code"] for problem in told["problems"]}
    assert (code == 0) == answer["runnable"]


def test_a_pack_that_failed_before_is_tried_again(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = {"version": library_version(settings), "packs": (Pack(name="p", error="no"),)}
    keep_library(settings, LIBRARY.model_copy(update=broken))
    file = written(tmp_path / "w.json", {"nodes": {}})
    assert check_file(settings, file, entry=fake_worker.broken) == 1
    assert "exited with code 7" in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = Settings.of(data=tmp_path / "file" / "data")
    file = written(tmp_path / "w.json", {"nodes": {}})
    for command in (run_file, check_file):
        assert command(settings, file, entry=fake_worker.broken) == 1
        assert "--data" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "no JSON"),
        (b"[1]", "a list"),
        (b'{"nodes": 3}', "nodes"),
        (b"\x80abc", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n", "cut off"),
    ],
)
@pytest.mark.parametrize("command", [run_file, check_file])
def test_a_file_that_is_no_workflow_is_refused_in_words(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: Any,
    content: bytes,
    complaint: str,
) -> None:
    path = tmp_path / "w.json"
    path.write_bytes(content)
    assert command(settings, path, entry=fake_worker.main) == 1
    assert complaint in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_file(settings, tmp_path / "nowhere.json") == 1
    assert "nowhere.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [(fake_worker.broken, "exited with code 7"), (fake_worker.main, "exited with code 3")],
)
def test_a_worker_that_dies_ends_the_command_in_words(
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    entry: Entry,
    complaint: str,
) -> None:
    monkeypatch.setattr(headless, "_problems", lambda *_: ((), True))
    file = written(tmp_path / "w.json", {"nodes": {"a": {"type": "exit"}}})
    assert run_file(settings, file, entry=entry) == 1
    assert complaint in capsys.readouterr().err


def test_inspect_says_what_a_file_is(
    settings: Settings, tiny_models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny_models / "checkpoints" / "tiny.safetensors"
    assert inspect_file(settings, path, json_output=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["latent_space"]) == ("checkpoint", "tiny")
    assert inspect_file(settings, path) == 0
    assert "tiny" in capsys.readouterr().out
    assert inspect_file(settings, tiny_models / "checkpoints" / "old.ckpt") == 1
    assert "pickle" in capsys.readouterr().err
    assert inspect_file(settings, tiny_models / "nowhere") == 1


def test_inspect_tries_a_doubtful_vae_and_says_what_every_layer_found(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = vae_shelf.tiny(tmp_path / "elsewhere" / "x.safetensors")
    assert inspect_file(settings, path, json_output=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["latent_space"], found["certainty"]) == (["sd1", "sdxl"], "unknown")
    assert [item["layer"] for item in found["layers"]] == ["header", "probe"]
    assert found["contradiction"] is None
    assert inspect_file(settings, path) == 0
    assert "- probe: cannot tell (" in capsys.readouterr().out


def test_check_goes_by_what_a_person_said_of_a_file(
    settings: Settings, tmp_path: Path, definitions: dict[str, NodeDefinition]
) -> None:
    path = vae_shelf.tiny(tmp_path / "models" / "vae" / "x.safetensors")
    here = replace(settings, models=(tmp_path / "models",))
    flow = load(
        {
            "version": 1,
            "nodes": {
                "load": {"type": "load_vae", "values": {"file": "x.safetensors"}},
                "empty": {"type": "empty_latent"},
                "decode": {
                    "type": "vae_decode",
                    "inputs": {
                        "vae": {"node": "load", "output": "vae"},
                        "latent": {"node": "empty", "output": "latent"},
                    },
                },
            },
        }
    ).workflow

    def codes() -> list[str]:
        return [problem.code for problem in headless._problems(here, flow, definitions)[0]]

    before = codes()
    assert "unidentified" in before
    assert "unresolved_space" in before
    identities_of(here).statements.say(file_hash(path), "sdxl", "vae/x.safetensors")
    assert not {"unidentified", "unresolved_space"} & set(codes())
