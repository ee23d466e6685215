"""A node that fails, or gives what it should not, is named in a sentence."""

import gc
import re
import weakref

import pytest

from graph.cache import ResultCache
from tests.graph.arithmetic import Box
from tests.graph.lab import Lab, boxed, chain, placed, size_of


class TestFailures:
    def test_the_failure_names_the_node_and_says_the_sentence(self) -> None:
        lab = Lab()
        outcome = lab.run({"0": boxed(1), "x": placed("fail", title="My Box", a="0")}, "x")
        failure = outcome.failure
        assert failure is not None
        assert outcome.status == "failed"
        assert (failure.node, failure.title) == ("x", "My Box")
        assert failure.message == "My Box: The box is stuck."
        assert "arithmetic.py" in failure.traceback
        assert "ValueError: The box is stuck." in failure.traceback

    def test_an_error_of_python_is_told_with_its_kind_and_place(self) -> None:
        failure = Lab().run({"x": placed("fail_within")}, "x").failure
        assert failure is not None
        told = r"Fail within: KeyError: 'lid' \(arithmetic\.py, line \d+\)"
        assert re.fullmatch(told, failure.message)

    def test_the_caller_may_put_an_error_in_words(self) -> None:
        lab = Lab(options={"explain": lambda error: f"{type(error).__name__} was explained."})
        failure = lab.run({"x": placed("fail")}, "x").failure
        assert failure is not None
        assert failure.message == "Fail: ValueError was explained."

    def test_a_failure_ends_the_run_and_what_was_done_is_kept(self) -> None:
        nodes = {**chain(3), "f": placed("fail", a="2"), "after": placed("one_more", a="f")}
        nodes["other"] = placed("scale", a="2")
        lab = Lab()
        outcome = lab.run(nodes, "after", "other")
        assert outcome.status == "failed"
        assert lab.states("f") == ["waiting", "running", "failed"]
        assert lab.states("after") == lab.states("other") == ["waiting", "cancelled"]
        lab.run({**nodes, "f": placed("one_more", a="2")}, "after", "other")
        assert lab.ran() == ["f", "after", "other"]

    def test_a_wanted_value_that_was_done_before_the_failure_is_given(self) -> None:
        outcome = Lab().run({**chain(3), "f": placed("fail", a="2")}, "1", "f")
        assert outcome.values == {"1": {"box": Box(1)}}

    def test_only_the_failing_node_carries_the_message(self) -> None:
        lab = Lab()
        lab.run({**chain(3), "f": placed("fail", a="2")}, "f")
        told = {event.node: event.message for event in lab.changes() if event.message}
        assert told == {"f": "Fail: The box is stuck."}

    def test_a_failure_holds_no_value_alive(self) -> None:
        boxes: list[weakref.ref[Box]] = []
        lab = Lab(
            cache=ResultCache(0, size_of),
            options={"examine": lambda _, value: boxes.append(weakref.ref(value))},
        )
        outcome = lab.run({**chain(3), "f": placed("fail", a="2")}, "f")
        gc.collect()
        assert outcome.failure is not None
        assert [ref() for ref in boxes] == [None, None, None]

    @pytest.mark.parametrize(
        ("type_", "sentence"),
        [
            ("gives_nothing", "Gives nothing: its output Box is missing."),
            ("gives_a_text", "Gives a text: its output Integer must be a whole number, not str."),
            ("gives_nan", "Gives nan: its output Number must be a number, not nan."),
            (
                "gives_no_tuple",
                "Gives no tuple: it must return a NamedTuple of quotient, rest, not tuple.",
            ),
            ("gives_no_list", "Gives no list: its output Box must be a list, not Box."),
        ],
    )
    def test_an_output_of_the_wrong_shape_names_the_node(self, type_: str, sentence: str) -> None:
        failure = Lab().run({"x": placed(type_)}, "x").failure
        assert failure is not None
        assert failure.message == sentence

    def test_the_caller_may_object_to_an_output(self) -> None:
        lab = Lab(options={"examine": lambda definition, value: "holds numbers that are none"})
        failure = lab.run({"x": boxed(1)}, "x").failure
        assert failure is not None
        assert failure.message == "Box: its output Box holds numbers that are none."

    def test_a_part_that_a_file_lacks_fails_only_who_needs_it(self) -> None:
        nodes = {"h": placed("half"), "x": placed("one_more", a="h.left")}
        assert Lab().number(nodes, "x") == 2
        nodes = {"h": placed("half"), "x": placed("one_more", a="h.right")}
        failure = Lab().run(nodes, "x").failure
        assert failure is not None
        assert failure.message == "One more: Half gives no right: wire something else to it."
        assert Lab().number({"h": placed("half"), "x": placed("maybe", a="h.right")}, "x") == -1

    def test_what_ends_the_process_is_not_held_back(self) -> None:
        def leave() -> None:
            raise SystemExit(3)

        lab = Lab(hooks={"x": leave})
        with pytest.raises(SystemExit):
            lab.run({"x": placed("hooked")}, "x")

    def test_a_function_that_waits_cleans_up_when_the_run_ends(self) -> None:
        cleaned: list[str] = []
        nodes = {"f": placed("fail"), "x": placed("cleans_up", a="f")}
        lab = Lab(hooks={"x": lambda: cleaned.append("x")})
        assert lab.run(nodes, "x").status == "failed"
        assert cleaned == ["x"]
