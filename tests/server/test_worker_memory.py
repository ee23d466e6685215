"""A worker tells what it has loaded, frees it, and keeps what the running node uses."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pictures

from diffusion.shortage import NotEnoughMemory
from diffusion.unet import UNet
from diffusion.vae import AutoencoderKL
from graph.cancel import Cancel
from graph.events import NodeChanged, NodeState, Noted, Previewed, Produced, Progressed
from server import worker_previews
from server.settings import Settings
from server.worker_engine import explain
from server.worker_memory import Holding
from server.worker_questions import AskMemory, AskPlan, Freeing, MemoryReport, Planned
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import text_to_image


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


def report(bench: Bench, free: Freeing | None = None) -> MemoryReport:
    answer = bench.runner.answer(AskMemory(id=7, free=free))
    assert isinstance(answer, MemoryReport)
    assert answer.id == 7
    return answer


def test_what_a_run_loaded_is_told_the_last_used_first(bench: Bench) -> None:
    assert report(bench).models == ()
    bench.run(text_to_image())
    told = report(bench)
    assert [(model.part, model.name) for model in told.models] == [
        ("vae", "tiny.safetensors"),
        ("model", "tiny.safetensors"),
        ("clip_l", "tiny.safetensors"),
    ]
    assert told.used == sum(model.bytes for model in told.models) > 0
    assert told.results > 32 * 24 * 3 * 4  # a picture among them
    assert told.total >= told.budget > 0
    assert told.device == "CPU, float32"
    assert not any(model.in_use for model in told.models)


def test_one_model_is_freed_then_all_and_the_next_run_gives_the_same_picture(bench: Bench) -> None:
    bench.run(text_to_image())
    before = report(bench)
    after = report(bench, Freeing(models=(before.models[1].id,)))
    assert [model.part for model in after.models] == ["vae", "clip_l"]
    assert after.freed == before.models[1].bytes
    assert after.results == before.results
    everything = report(bench, Freeing(results=True))
    assert everything.models == ()
    assert everything.freed == after.used + after.results - everything.results
    assert everything.results == 0
    bench.run(text_to_image())
    first, again = (
        numpy.asarray(Pictures.open(bench.settings.output / event.file))
        for event in bench.events(Produced)
    )
    assert numpy.array_equal(first, again)


def test_what_the_running_node_uses_is_not_freed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    during: list[MemoryReport] = []

    def free(event: Any) -> None:
        if isinstance(event, Progressed) and not during:
            during.append(report(bench, Freeing()))

    bench.on_event = free
    assert bench.run(text_to_image()).status == "finished"
    (model,) = during[0].models  # the text encoder of a node that is done went
    assert (model.part, model.in_use) == ("model", True)
    assert not any(model.in_use for model in report(bench).models)


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_nothing_is_in_use_after_a_run_however_it_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    wish = Cancel()

    def stop(event: Any) -> None:
        if isinstance(event, Progressed):
            wish.request()

    if how == "fails":
        ended = bench.run(text_to_image("nan.safetensors"))
    else:
        bench.on_event = stop
        ended = bench.run(text_to_image(), wish=wish)
    assert ended.status == ("failed" if how == "fails" else "cancelled")
    told = report(bench)
    assert told.models
    assert not any(model.in_use for model in told.models)


def test_a_decode_without_enough_memory_ends_in_tiles_and_says_so_at_its_node(
    settings: Settings, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = AutoencoderKL.decode

    def scarce(self: AutoencoderKL, raw: torch.Tensor) -> torch.Tensor:
        if raw.shape[-1] * raw.shape[-2] > 144:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(self, raw)

    monkeypatch.setattr(AutoencoderKL, "decode", scarce)
    bench = Bench(with_models(settings, tiny_models))
    workflow = text_to_image()
    workflow["nodes"]["4"]["values"] |= {"width": 128, "height": 128}
    assert bench.run(workflow).status == "finished"
    notes = bench.events(Noted)
    assert notes
    assert {note.node for note in notes} == {"6"}
    assert "in tiles of" in notes[-1].message


def test_a_step_without_enough_memory_fails_with_what_to_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(self: UNet, *inputs: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(UNet, "forward", scarce)
    ended = bench.run(text_to_image())
    assert ended.status == "failed"
    assert "make the picture or the batch smaller" in str(ended.error)
    (note,) = bench.events(Noted)
    assert (note.node, "tried once more" in note.message) == ("5", True)
    assert not bench.events(Previewed)


def test_running_out_of_memory_is_explained_and_what_explains_itself_is_left() -> None:
    assert "smaller" in str(explain(torch.OutOfMemoryError("CUDA out of memory")))
    assert "smaller" in str(explain(MemoryError()))
    assert explain(NotEnoughMemory("Do this.")) == "Do this."
    assert explain(ValueError("out of memory, so to speak")) is None


def test_the_choices_of_memory_and_compiling_reach_the_engine(
    settings: Settings, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    chosen = replace(with_models(settings, tiny_models), memory=5 * 10**6, compiling=True)
    compiled: list[torch.nn.Module] = []

    def compiler(module: torch.nn.Module, dynamic: bool) -> torch.nn.Module:
        compiled.append(module)
        return module

    monkeypatch.setattr("torch.compile", compiler)
    bench = Bench(Settings.from_json(chosen.to_json()))
    assert report(bench).budget == 5 * 10**6
    bench.run(text_to_image())
    assert len(compiled) == 1
    assert any("compiled" in note.message for note in bench.events(Noted))


def test_a_node_that_waits_for_a_lazy_input_runs_beneath_it() -> None:
    holding = Holding(None)

    def note(node: str, state: NodeState) -> str:
        holding.note(NodeChanged(node=node, state=state))
        return holding.node

    assert note("a", "waiting") == ""
    assert note("a", "running") == "a"
    assert note("b", "running") == "b"
    assert note("b", "finished") == "a"
    assert note("a", "failed") == ""
    note("c", "running")
    holding.end()
    assert holding.node == ""


def planned(bench: Bench, workflow: dict[str, Any]) -> Planned:
    answer = bench.runner.answer(AskPlan(id=1, workflow=workflow))
    assert isinstance(answer, Planned)
    assert answer.refused is None
    return answer


def test_a_plan_estimates_what_the_models_of_the_run_will_take(bench: Bench) -> None:
    before = planned(bench, text_to_image())
    assert report(bench).models == (), "headers tell it: nothing is loaded"
    bench.run(text_to_image())
    told = {model.part: model.bytes for model in report(bench).models}
    # A header has tensors, too, that nothing is built of (tables of positions): a few numbers.
    assert before.models == pytest.approx(sum(told.values()), rel=0.02)
    assert before.at_once == pytest.approx(max(told.values()), rel=0.02)
    assert before.budget == report(bench).budget


def test_what_is_kept_needs_no_memory_and_what_was_loaded_is_known_exactly(bench: Bench) -> None:
    bench.run(text_to_image())
    told = {model.part: model.bytes for model in report(bench).models}
    assert planned(bench, text_to_image()).models == 0, "only the saving is left"
    again = planned(bench, text_to_image(seed=77))  # the prompts are kept
    assert again.models == told["model"] + told["vae"]
    report(bench, Freeing())
    assert report(bench).models == ()
    assert planned(bench, text_to_image(seed=77)).models == again.models, "also when it is gone"


def test_a_smaller_number_format_takes_half_the_memory(
    settings: Settings, tiny_models: Path
) -> None:
    full = planned(Bench(with_models(settings, tiny_models)), text_to_image())
    half = Settings.of(
        data=settings.data, models=(tiny_models,), device="cpu", precision="bfloat16"
    )
    assert planned(Bench(half), text_to_image()).models == full.models / 2
