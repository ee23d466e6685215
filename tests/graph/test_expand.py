"""A node that returns a workflow, which is checked and then joins the run."""

from graph.cache import ResultCache
from tests.graph.lab import Lab, alive_at, boxed, chain, most_alive, placed, size_of


class TestExpansions:
    def test_a_node_may_return_a_workflow_in_its_place(self) -> None:
        nodes = {"0": boxed(10), "x": placed("add_times", a="0", values={"times": 4})}
        lab = Lab()
        assert lab.number({**nodes, "y": placed("scale", a="x")}, "y") == 28
        assert lab.ran() == ["0", "x", "x/0", "x/1", "x/2", "x/3", "y"]
        assert lab.states("x") == ["waiting", "running", "finished"]

    def test_it_is_checked_with_what_it_hangs_on_before_it_joins(self) -> None:
        nodes = {**chain(3), "x": placed("add_times", a="1"), "aside": boxed(5)}
        lab = Lab()
        lab.run(nodes, "x")
        ((workflow, wanted),) = lab.checked
        assert set(workflow.nodes) == {"0", "1", "x/0"}
        assert workflow.nodes["x/0"].inputs["a"].node == "1"
        assert list(wanted) == ["x/0"]

    def test_a_workflow_that_the_checker_refuses_fails_the_node_with_the_reason(self) -> None:
        nodes = {"0": boxed(1), "x": placed("expands_into_nonsense", a="0")}
        lab = Lab()
        failure = lab.run(nodes, "x").failure
        assert failure is not None
        assert failure.node == "x"
        assert failure.message.startswith("Expands into nonsense: ")
        assert "Integer" in failure.message
        assert lab.ran() == ["0", "x"]

    def test_what_is_kept_is_not_run_again_inside(self) -> None:
        nodes = {**chain(3), "x": placed("add_times", a="0", values={"times": 3})}
        lab = Lab()
        lab.run(nodes, "2")
        assert lab.number(nodes, "x") == 3
        assert lab.ran() == ["x", "x/2"]
        assert lab.states("x/0") == lab.states("x/1") == ["cached"]

    def test_the_result_of_an_expansion_is_kept_under_the_node(self) -> None:
        nodes = {"0": boxed(10), "x": placed("add_times", a="0")}
        lab = Lab()
        lab.run(nodes, "x")
        lab.run(nodes, "x")
        assert lab.ran() == []

    def test_an_expansion_may_expand(self) -> None:
        nodes = {"0": boxed(10), "x": placed("count_down", a="0", values={"left": 5})}
        assert Lab().number(nodes, "x") == 15

    def test_deep_expansions_do_not_recurse(self) -> None:
        # Each level is planned with its ancestors, which makes this quadratic: 300 levels, not
        # more, are enough to pass Python's limit of 1000 frames at 4 frames a level.
        nodes = {"0": boxed(0), "x": placed("count_down", a="0", values={"left": 300})}
        lab = Lab()
        lab.check = lambda workflow, wanted: {}  # the real one would take most of the time
        assert lab.number(nodes, "x") == 300

    def test_nothing_of_an_expansion_stays_in_memory(self) -> None:
        nodes = {"0": boxed(0), "x": placed("add_times", a="0", values={"times": 30})}
        assert most_alive(nodes, "x") <= 2

    def test_what_was_done_and_freed_is_done_again_where_an_expansion_needs_it(self) -> None:
        nodes = {"0": boxed(1), "more": placed("one_more", a="0"), "b": placed("scale", a="more")}
        nodes["x"] = placed("add_times", a="0")
        nodes["end"] = placed("add", a="b", b="x")
        lab = Lab(cache=ResultCache(0, size_of))
        assert lab.number(nodes, "end") == 6
        assert lab.states("more") == 2 * ["waiting", "running", "finished"]

    def test_what_was_never_asked_for_and_let_go_of_is_done_where_an_expansion_needs_it(
        self,
    ) -> None:
        nodes = {"0": boxed(1), "two": boxed(2), "branch": placed("one_more", a="0")}
        nodes["choice"] = placed("pick", a="two", b="branch")
        nodes["x"] = placed("add_times", a="0")  # becomes the step that "branch" is
        nodes["end"] = placed("add", a="choice", b="x")
        lab = Lab(cache=ResultCache(0, size_of))
        assert lab.number(nodes, "end") == 4
        assert lab.ran() == ["choice", "two", "0", "x", "branch", "end"]

    def test_the_values_of_an_expansion_go_with_their_last_reader(self) -> None:
        nodes = {"0": boxed(1), "x": placed("add_times", a="0")}
        nodes |= {"tail": placed("one_more", a="x"), "end": placed("one_more", a="tail")}
        assert alive_at(nodes, "end", at="tail") == {"x/0"}
        assert alive_at(nodes, "end", at="end") == {"tail"}

    def test_a_node_that_expands_into_itself_is_refused(self) -> None:
        failure = Lab().run({"0": boxed(1), "x": placed("expands_into_itself", a="0")}, "x").failure
        assert failure is not None
        assert "expands into itself" in failure.message

    def test_an_expansion_must_give_the_nodes_own_outputs(self) -> None:
        failure = Lab().run({"0": boxed(1), "x": placed("expands_wrongly", a="0")}, "x").failure
        assert failure is not None
        assert failure.message == "Expands wrongly: its expansion must give box."

    def test_a_run_without_a_planner_takes_none(self) -> None:
        lab = Lab(options={"join": None})
        failure = lab.run({"0": boxed(1), "x": placed("add_times", a="0")}, "x").failure
        assert failure is not None
        assert "this run takes none" in failure.message
