"""Planning: only what is wanted, in an order that works, under keys that mean what they say."""

from collections.abc import Mapping

import pytest

from graph.cache import ResultCache
from graph.plan import Unplannable
from graph.workflow import PlacedNode
from tests.graph.lab import Boxes, Lab, boxed, chain, placed, size_of, work_of


def nodes_in_order(lab: Lab, nodes: Mapping[str, PlacedNode], *wanted: str) -> list[str]:
    return [name for step in lab.planned(nodes, *wanted).steps.values() for name in step.nodes]


class TestWhatIsPlanned:
    def test_only_ancestors_of_the_wanted_node_are_planned(self) -> None:
        nodes = {**chain(5), "aside": placed("one_more", a="1")}
        assert nodes_in_order(Lab(), nodes, "3") == ["0", "1", "2", "3"]

    def test_by_default_the_nodes_that_are_run_for_their_effect_are_wanted(self) -> None:
        nodes = {**chain(3), "save": placed("save", a="1"), "also": placed("save", a="0")}
        planned = Lab().planned(nodes)
        assert planned.wanted == ("save", "also")
        assert set(planned.keys) == {"0", "1", "save", "also"}

    def test_a_workflow_without_such_nodes_plans_nothing(self) -> None:
        assert not Lab().planned(chain(3)).steps

    def test_each_step_comes_after_what_it_reads(self) -> None:
        nodes = {
            "end": placed("add", a="left", b="right"),
            "right": placed("one_more", a="root"),
            "left": placed("scale", a="root"),
            "root": placed("box"),
        }
        assert nodes_in_order(Lab(), nodes, "end") == ["root", "left", "right", "end"]

    def test_a_branch_is_finished_before_the_next_one_begins(self) -> None:
        nodes = {
            "a0": placed("box"),
            "b0": placed("box", values={"number": 1}),
            "a1": placed("one_more", a="a0"),
            "b1": placed("one_more", a="b0"),
            "end": placed("add", a="a1", b="b1"),
        }
        assert nodes_in_order(Lab(), nodes, "end") == ["a0", "a1", "b0", "b1", "end"]

    def test_the_same_workflow_gives_the_same_order(self) -> None:
        nodes = {**chain(50), "end": placed("add", a="49", b="20")}
        shuffled = dict(reversed(nodes.items()))
        lab = Lab()
        assert nodes_in_order(lab, nodes, "end") == nodes_in_order(lab, shuffled, "end")

    def test_lazy_inputs_are_planned_but_are_no_need(self) -> None:
        nodes = {
            "a": placed("box"),
            "b": placed("box", values={"number": 1}),
            "x": placed("pick", a="a", b="b"),
        }
        planned = Lab().planned(nodes, "x")
        step = planned.steps[planned.keys["x"]]
        assert step.needs == []
        assert step.sources == [planned.keys["a"], planned.keys["b"]]

    def test_what_hangs_on_a_muted_node_is_not_planned(self) -> None:
        nodes = {
            "a": placed("box", mode="mute"),
            "b": placed("one_more", a="a"),
            "save": placed("save", a="b"),
            "other": placed("box"),
            "saved": placed("save", a="other"),
        }
        assert set(Lab().planned(nodes).keys) == {"other", "saved"}

    def test_a_bypassed_node_passes_its_wire(self) -> None:
        nodes = {**chain(3), "skip": placed("scale", mode="bypass", a="1")}
        nodes["end"] = placed("one_more", a="skip")
        planned = Lab().planned(nodes, "end")
        assert set(planned.keys) == {"0", "1", "end"}
        assert planned.keys["end"] == Lab().planned(nodes, "2").keys["2"]

    def test_an_output_node_that_is_muted_is_not_wanted(self) -> None:
        nodes = {"0": placed("box"), "save": placed("save", mode="mute", a="0")}
        assert Lab().planned(nodes).wanted == ()


class TestWhatCannotBePlanned:
    def test_a_wanted_node_that_is_not_there(self) -> None:
        with pytest.raises(Unplannable, match="no node 'x'"):
            Lab().planned(chain(2), "x")

    def test_a_wanted_node_that_hangs_on_a_muted_one(self) -> None:
        nodes = {"0": placed("box", mode="mute"), "x": placed("one_more", title="More", a="0")}
        with pytest.raises(Unplannable, match=r"More \(x\) cannot run"):
            Lab().planned(nodes, "x")

    def test_an_unknown_type_is_named(self) -> None:
        with pytest.raises(Unplannable, match="unknown type 'teapot'"):
            Lab().planned({"x": placed("teapot")}, "x")

    @pytest.mark.parametrize("length", [1, 2, 3, 10_000])
    def test_a_ring_is_found_however_long(self, length: int) -> None:
        nodes = {str(k): placed("one_more", a=str((k + 1) % length)) for k in range(length)}
        with pytest.raises(Unplannable, match="its own result"):
            Lab().planned(nodes, "0")

    def test_a_ring_through_a_lazy_input_is_one_too(self) -> None:
        nodes = {"x": placed("pick", a="y", b="y"), "y": placed("one_more", a="x")}
        with pytest.raises(Unplannable, match="its own result"):
            Lab().planned(nodes, "x")

    def test_a_space_that_nobody_states(self) -> None:
        for bindings in ({}, {"x": {"S": None}}, {"x": {"S": ("sd1", "sdxl")}}):
            with pytest.raises(Unplannable, match="latent space of Space name is not known"):
                Lab(bindings=bindings).planned({"x": placed("space_name")}, "x")


class TestForecast:
    def test_it_says_what_is_kept_and_what_will_run(self) -> None:
        lab = Lab()
        lab.run(chain(3), "2")
        assert lab.planned(chain(7), "6").cached(lab.cache) == (3, 4, 0)

    def test_ancestors_of_what_is_kept_need_not_be_kept(self) -> None:
        lab = Lab()
        lab.run(chain(3), "2")
        key = lab.planned(chain(3), "2").keys["2"]
        assert lab.planned(chain(4), "3").cached({key}) == (3, 1, 0)

    def test_it_names_the_steps_that_will_run_in_their_order(self) -> None:
        lab = Lab()
        lab.run(chain(3), "2")
        planned = lab.planned(chain(5), "4")
        assert set(planned.to_run(lab.cache)) == {planned.keys["3"], planned.keys["4"]}
        assert planned.to_run(planned.steps) == []

    def test_lazy_branches_are_counted_apart(self) -> None:
        nodes = {**chain(3), "other": placed("box", values={"number": 9})}
        nodes["x"] = placed("pick", a="2", b="other")
        assert Lab().planned(nodes, "x").cached(()) == (0, 1, 4)

    def test_a_node_that_is_needed_and_lazy_is_needed(self) -> None:
        nodes = {"0": placed("box"), "p": placed("pick", a="0", b="0")}
        nodes["x"] = placed("add", a="p", b="0")
        assert Lab().planned(nodes, "x").cached(()) == (0, 3, 0)

    def test_looking_ahead_is_no_use_of_the_cache(self) -> None:
        cache = ResultCache(2**20, size_of)
        Lab().planned(chain(3), "2").cached(cache)
        assert cache.statistics().misses == 0


def test_a_chain_of_ten_thousand_nodes_is_planned_without_recursion() -> None:
    planned = Lab().planned(chain(10_000), "9999")
    assert len(planned.steps) == 10_000


def fan(count: int) -> dict[str, PlacedNode]:
    """So many boxes, and node "x" that adds them up."""
    nodes = {str(k): boxed(k) for k in range(count)}
    return {**nodes, "x": placed("total", **{f"items_{k}": str(k) for k in range(count)})}


def test_planning_costs_the_same_per_node_in_long_chains_and_in_wide_graphs() -> None:
    def chained(length: int) -> int:
        nodes = chain(length)
        return work_of(lambda: Lab().planned(nodes, str(length - 1)))

    def fanned(count: int) -> int:
        nodes = fan(count)
        return work_of(lambda: Lab().planned(nodes, "x"))

    for work in (chained, fanned):
        assert work(1000) < 11 * work(100)


def test_files_are_asked_about_once_in_a_plan() -> None:
    class Counted(Boxes):
        asked = 0

        def facts(self, folder: str, name: str):
            self.asked += 1
            return super().facts(folder, name)

    files = Counted(crate="aa")
    nodes = {str(k): placed("load", values={"file": "crate"}) for k in range(5)}
    nodes["x"] = placed("total", **{f"items_{k}": str(k) for k in range(5)})
    Lab(files=files).planned(nodes, "x")
    assert files.asked == 1
