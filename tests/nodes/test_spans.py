"""A prompt or a ControlNet that would never hold is told before the run, with a way out."""

from pathlib import Path

import pytest

from graph.check import check
from graph.edits import apply
from graph.workflow import Workflow
from server.catalogue import Catalogue
from tests.helpers.every_space import definitions, node

HOLDING = [
    name
    for name, one in definitions().items()
    if {"start", "end"} <= {item.name for item in one.widgets}
]


def test_prompts_and_controlnets_hold_for_a_time() -> None:
    assert set(HOLDING) == {"apply_controlnet", "conditioning_set_timestep_range"}


@pytest.mark.parametrize("type_", HOLDING)
@pytest.mark.parametrize(("start", "end", "told"), [(0.9, 0.4, 1), (0.5, 0.5, 1), (0.2, 0.3, 0)])
def test_what_ends_before_it_begins_is_told_and_mended(
    type_: str, start: float, end: float, told: int, tmp_path: Path
) -> None:
    (tmp_path / "input").mkdir()
    files = Catalogue((tmp_path,), tmp_path / "input", tmp_path / "models.json")
    flow = Workflow(nodes={"it": node(type_, {"start": start, "end": end})})
    found = [x for x in check(flow, definitions(), files).problems if x.code == "never_holds"]
    assert len(found) == told
    for problem in found:
        assert (problem.severity, problem.node, problem.socket) == ("warning", "it", "start")
        assert f"its start, {start:g}, is not before its end, {end:g}" in problem.message
        (fix,) = problem.fixes
        after = check(apply(flow, fix.edits), definitions(), files).problems
        assert "never_holds" not in {item.code for item in after}
