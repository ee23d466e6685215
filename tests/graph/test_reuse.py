"""What the cache spares a run, and what becomes of values that it does not keep."""

import pytest

from graph.cache import ResultCache
from graph.workflow import PlacedNode
from tests.graph.arithmetic import Box
from tests.graph.lab import Lab, alive_at, boxed, chain, most_alive, placed, size_of


class TestCache:
    def test_the_same_again_runs_nothing(self) -> None:
        lab = Lab()
        lab.run(chain(10), "9")
        assert lab.number(chain(10), "9") == 9
        assert lab.ran() == []
        assert {lab.states(str(k))[0] for k in range(10)} == {"cached"}

    def test_a_changed_value_runs_what_hangs_on_it(self) -> None:
        nodes = {**chain(3), "other": boxed(10), "far": placed("one_more", a="other")}
        nodes["end"] = placed("add", a="2", b="far")
        lab = Lab()
        lab.run(nodes, "end")
        assert lab.number({**nodes, "other": boxed(20)}, "end") == 23
        assert lab.ran() == ["other", "far", "end"]

    def test_a_value_can_be_asked_for_after_the_run(self) -> None:
        lab = Lab()
        outcome = lab.run(chain(5), "4")
        assert lab.cache.value(outcome.keys["2"], "box") == Box(2)

    def test_so_can_that_of_a_node_that_runs_anew_each_time(self) -> None:
        lab = Lab()
        outcome = lab.run({"d": placed("dice"), "x": placed("one_more", a="d")}, "x")
        assert isinstance(lab.cache.value(outcome.keys["d"], "box"), Box)

    def test_a_node_with_differing_results_runs_anew_with_what_hangs_on_it(self) -> None:
        nodes = {"d": placed("dice"), "x": placed("one_more", a="d")}
        lab = Lab()
        first = lab.number(nodes, "x")
        assert lab.number(nodes, "x") == first + 1

    def test_two_such_nodes_in_one_run_are_two(self) -> None:
        nodes = {"d": placed("dice"), "e": placed("dice"), "x": placed("add", a="d", b="e")}
        lab = Lab()
        lab.run(nodes, "x")
        assert lab.ran() == ["d", "e", "x"]

    def test_results_are_right_with_no_room_at_all(self) -> None:
        lab = Lab(cache=ResultCache(0, size_of))
        nodes = {**chain(30), "end": placed("add", a="29", b="3")}
        assert lab.number(nodes, "end") == 32
        assert lab.cache.statistics().entries == 0

    def test_a_kind_that_must_not_be_kept_is_computed_again(self) -> None:
        lab = Lab(cache=ResultCache(2**30, lambda value: None))
        lab.run(chain(3), "2")
        lab.run(chain(3), "2")
        assert lab.ran() == ["0", "1", "2"]

    def test_what_is_read_from_the_cache_stays_in_it_while_it_is_read(self) -> None:
        room = ResultCache(0, size_of)
        lab = Lab(cache=room)
        room.max_bytes = 2 * (1024 + size_of(Box()))
        lab.run(chain(1), "0")
        nodes = {**chain(20), "end": placed("add", a="19", b="0")}
        seen: list[bool] = []
        nodes["end"] = placed("hooked", a="19")
        nodes["late"] = placed("add", a="end", b="0")
        lab.hooks = {"end": lambda: seen.append(lab.planned(nodes, "0").keys["0"] in room)}
        assert lab.number(nodes, "late") == 19
        assert seen == [True]

    def test_nothing_stays_pinned_after_a_run(self) -> None:
        for last in ("fail", "one_more"):
            lab = Lab()
            lab.run(chain(3), "2")
            lab.run({**chain(3), "x": placed(last, a="2")}, "x")
            lab.cache.clear()
            assert lab.cache.statistics().entries == 0

    def test_what_nobody_reads_any_more_makes_room_for_newer_results(self) -> None:
        lab = Lab(cache=ResultCache(1024 + size_of(Box()), size_of))
        lab.run(chain(1), "0")
        outcome = lab.run(chain(3), "2")
        assert outcome.keys["0"] not in lab.cache
        assert outcome.keys["2"] in lab.cache

    @pytest.mark.parametrize("start", [0, 1])
    def test_equal_values_from_different_keys_are_not_confused(self, start: int) -> None:
        lab = Lab()
        lab.run(chain(5, start=1 - start), "4")
        assert lab.number(chain(5, start=start), "4") == 4 + start


def branch(line: int) -> dict[str, PlacedNode]:
    """Ten nodes in a row, called "line-0" to "line-9" where they stand."""
    nodes = {"0": boxed(line * 100)}
    return nodes | {str(k): placed("one_more", a=f"{line}-{k - 1}") for k in range(1, 10)}


class TestMemory:
    """A value is freed with its last reader, so that a long chain holds few pictures."""

    def test_a_chain_holds_one_value_at_a_time(self) -> None:
        assert most_alive(chain(50), "49") == 1

    def test_a_value_that_is_read_late_is_held_until_then(self) -> None:
        nodes = {**chain(50), "end": placed("add", a="49", b="10")}
        assert most_alive(nodes, "end") == 2

    def test_a_wide_graph_holds_one_value_for_each_finished_branch(self) -> None:
        nodes: dict[str, PlacedNode] = {}
        for line in range(8):
            nodes |= {f"{line}-{k}": node for k, node in branch(line).items()}
        nodes["end"] = placed("total", **{f"items_{line}": f"{line}-9" for line in range(8)})
        assert most_alive(nodes, "end") == 8

    def test_what_the_cache_keeps_is_not_freed(self) -> None:
        assert most_alive(chain(50), "49", room=2**30) == 49

    def test_a_value_that_only_an_unasked_branch_would_read_goes_with_the_choice(self) -> None:
        # The big value feeds the branch that nobody asks for, and one node before the choice.
        nodes = {"big": boxed(9), "use": placed("one_more", a="big"), "two": boxed(2)}
        nodes["branch"] = placed("scale", a="big")
        nodes["choice"] = placed("pick", a="two", b="branch")
        nodes["end"] = placed("add", a="use", b="choice")
        nodes["tail"] = placed("one_more", a="end")
        nodes["last"] = placed("one_more", a="tail")
        assert alive_at(nodes, "last", at="end") == {"use", "two"}
