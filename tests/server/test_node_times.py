"""What nodes took is learned from ended runs, and known again at the next start."""

from pathlib import Path

import pytest

from graph.duration import likenesses
from graph.events import NodeChanged
from server.node_times import NodeTimes
from server.queue import Run, RunQueue
from tests.graph.small_world import DEFINITIONS, text_to_image

WORKFLOW = text_to_image()
SAMPLER = likenesses(WORKFLOW, DEFINITIONS)["sampler"]


def ended(queue: RunQueue, **seconds: float) -> Run:
    run = queue.add(WORKFLOW.to_json())
    queue.claim()
    queue.changed(
        run.id,
        [NodeChanged(node=n, state="finished", seconds=s) for n, s in seconds.items()]
        + [NodeChanged(node="positive", state="cached")],
    )
    return queue.finish(run.id, "finished")


def test_the_newest_times_count_most_and_survive_a_start(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "q.sqlite")
    times = NodeTimes(tmp_path / "times.json")
    times.learn_from(ended(queue, sampler=10.0), DEFINITIONS)
    assert times.seconds(SAMPLER) == 10
    times.learn_from(ended(queue, sampler=20.0), DEFINITIONS)
    assert times.seconds(SAMPLER) == pytest.approx(14)
    times.save()
    again = NodeTimes(tmp_path / "times.json")
    assert again.seconds(SAMPLER) == pytest.approx(14)
    assert again.seconds(likenesses(WORKFLOW, DEFINITIONS)["positive"]) is None, "it was cached"
    (tmp_path / "times.json").write_text('{"version": 1, "alike": []}')
    assert NodeTimes(tmp_path / "times.json").seconds(SAMPLER) is None
    queue.close()


def test_short_runs_teach_only_what_is_new(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path / "q.sqlite")
    times = NodeTimes(tmp_path / "times.json")
    times.learn_from(ended(queue, sampler=0.001), DEFINITIONS)
    times.learn_from(ended(queue, sampler=0.002), DEFINITIONS)
    assert times.seconds(SAMPLER) == 0.001
    queue.close()
