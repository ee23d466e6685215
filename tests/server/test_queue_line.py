"""Those that wait can be moved, preferred and edited; the rest of the line keeps its order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.queue import NotInLine, RunQueue, UnknownRun

WORKFLOW = {"version": 1, "nodes": {"a": {"type": "number", "values": {"seed": 1, "steps": 4}}}}


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[RunQueue]:
    queue = RunQueue(tmp_path / "queue.sqlite")
    yield queue
    queue.close()


def line(queue: RunQueue) -> list[str]:
    return [run.id for run in queue.line.first()]


def claimed(queue: RunQueue) -> list[str]:
    found = []
    while run := queue.claim():
        found.append(run.id)
    return found


def test_a_run_is_moved_before_another_and_claimed_there(queue: RunQueue) -> None:
    a, b, c, d = (queue.add(WORKFLOW).id for _ in range(4))
    queue.line.move(d, before=b)
    assert line(queue) == [a, d, b, c]
    queue.line.move(a, before=None)
    assert claimed(queue) == [d, b, c, a]


def test_a_run_added_later_is_behind_one_that_was_moved_to_the_end(queue: RunQueue) -> None:
    a, b = (queue.add(WORKFLOW).id for _ in range(2))
    queue.line.move(a, before=None)
    c = queue.add(WORKFLOW).id
    assert claimed(queue) == [b, a, c]


def test_the_front_is_before_every_priority(queue: RunQueue) -> None:
    a, b, c = (queue.add(WORKFLOW).id for _ in range(3))
    queue.line.prioritise(b, 5)
    assert line(queue) == [b, a, c]
    queue.line.to_front(c)
    assert line(queue) == [c, b, a]


def test_equal_priorities_keep_the_order_in_which_they_were_given(queue: RunQueue) -> None:
    a, b, c = (queue.add(WORKFLOW).id for _ in range(3))
    queue.line.prioritise(c, 1)
    queue.line.prioritise(a, 1)
    assert line(queue) == [c, a, b]
    queue.line.prioritise(c, 0)
    assert line(queue) == [a, b, c]


def test_moving_into_the_same_gap_for_ever_keeps_the_order(queue: RunQueue) -> None:
    ids = [queue.add(WORKFLOW).id for _ in range(4)]
    expected = list(ids)
    for turn in range(200):  # a gap of 1 can be halved about twenty times before it is spread
        moved = expected[-1] if turn % 2 else expected[-2]
        expected.remove(moved)
        expected.insert(1, moved)
        queue.line.move(moved, before=expected[2])
        assert line(queue) == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5)), max_size=30))
def test_any_moves_give_the_order_of_a_list(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int | None]]
) -> None:
    queue = RunQueue(tmp_path_factory.mktemp("line") / "queue.sqlite")
    ids = [queue.add(WORKFLOW).id for _ in range(6)]
    expected = list(ids)
    for run, before in moves:
        queue.line.move(ids[run], None if before is None else ids[before])
        if run == before:
            continue
        expected.remove(ids[run])
        place = len(expected) if before is None else expected.index(ids[before])
        expected.insert(place, ids[run])
    assert line(queue) == expected
    queue.close()


def test_only_those_that_wait_are_moved_or_edited(queue: RunQueue) -> None:
    running, waiting = queue.add(WORKFLOW).id, queue.add(WORKFLOW).id
    queue.claim()
    with pytest.raises(NotInLine, match="running"):
        queue.line.move(running, before=waiting)
    with pytest.raises(NotInLine):
        queue.line.move(waiting, before=running)
    with pytest.raises(NotInLine):
        queue.line.edit(running, {"a": {"seed": 2}})
    with pytest.raises(UnknownRun):
        queue.line.to_front("nope")
    assert line(queue) == [waiting]


def test_an_edited_run_keeps_its_place_and_its_other_values(queue: RunQueue) -> None:
    first, second = queue.add(WORKFLOW).id, queue.add(WORKFLOW).id
    queue.line.edit(first, {"a": {"seed": 7}})
    queue.line.edit(first, {"a": {"steps": 9}})
    assert line(queue) == [first, second]
    assert queue.get(first).workflow["nodes"]["a"]["values"] == {"seed": 7, "steps": 9}
    assert queue.get(second).workflow == WORKFLOW


def test_a_pause_survives_a_restart(queue: RunQueue, tmp_path: Path) -> None:
    assert queue.line.pause == "no"
    queue.line.pause = "after"
    again = RunQueue(tmp_path / "queue.sqlite")
    assert again.line.pause == "after"
    again.line.pause = "no"
    assert queue.line.pause == "no"
    again.close()
