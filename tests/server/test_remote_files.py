"""Files that a run needs are told apart by content, and what comes back is written over nothing."""

import hashlib
from pathlib import Path

import pytest

from graph.definition import InputDefinition, NodeDefinition, Term, WidgetDefinition
from graph.events import Produced
from server.ray_machine import here
from server.remote_files import Files, missing, renamed, unpacked
from server.settings import Settings
from server.worker_messages import Happened

FILE = {"schema": {"type": "string"}, "control": "model_file"}
LOAD = NodeDefinition(
    type="load",
    title="Load",
    category="test",
    widgets=(
        WidgetDefinition(name="file", title="File", folder="vae", **FILE),
        WidgetDefinition(name="picture", title="Picture", folder="input", **FILE),
    ),
)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Settings, Settings]:
    machines = []
    for name in ("here", "there"):
        folder = tmp_path / name
        (folder / "models" / "vae").mkdir(parents=True)
        machines.append(Settings.of(folder))
        machines[-1].make_folders()
    return machines[0], machines[1]


def test_a_model_is_found_by_its_content_whatever_it_is_called(
    two: tuple[Settings, Settings],
) -> None:
    mine, theirs = two
    (mine.models[0] / "vae" / "a.safetensors").write_bytes(b"one")
    (mine.input / "cat.png").write_bytes(b"cat")
    (theirs.models[0] / "vae" / "a.safetensors").write_bytes(b"two")
    (theirs.models[0] / "vae" / "b.safetensors").write_bytes(b"one")
    values = {"file": "a.safetensors", "picture": "cat.png", "other": 1}
    workflow = {"version": 1, "nodes": {"1": {"type": "load", "values": values}}}
    model, picture = Files(mine).needed_by(workflow, {"load": LOAD})
    assert (model.is_model, picture.is_model) == (True, False)
    assert model.content == hashlib.sha256(b"one").hexdigest()
    name = Files(theirs).same(model)
    assert name == "b.safetensors"
    there = renamed(workflow, [(model, name)])
    assert there["nodes"]["1"]["values"] == {**values, "file": "b.safetensors"}
    assert workflow["nodes"]["1"]["values"] is values, "the workflow itself stays as it was"  # type: ignore[index]
    (theirs.models[0] / "vae" / "b.safetensors").unlink()
    assert Files(theirs).same(model) is None
    assert "The machine far has no file with the content of vae/a.safetensors" in (
        missing([model], "far")
    )


def test_what_comes_back_takes_the_next_free_number(two: tuple[Settings, Settings]) -> None:
    mine, _ = two
    said = Happened(run="r", event=Produced(node="1", kind="image", file="day/fox_00001.png"))
    names = [unpacked(said, b"%d" % k, mine).event.file for k in range(3)]  # type: ignore[union-attr]
    assert names == [f"day/fox_0000{k}.png" for k in (1, 2, 3)]
    assert [(mine.output / name).read_bytes() for name in names] == [b"0", b"1", b"2"]
    plain = Happened(run="r", event=Produced(node="1", kind="image", file="fox.png"))
    names = [unpacked(plain, b"x", mine).event.file for _ in range(2)]  # type: ignore[union-attr]
    assert names == ["fox.png", "fox (2).png"]
    assert not list(mine.output.rglob("*.part"))


def test_a_machine_has_its_own_models_and_the_choices_of_the_program_that_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own").mkdir()
    asked = Settings.of(tmp_path, memory=7, precision="float32", worker=3, node_limit=5.0)
    monkeypatch.setenv("LATENT_LOOM_DATA", str(tmp_path / "scratch"))
    monkeypatch.setenv("LATENT_LOOM_MODELS", str(tmp_path / "own"))
    found = here(asked)
    assert found.models[-1] == tmp_path / "own"
    assert found.data == tmp_path / "scratch" / "worker-3"
    assert (found.memory, found.precision, found.worker) == (7, "float32", 3)


PROMPT = NodeDefinition(
    type="prompt",
    title="Prompt",
    category="test",
    inputs=(InputDefinition(name="clip", title="Clip", term=Term(kind="Clip")),),
    widgets=(
        WidgetDefinition(name="text", title="Text", schema={"type": "string"}, control="multiline"),
    ),
)


def test_embeddings_in_prompts_are_found_by_their_content_too(
    two: tuple[Settings, Settings],
) -> None:
    mine, theirs = two
    for settings in two:
        (settings.models[0] / "embeddings" / "sub").mkdir(parents=True)
    for name, content in (("ink", b"one"), ("sub/oil", b"two")):
        (mine.models[0] / "embeddings" / f"{name}.safetensors").write_bytes(content)
    (theirs.models[0] / "embeddings" / "ink.safetensors").write_bytes(b"two")
    (theirs.models[0] / "embeddings" / "two words.safetensors").write_bytes(b"one")
    text = "a (embedding:ink:1.2), embedding:oil, embedding:ink, embedding:gone"
    workflow = {"version": 1, "nodes": {"1": {"type": "prompt", "values": {"text": text}}}}
    needed = Files(mine).needed_by(workflow, {"prompt": PROMPT})
    assert [one.name for one in needed] == [
        *("ink.safetensors", "sub/oil.safetensors", "ink.safetensors")
    ]
    names = [(one, Files(theirs).same(one) or "") for one in needed]
    there = renamed(workflow, names)
    assert there["nodes"]["1"]["values"]["text"] == (
        'a (embedding:"two words.safetensors":1.2), embedding:ink.safetensors, '
        'embedding:"two words.safetensors", embedding:gone'
    )
    assert "embeddings/ink.safetensors" in missing(needed[:1], "far")
