"""Cancelling is a wish that any thread can make and that no node can swallow by accident."""

import contextlib
import threading

import pytest

from graph.cancel import Cancel, Cancelled
from tests.graph.lab import Lab, chain, placed


def test_a_new_run_is_not_cancelled() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.requested


def test_a_request_from_another_thread_is_seen() -> None:
    cancel = Cancel()
    thread = threading.Thread(target=cancel.request)
    thread.start()
    thread.join()
    assert cancel.requested
    with pytest.raises(Cancelled):
        cancel.check()


def test_a_handler_of_exceptions_does_not_swallow_a_cancel() -> None:
    cancel = Cancel()
    cancel.request()

    def careless_node() -> str:
        with contextlib.suppress(Exception):
            cancel.check()
        return "went on"

    with pytest.raises(Cancelled):
        careless_node()


def cancelling(lab: Lab, node: str) -> Lab:
    """The lab, whose run is cancelled by another thread while `node` works."""

    def work() -> None:
        thread = threading.Thread(target=lab.cancel.request)
        thread.start()
        thread.join()

    lab.hooks = {node: work}
    return lab


def test_a_run_that_was_cancelled_before_it_began_runs_nothing() -> None:
    lab = Lab()
    lab.cancel.request()
    outcome = lab.run(chain(3), "2")
    assert (outcome.status, outcome.ran, outcome.failure) == ("cancelled", 0, None)
    assert lab.states("0") == ["waiting", "cancelled"]


def test_a_run_stops_between_nodes_and_keeps_what_was_done() -> None:
    lab = cancelling(Lab(), "h")
    nodes = {**chain(3), "h": placed("hooked", a="2"), "x": placed("one_more", a="h")}
    outcome = lab.run(nodes, "x")
    assert outcome.status == "cancelled"
    assert lab.states("h") == ["waiting", "running", "finished"]
    assert lab.states("x") == ["waiting", "cancelled"]
    lab.cancel = Cancel()
    assert lab.run(nodes, "x").status == "finished"
    assert lab.ran() == ["x"]


def test_a_node_that_looks_stops_in_the_middle_of_its_work() -> None:
    lab = Lab()
    steps: list[int] = []

    def sample() -> None:
        for step in range(10):
            lab.cancel.check()
            steps.append(step)
            if step == 3:
                lab.cancel.request()

    lab.hooks = {"h": sample}
    outcome = lab.run({"h": placed("hooked"), "x": placed("one_more", a="h")}, "x")
    assert outcome.status == "cancelled"
    assert steps == [0, 1, 2, 3]
    assert lab.states("h") == ["waiting", "running", "cancelled"]
    assert lab.states("x") == ["waiting", "cancelled"]


def test_a_function_that_waits_for_a_lazy_input_is_cancelled_and_cleans_up() -> None:
    lab = cancelling(Lab(), "h")
    cleaned: list[str] = []
    lab.hooks = {**lab.hooks, "x": lambda: cleaned.append("x")}
    nodes = {"h": placed("hooked"), "more": placed("one_more", a="h")}
    outcome = lab.run({**nodes, "x": placed("cleans_up", a="more")}, "x")
    assert outcome.status == "cancelled"
    assert lab.states("x") == ["waiting", "running", "cancelled"]
    assert cleaned == ["x"]


def test_a_cancelled_run_leaves_nothing_pinned() -> None:
    lab = Lab()
    lab.run(chain(3), "2")
    cancelling(lab, "h")
    lab.run({**chain(3), "h": placed("hooked", a="2"), "x": placed("add", a="2", b="h")}, "x")
    lab.cache.clear()
    assert lab.cache.statistics().entries == 0


def test_what_was_wanted_and_done_before_the_cancel_is_given() -> None:
    lab = cancelling(Lab(), "h")
    nodes = {**chain(3), "h": placed("hooked", a="2"), "x": placed("one_more", a="h")}
    assert set(lab.run(nodes, "2", "x").values) == {"2"}
