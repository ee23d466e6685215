"""Runs of workflows with subgraphs: states, values, the plan and the queue's door."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graph.events import NodeChanged
from graph.migrations import load
from graph.workflow import Workflow
from server.settings import Settings
from server.worker_questions import AskPlan, AskValue, Planned, Value
from tests.graph.small_world import text_to_image
from tests.helpers.bench import Bench
from tests.helpers.packing import packed
from tests.helpers.workflows import graph
from tests.server.site import Site, site_at

SUM = load(
    graph(
        a=("number", {"value": 2}, {}),
        b=("add", {"right": 3}, {"left": "a"}),
        c=("add", {"right": 4}, {"left": "b"}),
        show=("show", {}, {"value": "c"}),
    )
).workflow
PACKED = packed(SUM, ["b", "c"], "sum", {"more": ("c", "right")})


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return Bench(settings, modules=["tests.helpers.trivial_nodes"])


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


def value(bench: Bench, node: str, output: str) -> object:
    answer = bench.runner.answer(AskValue(id=1, run="r", node=node, output=output))
    assert isinstance(answer, Value)
    return answer.data


def planned(bench: Bench, workflow: Workflow) -> Planned:
    answer = bench.runner.answer(AskPlan(id=1, workflow=workflow.to_json()))
    assert isinstance(answer, Planned)
    return answer


def test_states_and_values_are_told_of_what_is_inside(bench: Bench) -> None:
    assert bench.run(PACKED.to_json(), name="r").status == "finished"
    states = {event.node: event.state for event in bench.events(NodeChanged)}
    assert states == dict.fromkeys(("a", "sum/b", "sum/c", "show"), "finished")
    assert value(bench, "sum/b", "integer") == 5
    assert value(bench, "sum", "c.integer") == 9, "the outer node has what the inner one gave"
    assert value(bench, "sum", "nothing") is None


def test_packing_what_was_run_leaves_nothing_to_run_but_what_saves(bench: Bench) -> None:
    bench.run(SUM.to_json())
    assert (planned(bench, PACKED).cached, planned(bench, PACKED).to_run) == (3, 1)
    deeper = packed(PACKED, ["a", "sum"], "all")
    assert (planned(bench, deeper).cached, planned(bench, deeper).to_run) == (3, 1)


def test_a_value_of_the_interface_changes_what_hangs_on_it_alone(bench: Bench) -> None:
    bench.run(PACKED.to_json())
    changed = PACKED.model_copy(deep=True)
    changed.nodes["sum"].values["more"] = 5
    assert (planned(bench, changed).cached, planned(bench, changed).to_run) == (2, 2)


def test_a_wanted_subgraph_runs_what_it_gives(bench: Bench) -> None:
    assert bench.run(PACKED.to_json(), "sum", name="r").status == "finished"
    assert value(bench, "sum", "c.integer") == 9
    assert "show" not in {event.node for event in bench.events(NodeChanged)}


async def test_the_api_checks_queues_and_shows_what_is_inside(site: Site) -> None:
    flow = packed(text_to_image(), ["decode"], "see")
    status, answer = await site.post("/api/check", {"workflow": flow.to_json()})
    assert (status, answer["runnable"], answer["problems"]) == (200, True, [])
    assert answer["types"]["see"]["inputs"]["in0"]["spaces"][0]["candidates"] == ["starter"]
    status, answer = await site.post("/api/runs", {"workflow": flow.to_json()})
    assert status == 201
    run = answer["id"]
    site.worker.values["see/decode", "image"] = Value(id=0, kind="number", data=3)
    found = await site.client.get(f"/api/runs/{run}/values/see%2Fdecode/image")
    assert (found.status, (await found.json())["value"]) == (200, 3)
    found = await site.client.get(f"/api/runs/{run}/values/see%2Fgone/image")
    assert found.status == 404


async def test_a_drag_is_judged_at_the_sockets_of_subgraphs(site: Site) -> None:
    flow = packed(text_to_image(vae_file="sdxl.safetensors"), ["decode"], "see")
    asked = {"workflow": flow.to_json(), "node": "sampler", "output": "latent"}
    status, answer = await site.post("/api/check/targets", asked)
    assert status == 200
    verdicts = {(one["node"], one["socket"]): one for one in answer["targets"]}
    assert verdicts["see", "in0"]["ok"] is False
    assert verdicts["see", "in0"]["code"] == verdicts["see/decode", "latent"]["code"]
    assert {"subgraph:see", "vae_decode"} <= {one["type"] for one in answer["types"]}
    asked = {"workflow": flow.to_json(), "node": "see", "input": "in1"}
    _, answer = await site.post("/api/check/targets", asked)
    verdicts = {(one["node"], one["socket"]): one for one in answer["targets"]}
    assert verdicts["checkpoint", "vae"]["ok"] is True
    assert verdicts["see", "decode.image"]["code"] == "cycle"
