"""An embedding goes all the way: from its file through the checker to the picture."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pictures
from safetensors.torch import load_file, save_file

from diffusion.header import CONVERT
from graph.check import check
from graph.definition import NodeDefinition
from graph.events import NodeChanged, Produced
from graph.workflow import Workflow
from nodes.services import BadFile
from server import png
from server.catalogue import Catalogue
from server.headless import check_file
from server.keys import CATALOGUE
from server.settings import Settings
from server.worker_embeddings import finder
from server.worker_library import keep_library, library_version
from server.worker_messages import Library
from server.worker_questions import AskTokens
from tests.helpers import fake_worker
from tests.helpers.bench import Bench
from tests.helpers.embeddings import MODELS, STARTER, embedding_of, of_another_model
from tests.helpers.every_space import definitions
from tests.helpers.tiny_families import tiny_family
from tests.helpers.workflows import text_to_image
from tests.server.site import STOOD_IN, site_at

SAID = "latent_loom.text_space"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """The starter, an embedding of its own words, and one for SD 1.x."""
    folder = tmp_path / "models"
    embedding_of("circle", folder / "embeddings" / "ring.safetensors")
    embedding_of("red circle", folder / "embeddings" / "styles" / "red-ring.safetensors")
    of_another_model(folder / "embeddings" / "badhands.safetensors")
    return folder


@pytest.fixture
def bench(models: Path, tmp_path: Path) -> Bench:
    settings = Settings.of(
        data=tmp_path / "data", models=(MODELS, models), device="cpu", precision="float32"
    )
    settings.make_folders()
    return Bench(settings)


def flow(text: str, **nodes: Any) -> dict[str, Any]:
    workflow = text_to_image("starter.safetensors")
    workflow["nodes"]["2"]["values"]["text"] = text
    workflow["nodes"]["5"]["values"]["steps"] = 2
    return workflow


def catalogue(models: Path) -> Catalogue:
    files = Catalogue([MODELS, models], models / "input", models / "cache.json")
    files.refresh()
    return files


def told(text: str, models: Path) -> list[Any]:
    result = check(Workflow.model_validate(flow(text)), definitions(), catalogue(models))
    return [item for item in result.problems if item.node == "2"]


def picture(bench: Bench, text: str) -> numpy.ndarray:
    ended = bench.run(flow(text))
    assert (ended.status, ended.error) == ("finished", None)
    with Pictures.open(bench.settings.output / bench.events(Produced)[-1].file) as image:
        return numpy.asarray(image.convert("RGB"))


def test_a_words_own_vectors_make_the_words_picture(bench: Bench) -> None:
    words = picture(bench, "a red circle on white")
    same = picture(bench, "a red embedding:ring on white")
    assert numpy.array_equal(same, words)
    assert numpy.array_equal(picture(bench, "a embedding:red-ring on white"), words)
    stressed = picture(bench, "a (red circle:1.4) on white")
    assert not numpy.array_equal(stressed, words)
    heavy = picture(bench, "a (embedding:styles/red-ring.safetensors:1.4) on white")
    assert numpy.array_equal(heavy, stressed)


def test_a_replaced_file_gives_another_picture_and_a_kept_one_none(
    bench: Bench, models: Path
) -> None:
    before = picture(bench, "embedding:ring")
    encoded = [event.state for event in bench.events(NodeChanged) if event.node == "2"]
    assert encoded[-1] != "cached"
    again = picture(bench, "embedding:ring")
    assert numpy.array_equal(again, before)
    assert [event.state for event in bench.events(NodeChanged) if event.node == "2"][-1] == "cached"
    embedding_of("square", models / "embeddings" / "ring.safetensors")
    assert not numpy.array_equal(picture(bench, "embedding:ring"), before)


def test_a_picture_says_which_embeddings_it_was_made_with(bench: Bench) -> None:
    picture(bench, "embedding:ring")
    path = bench.settings.output / bench.events(Produced)[-1].file
    about = json.loads(png.text_of(path.open("rb"), "latent_loom_parameters") or "")
    files = {(file["folder"], file["name"]): file["sha256"] for file in about["files"]}
    assert len(files["embeddings", "ring.safetensors"]) == 64


def test_a_run_is_refused_with_the_checkers_sentence(bench: Bench) -> None:
    ended = bench.run(flow("embedding:badhands"))
    assert ended.status == "failed"
    assert "'badhands' was made for SD 1.x (768 numbers a token)" in (ended.error or "")
    assert "which is not in the folder 'embeddings'" in (bench.run(flow("embedding:x")).error or "")


def test_a_declared_text_space_is_as_wide_as_its_words(models: Path) -> None:
    assert told("a embedding:ring", models) == []
    (problem,) = told("a embedding:badhands, b", models)
    assert problem.code == "embedding_mismatch"
    assert problem.message == (
        "'badhands' was made for SD 1.x (768 numbers a token), and CLIP Text Encode 'Prompt' "
        "encodes for Starter (128 numbers a token): use one that was made for Starter, or take it "
        "out of the prompt."
    )
    assert problem.fixes[-1].edits[0].value == "a b"


def test_a_prompt_for_one_of_sdxls_encoders_asks_for_that_one_alone(models: Path) -> None:
    tiny_family(models / "checkpoints" / "xl.safetensors", "sdxl")
    nodes = {
        "1": {"type": "load_checkpoint", "values": {"file": "xl.safetensors"}},
        "2": {"type": "clip_text_encode_sdxl", "inputs": {"clip": {"node": "1", "output": "clip"}}},
    }
    files = catalogue(models)
    for prompt, codes in (("text_l", []), ("text_g", ["embedding_mismatch"])):
        nodes["2"]["values"] = {prompt: "embedding:badhands"}
        workflow = Workflow.model_validate({"version": 1, "nodes": nodes})
        result = check(workflow, definitions(), files)
        assert [item.code for item in result.problems if item.node == "2"] == codes
    (problem,) = [item for item in result.problems if item.node == "2"]
    assert "encodes for SDXL (1280 numbers a token)" in problem.message


def test_what_an_embedding_declares_counts_more_than_its_width(models: Path) -> None:
    path = embedding_of("circle", models / "embeddings" / "mine.safetensors")
    metadata = {SAID: json.dumps({"id": "other", "title": "Other"})}
    save_file(load_file(path), path, metadata=metadata)
    (problem,) = told("embedding:mine", models)
    assert "'mine' was made for Other (128 numbers a token)" in problem.message
    save_file(load_file(path), path, metadata={SAID: json.dumps({"id": "starter"})})
    assert told("embedding:mine", models) == []


@pytest.mark.parametrize(
    "name", ["../ring", "/etc/passwd", "styles/../ring", "C:/ring", "~/ring", "", "styles/"]
)
def test_no_name_leads_out_of_the_folder(name: str, models: Path) -> None:
    save_file({"emb_params": torch.ones(1, 128)}, models / "ring.safetensors")
    for mention in catalogue(models).mentioned(f'embedding:"{name}"'):
        assert mention.file is None


def test_a_link_that_leads_out_is_not_followed(models: Path, tmp_path: Path) -> None:
    outside = embedding_of("circle", tmp_path / "outside.safetensors")
    link = models / "embeddings" / "linked.safetensors"
    try:
        link.symlink_to(outside)
    except OSError:
        pytest.skip("links cannot be made here")
    (problem,) = told("embedding:linked", models)
    assert problem.code == "missing_embedding"


def test_a_safetensors_file_is_preferred_and_an_ending_decides(models: Path) -> None:
    (models / "embeddings" / "ring.pt").write_bytes(b"\x80\x02}q\x00.")
    found = catalogue(models)
    assert found.mentioned("embedding:ring")[0].file == "ring.safetensors"
    assert found.mentioned("embedding:ring.pt")[0].file == "ring.pt"
    assert found.embeddings()["ring.safetensors"] == "embedding:ring"
    assert found.embeddings()["ring.pt"] == "embedding:ring.pt"
    assert found.embeddings()["styles/red-ring.safetensors"] == "embedding:styles/red-ring"


def test_another_kind_of_file_there_is_told_as_such(models: Path) -> None:
    shutil.copy(STARTER, models / "embeddings" / "starter.safetensors")
    (problem,) = told("embedding:starter", models)
    assert problem.code == "wrong_kind"
    assert "move it to models/checkpoints, and choose an embedding here" in problem.message


@pytest.mark.parametrize("form", ["a1111", "diffusers", "parameter"])
def test_a_pickle_is_refused_with_a_command_that_converts_it(form: str, models: Path) -> None:
    rows = torch.randn(3, 768)
    saved: dict[str, Any] = {
        "a1111": {"string_to_token": {"*": 265}, "string_to_param": {"*": rows}, "name": "x"},
        "diffusers": {"<x>": rows},
        "parameter": {"string_to_param": {"*": torch.nn.Parameter(rows)}},
    }[form]
    old, new = models / "embeddings" / "old.pt", models / "embeddings" / "new.safetensors"
    torch.save(saved, old)
    (problem,) = told("embedding:old", models)
    assert problem.code == "unusable_file"
    assert problem.message.endswith(CONVERT)
    code = CONVERT.removeprefix('python -c "').partition('" OLD')[0]
    subprocess.run([sys.executable, "-c", code, str(old), str(new)], check=True)
    (made,) = load_file(new).values()
    torch.testing.assert_close(made, rows)
    facts = catalogue(models).facts("embeddings", "new.safetensors")
    assert facts is not None
    assert (facts.family, facts.vectors, facts.trouble) == ("sd15", 3, None)


def test_what_only_a_wire_brings_is_told_in_the_same_words(models: Path) -> None:
    files = catalogue(models)
    find = finder(files, "Prompt", "starter")
    assert find("ring", "").vectors[""].shape == (1, 128)
    assert find("red-ring", "clip_l").vectors[""].shape == (2, 128)
    (models / "embeddings" / "old.pt").write_bytes(b"\x80\x02}q\x00.")
    for name, words in (
        ("badhands", "'badhands' was made for SD 1.x (768 numbers a token), and Prompt encodes"),
        ("rings", "The prompt of Prompt names the embedding 'rings', which is not in the folder"),
        ("../ring", "names the embedding '../ring', which is not in the folder"),
        ("old", "which cannot be used: old.pt is a pickle file"),
    ):
        with pytest.raises(BadFile, match=re.escape(words)):
            find(name, "")


def test_a_file_that_came_since_the_last_look_counts_at_once(models: Path) -> None:
    files = catalogue(models)
    assert "deep/new.safetensors" not in files.embeddings()
    embedding_of("square", models / "embeddings" / "deep" / "new.safetensors")
    assert "deep/new.safetensors" in files.embeddings()
    assert files.mentioned("embedding:new")[0].file == "deep/new.safetensors"


# Counting, completion, and the command line


def test_tokens_are_counted_with_the_vectors(bench: Bench) -> None:
    text = "a (embedding:red-ring:1.3) on embedding:nothing"
    asked = AskTokens(id=1, workflow=flow(""), node="2", text=text)
    (counted,) = bench.runner.answer(asked).encoders
    assert [name for *_, name, _ in counted.embeddings] == ["red-ring", "nothing"]
    start, end, _, tokens = counted.embeddings[0]
    assert (text[start:end], tokens) == ("embedding:red-ring", 2)
    assert counted.embeddings[1][3] == 0
    (words,) = bench.runner.answer(asked.model_copy(update={"text": "a red circle on"})).encoders
    assert counted.tokens == words.tokens
    assert [weight for *_, weight, _ in counted.pieces].count(1.3) == 2


async def test_the_page_is_told_every_embedding_and_why_not(models: Path, tmp_path: Path) -> None:
    embedding_of("circle", tmp_path / "models" / "embeddings" / "ring.safetensors")
    shutil.copytree(MODELS / "checkpoints", models / "checkpoints")
    async with site_at(tmp_path) as site:
        catalogue = site.client.app[CATALOGUE]
        for stood_in in STOOD_IN:
            delattr(catalogue, stood_in)
        site.worker.library = Library(version="real", nodes=definitions(), packs=())
        asked = {"workflow": flow(""), "node": "2", "prompt": "text"}
        status, answer = await site.post("/api/embeddings", asked)
        assert status == 200
        first, *_, last = answer["embeddings"]
        ring = {"file": "ring.safetensors", "text": "embedding:ring", "vectors": 1, "against": ""}
        assert first == {**ring, "family": None, "spaces": ["starter"]}
        assert (last["family"], last["spaces"], last["vectors"]) == ("sd15", ["sd1"], 2)
        assert last["against"].startswith("'badhands' was made for SD 1.x")
        status, _ = await site.post("/api/embeddings", {"workflow": flow("")})
        assert status == 400
        status, answer = await site.post("/api/check", {"workflow": flow("embedding:badhands")})
        assert (status, answer["runnable"]) == (200, False)
        assert [item["code"] for item in answer["problems"]] == ["embedding_mismatch"]


def test_the_command_line_gives_the_same_answer(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.of(data=tmp_path / "data", models=(MODELS, models))
    settings.make_folders()
    nodes: dict[str, NodeDefinition] = dict(definitions())
    keep_library(settings, Library(version=library_version(settings), nodes=nodes))
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(flow("embedding:badhands and embedding:rings")))
    assert check_file(settings, path, entry=fake_worker.main) == 1
    printed = capsys.readouterr().out
    assert "'badhands' was made for SD 1.x (768 numbers a token)" in printed
    assert "the embedding 'rings', which is not in the folder" in printed
