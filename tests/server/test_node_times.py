"""What nodes took is learned from ended runs, and known again at the next start."""

from pathlib import Path

import pytest

from graph.duration import likenesses
from server.node_times import NodeTimes
from tests.graph.small_world import DEFINITIONS, text_to_image

WORKFLOW = text_to_image()
SAVED = WORKFLOW.to_json()
SAMPLER = likenesses(WORKFLOW, DEFINITIONS)["sampler"]


def test_the_newest_times_count_most_and_survive_a_start(tmp_path: Path) -> None:
    times = NodeTimes(tmp_path / "times.json")
    times.learn_from(SAVED, {"sampler": 10.0}, DEFINITIONS)
    assert times.seconds(SAMPLER) == 10
    times.learn_from(SAVED, {"sampler": 20.0}, DEFINITIONS)
    assert times.seconds(SAMPLER) == pytest.approx(14)
    times.save()
    again = NodeTimes(tmp_path / "times.json")
    assert again.seconds(SAMPLER) == pytest.approx(14)
    assert again.seconds(likenesses(WORKFLOW, DEFINITIONS)["positive"]) is None
    (tmp_path / "times.json").write_text('{"version": 1, "alike": []}')
    assert NodeTimes(tmp_path / "times.json").seconds(SAMPLER) is None


def test_short_runs_teach_only_what_is_new(tmp_path: Path) -> None:
    times = NodeTimes(tmp_path / "times.json")
    times.learn_from(SAVED, {"sampler": 0.001}, DEFINITIONS)
    times.learn_from(SAVED, {"sampler": 0.002}, DEFINITIONS)
    assert times.seconds(SAMPLER) == 0.001
