"""Step keys: every ingredient changes them, and nothing else does."""

from collections.abc import Mapping
from typing import Any

import pytest

from graph.plan import plan
from graph.workflow import PlacedNode, Workflow
from tests.graph.arithmetic import DEFINITIONS
from tests.graph.lab import Boxes, Lab, chain, placed


def key_of(nodes: Mapping[str, PlacedNode], wanted: str = "x", **lab: Any) -> str:
    return Lab(**lab).planned(nodes, wanted).keys[wanted]


class TestKeys:
    """Every ingredient changes the key, and nothing else does."""

    def test_a_key_is_a_sha_256(self) -> None:
        assert len(bytes.fromhex(key_of({"x": placed("box")}))) == 32

    def test_the_same_work_has_the_same_key_under_another_id_and_title(self) -> None:
        nodes = {"x": placed("box", title="First"), "y": placed("box", title="Second")}
        assert key_of(nodes, "x") == key_of(nodes, "y")

    def test_nodes_that_do_the_same_share_one_step(self) -> None:
        nodes = {
            "a": placed("box"),
            "b": placed("box"),
            "c": placed("one_more", a="a"),
            "d": placed("one_more", a="b"),
            "end": placed("add", a="c", b="d"),
        }
        steps = list(Lab().planned(nodes, "end").steps.values())
        assert [step.nodes for step in steps] == [["a", "b"], ["c", "d"], ["end"]]

    def test_the_type_counts(self) -> None:
        nodes = {"0": placed("box"), "x": placed("one_more", a="0"), "y": placed("maybe", a="0")}
        assert key_of(nodes, "x") != key_of(nodes, "y")

    @pytest.mark.parametrize("change", [{"version": 2}, {"source": "f00"}])
    def test_the_version_and_the_source_of_the_definition_count(
        self, change: dict[str, Any]
    ) -> None:
        workflow = Workflow(nodes={"x": placed("box")})
        changed = {**DEFINITIONS, "box": DEFINITIONS["box"].model_copy(update=change)}
        keys = {
            plan(workflow, definitions, {}, wanted=["x"], files=Boxes(), engine="").keys["x"]
            for definitions in (DEFINITIONS, changed)
        }
        assert len(keys) == 2

    def test_the_engine_counts(self) -> None:
        nodes = {"x": placed("box")}
        assert key_of(nodes, engine="bf16") != key_of(nodes, engine="fp32")

    def test_values_count(self) -> None:
        assert key_of({"x": placed("box", values={"number": 1})}) != key_of(
            {"x": placed("box", values={"number": 2})}
        )

    def test_a_default_that_is_written_out_is_the_same(self) -> None:
        assert key_of({"x": placed("box", values={"number": 0})}) == key_of({"x": placed("box")})

    def test_a_whole_number_in_a_number_widget_is_the_same_as_a_fraction(self) -> None:
        nodes = {"0": placed("box"), "x": placed("stretch", a="0", values={"by": 3})}
        other = {**nodes, "x": placed("stretch", a="0", values={"by": 3.0})}
        assert key_of(nodes) == key_of(other)

    def test_a_large_integer_is_the_same_as_its_decimal_string(self) -> None:
        keys = {key_of({"x": placed("box", values={"number": n})}) for n in (2**63, str(2**63))}
        assert len(keys) == 1

    def test_the_order_in_which_values_were_saved_does_not_count(self) -> None:
        one = placed("save", a="0", values={"name": "n", "unknown": 1})
        two = placed("save", a="0", values={"unknown": 2, "name": "n"})
        plans = [Lab().planned({"0": placed("box"), "x": x}, "x", nonce="n") for x in (one, two)]
        assert plans[0].keys == plans[1].keys

    def test_spaces_count_in_any_order_of_candidates(self) -> None:
        nodes = {"x": placed("box")}
        known = [("sd1",), ("sdxl",), ("sd1", "sdxl"), None]
        keys = [key_of(nodes, bindings={"x": {"S": candidates}}) for candidates in known]
        assert len(set(keys)) == 4
        assert key_of(nodes, bindings={"x": {"S": ("sdxl", "sd1")}}) == keys[2]

    def test_the_content_of_a_file_counts(self) -> None:
        nodes = {"x": placed("load", values={"file": "crate"})}
        keys = [key_of(nodes, files=Boxes(crate=content)) for content in ("aa", "bb")]
        assert keys[0] != keys[1]

    def test_the_name_of_a_file_counts_since_a_node_may_use_it(self) -> None:
        files = Boxes(crate="same", chest="same")
        keys = [
            key_of({"x": placed("load", values={"file": name})}, files=files)
            for name in ("crate", "chest")
        ]
        assert keys[0] != keys[1]

    def test_inputs_count_by_what_they_follow_from(self) -> None:
        assert key_of(chain(3, start=0), "2") != key_of(chain(3, start=1), "2")

    def test_the_output_that_a_wire_leaves_counts(self) -> None:
        nodes = {"0": placed("box"), "d": placed("divide", a="0")}
        nodes["x"] = placed("one_more", a="d.quotient")
        nodes["y"] = placed("one_more", a="d.rest")
        assert key_of(nodes, "x") != key_of(nodes, "y")

    def test_the_input_that_a_wire_enters_counts(self) -> None:
        nodes = {"p": placed("box"), "q": placed("box", values={"number": 1})}
        nodes["x"] = placed("add", a="p", b="q")
        nodes["y"] = placed("add", a="q", b="p")
        assert key_of(nodes, "x") != key_of(nodes, "y")

    def test_the_order_of_variadic_wires_counts_but_not_their_numbers(self) -> None:
        nodes = {"p": placed("box"), "q": placed("box", values={"number": 1})}
        nodes["x"] = placed("digits", items_0="p", items_1="q")
        nodes["y"] = placed("digits", items_0="q", items_1="p")
        nodes["z"] = placed("digits", items_10="q", items_9="p")
        assert key_of(nodes, "x") != key_of(nodes, "y")
        assert key_of(nodes, "x") == key_of(nodes, "z")

    def test_a_wired_widget_replaces_the_saved_value(self) -> None:
        nodes = {"0": placed("box"), "n": placed("number_of", a="0")}
        wired = [placed("scale", a="0", by="n.integer", values={"by": value}) for value in (1, 2)]
        keys = {key_of({**nodes, "x": node}) for node in (*wired, placed("scale", a="0"))}
        assert len(keys) == 2

    @pytest.mark.parametrize("type_", ["dice", "save"])
    def test_what_must_run_anew_has_a_key_of_its_own_in_each_run(self, type_: str) -> None:
        feed = {"a": "0"} if type_ == "save" else {}
        nodes = {"0": placed("box"), "x": placed(type_, **feed), "y": placed(type_, **feed)}
        lab = Lab()
        plans = [lab.planned(nodes, "x", "y") for _ in range(2)]
        assert len({planned.keys[name] for planned in plans for name in ("x", "y")}) == 4

    def test_within_a_run_such_a_key_stays(self) -> None:
        nodes = {"x": placed("dice")}
        first = Lab().planned(nodes, "x")
        assert Lab().planned(nodes, "x", nonce=first.nonce).keys == first.keys

    def test_unknown_sockets_do_not_count(self) -> None:
        nodes = {"0": placed("box"), "x": placed("one_more", a="0", gone="0")}
        assert key_of(nodes) == key_of({**nodes, "x": placed("one_more", a="0")})
