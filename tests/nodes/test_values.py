"""Values for several widgets go along wires, and texts are joined."""

from typing import Any

import pytest

from graph.workflow import Workflow
from nodes.values import join_text
from server.settings import Settings
from server.worker_packs import core_modules, core_nodes
from tests.helpers.bench import Bench
from tests.helpers.every_space import node


@pytest.fixture
def bench(settings: Settings) -> Bench:
    return Bench(settings)


def ran(bench: Bench, **nodes: Any) -> Any:
    ended = bench.run(Workflow(nodes=nodes).to_json(), "last")
    assert (ended.status, ended.error) == ("finished", None)
    definition = core_nodes(core_modules()).definitions[nodes["last"].type]
    return bench.value("run1", "last", definition.outputs[0].name, "about").data


def test_a_number_reaches_all_widgets_that_it_is_wired_to(bench: Bench) -> None:
    told = ran(
        bench,
        edge=node("whole_number", {"value": 24}),
        last=node("empty_image", width="edge.integer", height="edge.integer"),
    )
    assert (told["width"], told["height"]) == (24, 24)


def test_texts_are_joined_without_the_empty_ones(bench: Bench) -> None:
    assert join_text("a cat", "", "on a mat", separator=" / ") == "a cat / on a mat"
    told = ran(
        bench,
        one=node("text", {"text": "a"}),
        last=node("join_text", {"second": "b"}, first="one.text", third="one.text"),
    )
    assert told["value"] == "a, b, a"


@pytest.mark.parametrize(
    ("type_", "values", "value"),
    [("number", {"value": 0.5}, 0.5), ("seed", {"seed": 2**60}, 2**60), ("switch", {}, True)],
)
def test_other_values_are_handed_on(
    bench: Bench, type_: str, values: dict[str, object], value: object
) -> None:
    assert ran(bench, last=node(type_, values))["value"] == value
