"""Lazy inputs: computed when a function awaits them, and not before."""

import pytest

from tests.graph.lab import Lab, boxed, chain, placed


class TestLazyInputs:
    NODES = {  # noqa: RUF012
        **chain(4),
        "p": boxed(100),
        "q": placed("one_more", a="p"),
    }

    @pytest.mark.parametrize(
        ("first", "number", "ran"),
        [(True, 3, ["x", "0", "1", "2", "3"]), (False, 101, ["x", "p", "q"])],
    )
    def test_only_the_branch_that_is_asked_for_runs(
        self, first: bool, number: int, ran: list[str]
    ) -> None:
        nodes = {**self.NODES, "x": placed("pick", a="3", b="q", values={"first": first})}
        lab = Lab()
        assert lab.number(nodes, "x") == number
        assert lab.ran() == ran

    def test_a_branch_that_is_not_asked_for_has_no_state(self) -> None:
        lab = Lab()
        lab.run({**self.NODES, "x": placed("pick", a="3", b="q")}, "x")
        assert lab.states("q") == []
        assert lab.states("3") == ["waiting", "running", "finished"]
        assert lab.states("x") == ["waiting", "running", "finished"]

    def test_a_function_that_asks_twice_is_not_begun_again(self) -> None:
        calls: list[int] = []
        nodes = {**self.NODES, "x": placed("both", a="3", b="q")}
        nodes["h"] = placed("hooked_lazily", a="x")
        lab = Lab(hooks={"h": lambda: calls.append(1)})
        assert lab.number(nodes, "h") == 104
        assert calls == [1]
        assert lab.ran().count("x") == 1

    def test_a_value_that_is_there_already_is_given_at_once(self) -> None:
        nodes = {**chain(3), "p": placed("pick", a="1", b="2"), "x": placed("add", a="2", b="p")}
        lab = Lab()
        assert lab.number(nodes, "x") == 3
        assert lab.ran() == ["0", "1", "2", "p", "x"]

    def test_lazy_wires_of_a_variadic_input_are_asked_for_one_by_one(self) -> None:
        nodes = {"a": boxed(-1), "b": boxed(5), "c": boxed(7)}
        nodes["x"] = placed("first_positive", items_0="a", items_1="b", items_2="c")
        lab = Lab()
        assert lab.number(nodes, "x") == 5
        assert lab.ran() == ["x", "a", "b"]

    def test_a_kept_result_spares_the_branch_and_the_choice(self) -> None:
        nodes = {**self.NODES, "x": placed("pick", a="3", b="q")}
        lab = Lab()
        lab.run(nodes, "x")
        assert lab.number({**nodes, "y": placed("one_more", a="x")}, "y") == 4
        assert lab.ran() == ["y"]

    def test_a_kept_branch_is_read_from_the_cache(self) -> None:
        lab = Lab()
        lab.run(self.NODES, "3")
        lab.run({**self.NODES, "x": placed("pick", a="3", b="q")}, "x")
        assert lab.ran() == ["x"]
        assert lab.states("3") == ["cached"]

    def test_ten_thousand_lazy_nodes_in_a_row_wait_without_recursion(self) -> None:
        nodes = {"0": boxed(7)}
        for index in range(1, 10_000):
            nodes[str(index)] = placed("pick", a=str(index - 1), b="0")
        assert Lab().number(nodes, "9999") == 7

    def test_a_lazy_input_that_fails_ends_the_run(self) -> None:
        nodes = {"f": placed("fail"), "p": boxed(1), "x": placed("pick", a="f", b="p")}
        lab = Lab()
        outcome = lab.run(nodes, "x")
        assert outcome.failure is not None
        assert outcome.failure.node == "f"
        assert lab.states("x") == ["waiting", "running", "cancelled"]

    def test_a_function_that_forgets_to_await_is_told_so(self) -> None:
        failure = Lab().run({"0": boxed(1), "x": placed("forgets_to_await", a="0")}, "x").failure
        assert failure is not None
        assert "a lazy input that was not awaited" in failure.message

    def test_a_function_that_awaits_something_else_is_told_so(self) -> None:
        nodes = {"0": boxed(1), "x": placed("awaits_something_else", a="0")}
        failure = Lab().run(nodes, "x").failure
        assert failure is not None
        assert "nothing but its lazy inputs" in failure.message
