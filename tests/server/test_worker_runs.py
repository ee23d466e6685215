"""A worker checks, plans and runs workflows, and whatever goes wrong is told in words."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image as Pictures

from graph.cancel import Cancel
from graph.events import NodeChanged, Previewed, Produced, Progressed
from server import png, worker_previews
from server.previews import preview_path
from server.settings import Settings
from server.worker_messages import Library, Ready
from server.worker_questions import AskPlan, Planned
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import graph, text_to_image


@pytest.fixture
def trivial(settings: Settings) -> Bench:
    return Bench(settings, modules=["tests.helpers.trivial_nodes"])


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


# --- with models


def test_the_template_makes_a_picture_that_holds_its_workflow(bench: Bench) -> None:
    workflow = text_to_image()
    ended = bench.run(workflow)
    assert (ended.status, ended.error) == ("finished", None)
    (produced,) = bench.events(Produced)
    assert produced.picture is not None
    assert produced.picture.families == ("Tiny",), "what the file calls its own space, not sd15"
    path = bench.settings.output / produced.file
    with Pictures.open(path) as picture:
        assert picture.size == (32, 24)
    with path.open("rb") as file:
        assert json.loads(png.text_of(file) or "") == workflow
    about = json.loads(png.text_of(path.open("rb"), "latent_loom_parameters") or "")
    assert next(iter(about["nodes"])) == "6"  # the nearest first
    assert set(about["nodes"]) == {*"123456"}
    assert about["nodes"]["5"]["values"]["steps"] == 4
    assert about["nodes"]["5"]["inputs"]["negative"] == "3"


def test_a_plan_says_what_the_cache_holds_and_what_is_left_to_do(bench: Bench) -> None:
    def planned(workflow: dict[str, Any]) -> tuple[int, int]:
        answer = bench.runner.answer(AskPlan(id=3, workflow=workflow))
        assert isinstance(answer, Planned)
        assert (answer.id, answer.refused) == (3, None)
        return answer.cached, answer.to_run

    workflow = text_to_image()
    count = len(workflow["nodes"])
    assert planned(workflow) == (0, count)
    bench.run(workflow)
    assert planned(workflow) == (count - 1, 1)  # saving is done anew each time
    cached, to_run = planned(text_to_image(seed=77))
    assert (cached + to_run, to_run) == (count, 3)  # sample, decode, save


def test_a_plan_of_several_cases_says_what_each_computes_after_those_before(bench: Bench) -> None:
    seeds = ({}, {"5": {"seed": 77}}, {"5": {"seed": 77}}, {"2": {"text": "another"}})

    def runs() -> list[set[str]]:
        asked = AskPlan(id=3, workflow=text_to_image(), cases=seeds)
        answer = bench.runner.answer(asked)
        assert isinstance(answer, Planned)
        return [set(nodes) for nodes in answer.runs]

    every = set(text_to_image()["nodes"])
    saved = {node for node in every if text_to_image()["nodes"][node]["type"] == "save_image"}
    first, other, same, worded = runs()
    assert first == every
    assert "5" in other
    assert other < worded | other < every
    assert same == saved, "what the run before it made is there by then"
    bench.run(text_to_image())
    assert runs()[0] == saved
    assert runs()[1:] == [other, same, worded]


def test_a_plan_of_what_cannot_run_says_why(bench: Bench) -> None:
    workflow = text_to_image()
    del workflow["nodes"]["6"]["inputs"]["vae"]
    answer = bench.runner.answer(AskPlan(id=4, workflow=workflow))
    assert isinstance(answer, Planned)
    assert "is not connected" in str(answer.refused)


def test_steps_and_previews_are_told_while_sampling(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(worker_previews, "PREVIEW_EVERY", 0.0)
    bench.run(text_to_image(), name="seen")
    steps = [(event.step, event.steps) for event in bench.events(Progressed)]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [event.step for event in bench.events(Previewed)] == [1, 2, 3]
    path = preview_path(bench.settings, "seen", "5")
    assert path.name == bench.events(Previewed)[0].file
    with Pictures.open(path) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) == 256


def test_equal_seeds_give_equal_pictures_and_another_seed_another(bench: Bench) -> None:
    for seed in (1, 1, 2):
        bench.run(text_to_image(seed=seed))
    first, again, other = (
        numpy.asarray(Pictures.open(bench.settings.output / event.file))
        for event in bench.events(Produced)
    )
    assert numpy.array_equal(first, again)
    assert not numpy.array_equal(first, other)


def test_what_did_not_change_is_not_computed_again(bench: Bench) -> None:
    bench.run(text_to_image())
    bench.said.clear()
    bench.run(text_to_image(seed=2))
    states = {event.node: event.state for event in bench.events(NodeChanged)}
    assert states["2"] == states["3"] == states["4"] == "cached"
    assert states["5"] == states["6"] == states["7"] == "finished"


def test_a_single_node_can_be_run_alone(bench: Bench) -> None:
    assert bench.run(text_to_image(), "2").status == "finished"
    finished = [event.node for event in bench.events(NodeChanged) if event.state == "finished"]
    assert finished == ["1", "2"]
    assert bench.events(Produced) == []


@pytest.mark.parametrize("at", [1, 3])
def test_a_run_is_cancelled_while_it_samples(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    wish = Cancel()

    def cancel(event: Any) -> None:
        if isinstance(event, Progressed) and event.step == at:
            wish.request()

    bench.on_event = cancel
    assert bench.run(text_to_image(), wish=wish).status == "cancelled"
    assert max(event.step for event in bench.events(Progressed)) == at
    states = {event.node: event.state for event in bench.events(NodeChanged)}
    assert states["5"] == "cancelled"
    assert bench.events(Produced) == []
    assert bench.run(text_to_image()).status == "finished"


def test_a_run_is_cancelled_while_it_loads(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    wish = Cancel()
    check = wish.check

    def counted() -> None:
        nonlocal looks
        looks += 1
        if looks == 20:  # tensors of the text encoder, which is loaded first
            wish.request()
        check()

    monkeypatch.setattr(wish, "check", counted)
    assert bench.run(text_to_image(), wish=wish).status == "cancelled"
    assert looks == 20
    assert not [e for e in bench.events(NodeChanged) if (e.node, e.state) == ("2", "finished")]
    assert bench.run(text_to_image()).status == "finished"


@pytest.mark.parametrize(
    ("checkpoint", "words"),
    [
        ("nowhere.safetensors", "nowhere.safetensors"),
        ("cut.safetensors", "cut.safetensors"),
        ("old.ckpt", "pickle"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_before_anything_runs(
    bench: Bench, checkpoint: str, words: str
) -> None:
    ended = bench.run(text_to_image(checkpoint))
    assert ended.status == "failed"
    assert words in str(ended.error)
    assert "Traceback" not in str(ended.error)
    assert bench.events(NodeChanged) == []


def test_a_model_that_answers_with_nan_fails_its_node_in_words(bench: Bench) -> None:
    ended = bench.run(text_to_image("nan.safetensors"))
    assert ended.status == "failed"
    assert "KSampler" in str(ended.error)
    assert "NaN" in str(ended.error)
    failed = [event for event in bench.events(NodeChanged) if event.state == "failed"]
    assert [event.node for event in failed] == ["5"]


def test_a_vae_that_answers_with_nan_fails_its_node_in_words(bench: Bench) -> None:
    ended = bench.run(text_to_image("nan-vae.safetensors"))
    assert "VAE Decode" in str(ended.error)
    assert "NaN" in str(ended.error)


def with_other_vae(allow: tuple[str, str] | None = None) -> dict[str, Any]:
    workflow = text_to_image()
    workflow["nodes"]["8"] = {"type": "load_vae", "values": {"file": "tiny-b.safetensors"}}
    wires = workflow["nodes"]["6"]["inputs"]
    wires["vae"] = {"node": "8", "output": "vae"}
    if allow:
        wires["latent"]["allow"] = list(allow)
    return workflow


def test_a_latent_into_a_vae_of_another_space_is_refused_in_words(bench: Bench) -> None:
    ended = bench.run(with_other_vae())
    assert ended.status == "failed"
    assert "Tiny-B" in str(ended.error)
    assert bench.events(NodeChanged) == []


def test_a_wire_that_a_person_insists_on_runs(bench: Bench) -> None:
    ended = bench.run(with_other_vae(allow=("tiny", "tiny-b")))
    assert (ended.status, ended.error) == ("finished", None)


def test_the_workers_own_nodes_and_packs_are_announced(bench: Bench) -> None:
    bench.runner.announce()
    library, ready = bench.said
    assert isinstance(library, Library)
    assert {"load_checkpoint", "k_sampler", "save_image"} < set(library.nodes)
    assert "example.invert_image" in library.nodes
    assert isinstance(ready, Ready)
    assert "float32" in ready.device


# --- without


def test_a_sentence_that_a_node_raises_is_shown_as_it_is(trivial: Bench) -> None:
    ended = trivial.run(graph(f=("fail", {}, {})))
    assert (ended.status, ended.error) == ("failed", "Fail: The mask is empty.")


def test_a_bug_in_a_node_is_told_without_its_traceback(
    trivial: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    ended = trivial.run(graph(s=("stumble", {}, {})))
    assert str(ended.error).startswith("Stumble: KeyError: 'x' (trivial_nodes.py, line ")
    assert "Traceback" in caplog.text


def test_an_output_without_numbers_fails_the_node_that_gave_it(trivial: Bench) -> None:
    ended = trivial.run(graph(n=("not_a_number", {}, {})), "n")
    assert ended.status == "failed"
    assert str(ended.error).startswith("Not a number: ")
    assert "NaN" in str(ended.error)


def test_a_workflow_that_does_not_check_is_refused_by_the_worker_too(trivial: Bench) -> None:
    ended = trivial.run(graph(a=("no_such_node", {}, {}), s=("show", {}, {"value": "a"})))
    assert ended.status == "failed"
    assert "no_such_node" in str(ended.error)


def test_what_is_no_workflow_ends_the_run_and_not_the_worker(trivial: Bench) -> None:
    assert trivial.run({"nodes": [1, 2]}).status == "failed"
    assert trivial.run(graph(n=("number", {}, {}), s=("show", {}, {"value": "n"}))).error is None


def test_numbers_flow_along_wires(trivial: Bench) -> None:
    nodes = graph(
        a=("number", {"value": 2**60}, {}),
        b=("add", {"right": 1}, {"left": "a"}),
        s=("show", {}, {"value": "b"}),
    )
    assert trivial.run(nodes, name="r").error is None
    assert trivial.value("r", "b", "integer").data == 2**60 + 1
