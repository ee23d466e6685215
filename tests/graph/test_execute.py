"""Running a plan: each step once, with the right arguments, told about as it happens."""

from typing import Any

import pytest

from tests.graph.lab import Boxes, Lab, boxed, chain, placed, work_of


class Clock:
    """Time that passes only when a test says so."""

    now = 0.0

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("graph.execute.perf_counter", clock)
    return clock


class TestResults:
    def test_a_chain_adds_up(self) -> None:
        assert Lab().number(chain(10, start=5), "9") == 14

    def test_ten_thousand_nodes_in_a_row_run_without_recursion(self) -> None:
        assert Lab().number(chain(10_000), "9999") == 9999

    def test_a_diamond_runs_its_root_once(self) -> None:
        nodes = {
            "root": boxed(1),
            "left": placed("one_more", a="root"),
            "right": placed("scale", a="root"),
        }
        nodes["end"] = placed("add", a="left", b="right")
        lab = Lab()
        assert lab.number(nodes, "end") == 4
        assert lab.ran() == ["root", "left", "right", "end"]

    def test_nodes_that_do_the_same_are_computed_once_and_all_told_about(self) -> None:
        nodes = {"a": boxed(3), "b": boxed(3), "end": placed("add", a="a", b="b")}
        calls: list[str] = []
        nodes["a"] = nodes["b"] = placed("hooked")
        lab = Lab(hooks={"a": lambda: calls.append("a"), "b": lambda: calls.append("b")})
        lab.run(nodes, "end")
        assert calls == ["a"]
        assert lab.states("a") == lab.states("b") == ["waiting", "running", "finished"]

    def test_several_wanted_nodes_come_from_one_run(self) -> None:
        outcome = Lab().run(chain(5), "2", "4")
        assert {node: outputs["box"].number for node, outputs in outcome.values.items()} == {
            "2": 2,
            "4": 4,
        }

    def test_an_empty_plan_finishes(self) -> None:
        outcome = Lab().run(chain(3))
        assert (outcome.status, outcome.values, outcome.ran) == ("finished", {}, 0)

    def test_a_node_for_its_effect_runs_each_time(self) -> None:
        lab = Lab()
        nodes = {**chain(3), "save": placed("save", a="2")}
        lab.run(nodes)
        lab.run(nodes)
        assert lab.ran() == ["save"]

    def test_a_bypassed_node_passes_its_input(self) -> None:
        nodes = {**chain(3), "skip": placed("scale", mode="bypass", a="2")}
        assert Lab().number({**nodes, "x": placed("one_more", a="skip")}, "x") == 3

    def test_what_hangs_on_a_muted_node_does_not_run(self) -> None:
        nodes = {"a": placed("box", mode="mute"), "save": placed("save", a="a")}
        nodes |= {"b": boxed(1), "saved": placed("save", a="b")}
        lab = Lab()
        assert lab.run(nodes).status == "finished"
        assert lab.ran() == ["b", "saved"]


class TestArguments:
    def test_a_widget_that_was_not_saved_has_its_default(self) -> None:
        assert Lab().number({"0": boxed(3), "x": placed("scale", a="0")}, "x") == 6

    def test_a_wire_replaces_a_widget(self) -> None:
        nodes = {"0": boxed(3), "n": placed("number_of", a="0")}
        nodes["x"] = placed("scale", a="0", by="n.integer", values={"by": 50})
        assert Lab().number(nodes, "x") == 9

    def test_a_whole_number_wired_to_a_number_widget_becomes_a_fraction(self) -> None:
        nodes = {"0": boxed(3), "n": placed("number_of", a="0")}
        nodes["x"] = placed("stretch", a="0", by="n.integer")
        assert Lab().number(nodes, "x", "number") == 9.0

    def test_a_wired_value_out_of_range_is_refused_in_words(self) -> None:
        nodes = {"0": boxed(101), "n": placed("number_of", a="0")}
        nodes["x"] = placed("scale", a="0", by="n.integer")
        failure = Lab().run(nodes, "x").failure
        assert failure is not None
        assert failure.message == "Scale: By must be at most 100, not 101."

    def test_an_optional_input_without_a_wire_is_none(self) -> None:
        assert Lab().number({"x": placed("maybe")}, "x") == -1
        assert Lab().number({"0": boxed(4), "x": placed("maybe", a="0")}, "x") == 4

    def test_a_required_input_without_a_wire_is_named(self) -> None:
        failure = Lab().run({"x": placed("one_more", title="Mine")}, "x").failure
        assert failure is not None
        assert failure.message == "Mine: nothing is wired to A."

    def test_a_variadic_input_gets_its_wires_in_the_order_of_their_numbers(self) -> None:
        nodes = {str(k): boxed(k) for k in (1, 2, 3)}
        nodes["x"] = placed("digits", items_10="3", items_2="1", items_9="2")
        assert Lab().number(nodes, "x") == 123

    def test_a_variadic_input_without_wires_has_its_default(self) -> None:
        assert Lab().number({"x": placed("total")}, "x") == 0

    def test_a_list_travels_along_a_wire(self) -> None:
        nodes = {"0": boxed(5), "many": placed("count_to", a="0")}
        assert Lab().number({**nodes, "x": placed("total_of_list", items="many")}, "x") == 10

    def test_each_field_of_a_named_tuple_is_an_output(self) -> None:
        nodes = {"0": boxed(47), "d": placed("divide", a="0")}
        nodes["x"] = placed("digits", items_0="d.rest", items_1="d.quotient")
        assert Lab().number(nodes, "x") == 74

    def test_a_file_arrives_with_its_path_and_content(self) -> None:
        nodes = {"x": placed("load", values={"file": "crate"})}
        assert Lab(files=Boxes(crate="abc")).number(nodes, "x") == 3

    def test_a_file_that_is_gone_is_named(self) -> None:
        failure = Lab().run({"x": placed("load", values={"file": "crate"})}, "x").failure
        assert failure is not None
        assert failure.message == "Load: There is no file 'crate' in boxes."

    def test_a_space_arrives_as_its_id_or_as_what_the_caller_makes_of_it(self) -> None:
        nodes = {"x": placed("space_name")}
        lab = Lab(bindings={"x": {"S": ("sdxl",)}})
        assert lab.number(nodes, "x", "text") == "sdxl"
        lab = Lab(
            bindings=lab.bindings,
            options={"resolve_space": lambda axis, space: f"{axis} {space}"},
        )
        assert lab.number(nodes, "x", "text") == "latent sdxl"

    def test_a_service_knows_which_call_it_is_for(self) -> None:
        seen = []
        lab = Lab()

        def service(name: str, call: Any) -> Any:
            seen.append((name, call.node, call.title, call.key, call.cancel))
            return lambda: None

        lab.service = service  # type: ignore[method-assign]
        lab.run({"x": placed("hooked", title="Mine")}, "x")
        assert lab.plan is not None
        assert seen == [("Hook", "x", "Mine", lab.plan.keys["x"], lab.cancel)]


class TestEvents:
    def test_there_are_three_for_each_node_that_runs_however_many_there_are(self) -> None:
        for length in (10, 1000):
            lab = Lab()
            lab.run(chain(length), str(length - 1))
            assert len(lab.events) == 3 * length

    def test_all_nodes_wait_before_the_first_one_runs(self) -> None:
        lab = Lab()
        lab.run(chain(5), "4")
        assert [event.state for event in lab.changes()[:6]] == ["waiting"] * 5 + ["running"]

    def test_a_finished_node_says_how_long_it_ran(self, clock: Clock) -> None:
        lab = Lab(hooks={"x": lambda: clock.pass_seconds(2.5)})
        lab.run({"x": placed("hooked")}, "x")
        assert lab.changes()[-1].seconds == 2.5

    def test_a_node_does_not_count_the_time_that_it_waits_for_a_lazy_input(
        self, clock: Clock
    ) -> None:
        lab = Lab(hooks={node: lambda: clock.pass_seconds(2.5) for node in ("slow", "x")})
        nodes = {"slow": placed("hooked"), "x": placed("hooked_lazily", a="slow")}
        lab.run(nodes, "x")
        assert {e.node: e.seconds for e in lab.changes() if e.seconds} == {"slow": 2.5, "x": 2.5}


def test_running_costs_the_same_per_node_in_long_chains_and_in_wide_graphs() -> None:
    def chained(length: int) -> int:
        nodes = chain(length)
        return work_of(lambda: Lab().run(nodes, str(length - 1)))

    def fanned(count: int) -> int:
        nodes = {str(k): boxed(k) for k in range(count)}
        nodes["x"] = placed("total", **{f"items_{k}": str(k) for k in range(count)})
        return work_of(lambda: Lab().run(nodes, "x"))

    def lazily(length: int) -> int:
        nodes = {"0": boxed(7)}
        for k in range(1, length):
            nodes[str(k)] = placed("pick", a=str(k - 1), b="0")
        return work_of(lambda: Lab().run(nodes, str(length - 1)))

    for work in (chained, fanned, lazily):
        assert work(1000) < 11 * work(100)
