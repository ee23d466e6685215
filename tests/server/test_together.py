"""Waiting runs that are alike are begun together, and each is its own run all the same."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image as Pictures

from graph.cancel import Cancel
from graph.definition import NodeDefinition, WidgetDefinition
from graph.events import NodeChanged, Previewed, Produced, Progressed
from server import worker_previews
from server.alike import alike
from server.queue import Run, RunQueue, progress
from server.settings import Settings
from server.worker_messages import Ended, Happened, Library, Ready, Start
from tests.helpers.bench import Bench, with_models
from tests.helpers.desk import Desk, at_desk
from tests.helpers.workflows import text_to_image

CLOSE = 2 / 255
"""Of pixels: a number of 0…255 may fall to the other side when it is cut to a whole one."""


# --- which runs


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "queue.sqlite")
    yield queue
    queue.close()


def workflow(seed: int = 0, steps: int = 4, text: str = "a") -> dict[str, Any]:
    values = {"seed": seed, "steps": steps, "text": text}
    return {"version": 1, "nodes": {"n0": {"type": "sample", "title": text, "values": values}}}


def test_runs_that_differ_in_seed_and_prompt_alone_are_claimed_up_to_one_that_does_not(
    queue: RunQueue,
) -> None:
    controls = {"seed": "seed", "steps": "number", "text": "multiline"}
    widgets = tuple(
        WidgetDefinition(name=name, title=name, schema={}, control=control)
        for name, control in controls.items()
    )
    definition = NodeDefinition(type="sample", title="", category="", widgets=widgets)
    library = Library(version="", nodes={"sample": definition})
    for number, steps in enumerate((4, 4, 4, 5, 4)):
        queue.add(workflow(number, steps, "abc"[number % 3]), models="m")
    runs = claimed(queue, library, 8)
    assert [run.workflow["nodes"]["n0"]["values"]["seed"] for run in runs] == [0, 1, 2]
    assert {run.status for run in runs} == {"running"}
    assert queue.counts() == {"waiting": 2, "running": 3}
    assert len(claimed(queue, library, 8)) == 1, "the last one has other steps"


def claimed(queue: RunQueue, library: Library, count: int) -> list[Run]:
    return queue._database.write(
        lambda found: progress.claim_alike(
            found, count, "", (), lambda run: alike(run, library=library)
        )
    )


def test_a_run_without_models_or_of_another_priority_and_one_that_was_cut_off_stay_alone(
    queue: RunQueue,
) -> None:
    library = Library(version="", nodes={})
    runs = [queue.add(workflow(), models="m", priority=p).id for p in (1, 0, 0)]
    assert [run.id for run in claimed(queue, library, 8)] == runs[:1]
    assert [run.id for run in claimed(queue, library, 1)] == runs[1:2]
    queue.interrupt(runs[1], "it died")
    assert [run.id for run in claimed(queue, library, 8)] == runs[1:2], "it is tried again alone"
    third = queue.get(runs[2])
    assert not alike(third, library)(queue.get(runs[1]))
    assert not alike(replace(third, models=""), library)(third)


def test_runs_that_are_passed_by_a_group_count_that(queue: RunQueue) -> None:
    queue.add(workflow(), models="a")
    other = queue.add(workflow(), models="b")
    queue.add(workflow(), models="a")
    assert len(claimed(queue, Library(version="", nodes={}), 8)) == 2
    passed = queue._database.read(
        lambda found: found.execute("SELECT passed FROM run WHERE id = ?", (other.id,)).fetchone()
    )
    assert passed[0] == 1


# --- the station and its worker


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    async with at_desk(settings, together=3) as desk:
        yield desk


def add(desk: Desk, *types: str, seed: int = 0) -> str:
    nodes = {f"n{k}": {"type": name, "values": {"seed": seed}} for k, name in enumerate(types)}
    run = desk.queue.add({"version": 1, "nodes": nodes}, models="m").id
    desk.dispatcher.wake()
    return run


async def test_alike_runs_are_begun_together_and_told_apart(desk: Desk) -> None:
    await desk.dispatcher.pause("after")
    runs = [add(desk, "quick", seed=k) for k in range(4)] + [add(desk, "failing")]
    await desk.dispatcher.pause("no")
    ended = [await desk.ended(run) for run in runs]
    assert [run.status for run in ended] == [*["finished"] * 4, "failed"]
    assert [len(run.outputs) for run in ended] == [1, 1, 1, 1, 0]
    notes = {m["run"]: m["message"] for m in desk.of_type("note")}
    assert notes == dict.fromkeys(runs[:3], "together with 2")
    assert desk.dispatcher.worker_status()["state"] == "ready"


async def test_one_of_several_is_cancelled_and_all_are_put_back_by_a_pause(desk: Desk) -> None:
    await desk.dispatcher.pause("after")
    runs = [add(desk, "slow", seed=k) for k in range(3)]
    await desk.dispatcher.pause("no")
    await desk.running(runs[0])
    await desk.dispatcher.cancel(runs[1])  # the fake comes to it after the first one
    await desk.dispatcher.cancel(runs[0])
    ended = [await desk.ended(run) for run in runs[:2]]
    assert [run.status for run in ended] == ["cancelled"] * 2
    await desk.running(runs[2])
    await desk.dispatcher.pause("now")
    await desk.until(lambda: desk.queue.get(runs[2]).status == "waiting")


async def test_a_death_costs_each_of_several_an_attempt_and_they_are_tried_again_alone(
    desk: Desk,
) -> None:
    await desk.dispatcher.pause("after")
    runs = [add(desk, "quick", "exit", seed=k) for k in range(2)]
    await desk.dispatcher.pause("no")
    ended = [await desk.ended(run) for run in runs]
    assert [(run.status, run.attempts) for run in ended] == [("failed", 2)] * 2
    assert len(desk.of_type("note")) == 1, "the first one died before the second began"


# --- the worker's own work


@pytest.fixture
def bench(settings: Settings, tiny_models: Path) -> Bench:
    return Bench(with_models(settings, tiny_models))


def at_once(bench: Bench, *workflows: dict[str, Any], wish: Cancel | None = None) -> list[Ended]:
    """How each ended; `wish` is the first one's."""
    bench.said.clear()
    starts = [Start(run=f"t{k}", workflow=one) for k, one in enumerate(workflows)]
    wishes = [wish or Cancel(), *(Cancel() for _ in workflows[1:])]
    bench.runner.run_together(starts, wishes)
    ended = [message for message in bench.said if isinstance(message, Ended)]
    return sorted(ended, key=lambda one: one.run)


def told(bench: Bench, run: str, kind: type[Any]) -> list[Any]:
    said = [m.event for m in bench.said if isinstance(m, Happened) and m.run == run]
    return [event for event in said if isinstance(event, kind)]


def pictures(bench: Bench, runs: int) -> list[Any]:
    files = [told(bench, f"t{k}", Produced)[0].file for k in range(runs)]
    return [numpy.asarray(Pictures.open(bench.settings.output / file)) / 255 for file in files]


def with_prompt(text: str, **values: Any) -> dict[str, Any]:
    made = text_to_image(**values)
    made["nodes"]["2"]["values"]["text"] = text
    return made


def test_each_of_several_runs_makes_its_own_picture_with_events_of_its_own(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(worker_previews, "PREVIEW_EVERY", 0.0)
    workflows = [
        with_prompt("a", seed=1, sampler="euler_ancestral"),
        with_prompt("a b c", seed=2, sampler="euler_ancestral"),
        with_prompt("a " * 40, seed=3, sampler="euler_ancestral"),
    ]
    single = []
    for one in workflows:
        bench.said.clear()
        assert bench.run(one).status == "finished"
        (produced,) = bench.events(Produced)
        single.append(numpy.asarray(Pictures.open(bench.settings.output / produced.file)) / 255)
    ended = at_once(bench, *workflows)
    assert [one.error for one in ended] == [None] * 3
    for made, alone in zip(pictures(bench, 3), single, strict=True):
        assert numpy.abs(made - alone).max() <= CLOSE
    assert numpy.abs(single[0] - single[1]).max() > 0.1, "the pictures differ"
    for run in ("t0", "t1", "t2"):
        assert [event.step for event in told(bench, run, Progressed)] == [1, 2, 3, 4]
        assert len(told(bench, run, Previewed)) == 3
        states = {event.node: event.state for event in told(bench, run, NodeChanged)}
        assert states["5"] == states["7"] == "finished"
        assert states["2"] == "cached", "what is not sampled is shared with single runs"


def test_what_was_computed_together_never_stands_in_for_a_single_run(bench: Bench) -> None:
    workflows = [text_to_image(seed=k) for k in range(2)]
    at_once(bench, *workflows)
    bench.said.clear()
    bench.run(workflows[0])
    states = {event.node: event.state for event in bench.events(NodeChanged)}
    assert (states["2"], states["5"], states["6"]) == ("cached", "finished", "finished")
    at_once(bench, *workflows)
    states = {event.node: event.state for event in told(bench, "t0", NodeChanged)}
    assert states["6"] == "cached", "but for another one that is computed together"


def test_one_of_several_runs_is_cancelled_within_a_step_and_the_others_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_previews, "PROGRESS_EVERY", 0.0)
    wish = Cancel()

    def cancel(event: Any) -> None:
        if isinstance(event, Progressed) and event.step == 2:
            wish.request()

    bench.on_event = cancel
    ended = at_once(bench, *(text_to_image(seed=k) for k in range(3)), wish=wish)
    assert [one.status for one in ended] == ["cancelled", "finished", "finished"]
    assert max(event.step for event in told(bench, "t0", Progressed)) == 2
    assert max(event.step for event in told(bench, "t2", Progressed)) == 4


def test_one_of_several_runs_fails_and_the_others_go_on(bench: Bench) -> None:
    bad = text_to_image(seed=1)
    bad["nodes"]["1"]["values"]["file"] = "nan.safetensors"
    ended = at_once(bench, text_to_image(seed=0), bad, text_to_image(seed=2))
    assert [one.status for one in ended] == ["finished", "failed", "finished"]
    assert "not finite" in str(ended[1].error)


def test_after_several_runs_no_model_is_in_use(bench: Bench) -> None:
    at_once(bench, *(text_to_image(seed=k) for k in range(2)))
    engine = bench.runner._shop.engine
    assert engine is not None
    assert [row.in_use for row in engine.memory.report()] == [False] * 3


@pytest.mark.parametrize(("asked", "together"), [(None, 1), (3, 3)])
def test_on_a_processor_runs_are_sampled_together_only_where_that_is_asked_for(
    settings: Settings, tiny_models: Path, asked: int | None, together: int
) -> None:
    bench = Bench(replace(with_models(settings, tiny_models), together=asked))
    bench.runner.announce()
    (ready,) = [message for message in bench.said if isinstance(message, Ready)]
    assert ready.together == together
