"""Every step's picture is kept to look back at, and never more than there is room for."""

from itertools import pairwise
from pathlib import Path

import pytest

from server.previews import kept_steps, step_path
from server.settings import Settings
from server.worker_previews import MOST_STEPS, StepPictures
from tests.helpers.bench import Bench, with_models
from tests.helpers.workflows import text_to_image


def test_each_step_of_a_sampler_can_be_looked_back_at(
    settings: Settings, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.worker_previews.COSTLY", 1e9)
    bench = Bench(with_models(settings, tiny_models))
    flow = text_to_image()
    flow["nodes"]["5"]["values"]["steps"] = 5
    bench.run(flow, name="r")
    steps = kept_steps(settings, "r", "5")
    assert steps == [1, 2, 3, 4], "the last step is the result itself"
    pictures = {step_path(settings, "r", "5", step).read_bytes() for step in steps}
    assert len(pictures) > 1, "it changes from step to step"


@pytest.mark.parametrize("count", [1, MOST_STEPS, MOST_STEPS + 1, 5 * MOST_STEPS])
def test_of_many_steps_an_even_part_is_kept(settings: Settings, count: int) -> None:
    pictures = StepPictures(settings, "r", "Node")
    for step in range(1, count + 1):
        pictures.keep(step, b"%d" % step)
    kept = kept_steps(settings, "r", "Node")
    assert len(kept) <= MOST_STEPS
    assert len(kept) >= min(count, MOST_STEPS // 2)
    gaps = {after - before for before, after in pairwise(kept)}
    assert len(gaps) <= 1
    assert all(step_path(settings, "r", "Node", step).read_bytes() == b"%d" % step for step in kept)
