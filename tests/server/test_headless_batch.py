"""A batch runs from the command line, shows how far it is, and goes on where it stopped."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.headless import run_file
from server.headless_batch import Progress, read_recipe
from server.headless_desk import CannotRun
from server.settings import Settings
from tests.helpers import fault_worker

NODES = {"n0": {"type": "draw", "title": "Draw", "values": {"number": 0}}}
SEEDS = {"kind": "seeds", "at": {"node": "n0", "widget": "number"}, "count": 3}


def written(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    return written(tmp_path / "w.json", {"version": 1, "nodes": NODES})


def run(settings: Settings, workflow: Path, batch: Path) -> int:
    return run_file(settings, workflow, entry=fault_worker.main, batch=batch)


def began(settings: Settings) -> int:
    log = settings.data / fault_worker.STARTS
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_every_case_is_run_and_the_bar_fills(
    settings: Settings, tmp_path: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = written(tmp_path / "b.json", {"axes": [{**SEEDS, "seed": 5, "how": "increment"}]})
    assert run(settings, workflow, batch) == 0
    told = capsys.readouterr().err
    assert "0/3 Number 5" in told
    assert f"[{'#' * 16}{'.' * 8}] 2/3 Number 7" in told
    assert "3/3 done" in told
    assert began(settings) == 3
    assert not list(tmp_path.glob("*.progress"))


def test_a_batch_that_was_stopped_goes_on_with_the_seeds_that_it_had(
    settings: Settings, tmp_path: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = written(tmp_path / "b.json", {"axes": [SEEDS]})
    from graph.migrations import load

    asked, flow = read_recipe(batch), load(json.loads(workflow.read_text())).workflow
    progress = Progress(batch, asked, flow)
    drawn = asked.model_copy(update={"axes": (asked.axes[0].model_copy(update={"seed": 77}),)})
    progress.done = {0, 2}
    progress.keep(drawn)
    again = Progress(batch, asked, flow)
    assert (again.recipe, again.done) == (drawn, {0, 2})
    assert run(settings, workflow, batch) == 0
    assert "2 of 3 runs are done already" in capsys.readouterr().err
    assert began(settings) == 1
    assert run(settings, workflow, batch) == 0, "when all is done, it begins anew"
    assert began(settings) == 4


def test_a_run_that_its_worker_dies_under_is_begun_twice_and_costs_no_other(
    settings: Settings, tmp_path: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = {**SEEDS, "seed": fault_worker.DEADLY - 1, "how": "increment"}
    batch = written(tmp_path / "b.json", {"axes": [seeds]})
    assert run(settings, workflow, batch) == 1
    told = capsys.readouterr().err
    assert "it exited with code 9. Its log is" in told
    assert "The run is begun once more." in told
    assert "Number 666 failed: The worker process died" in told
    assert "1 of 3 runs failed" in told
    assert began(settings) == 4
    assert run(settings, workflow, batch) == 1
    assert "2 of 3 runs are done already" in capsys.readouterr().err
    assert began(settings) == 6


def test_another_workflow_or_recipe_begins_anew(tmp_path: Path, workflow: Path) -> None:
    from graph.migrations import load

    batch = written(tmp_path / "b.json", {"axes": [SEEDS]})
    asked, flow = read_recipe(batch), load(json.loads(workflow.read_text())).workflow
    progress = Progress(batch, asked, flow)
    progress.done = {1}
    progress.keep(asked)
    other = flow.model_copy(deep=True)
    other.nodes["n0"].values["number"] = 9
    assert Progress(batch, asked, flow).done == {1}
    assert Progress(batch, asked, other).done == set()
    (tmp_path / "b.json.progress").write_text("{")
    assert Progress(batch, asked, flow).done == set()


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        ({"axes": []}, "no recipe of a batch"),
        ({"axes": [{**SEEDS, "at": {"node": "x", "widget": "y"}}]}, "no node 'x'"),
    ],
)
def test_a_recipe_that_means_nothing_ends_the_command_in_words(
    settings: Settings,
    tmp_path: Path,
    workflow: Path,
    capsys: pytest.CaptureFixture[str],
    recipe: Any,
    reason: str,
) -> None:
    assert run(settings, workflow, written(tmp_path / "b.json", recipe)) == 1
    assert reason in capsys.readouterr().err
    assert began(settings) == 0


def test_a_recipe_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"nowhere\.json cannot be read"):
        read_recipe(tmp_path / "nowhere.json")


def test_all_pictures_go_on_one_sheet_also_those_of_an_earlier_start(
    settings: Settings, tmp_path: Path, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from graph.migrations import load

    axis = {**SEEDS, "seed": 5, "how": "increment"}
    batch = written(tmp_path / "b.json", {"axes": [axis]})
    asked, flow = read_recipe(batch), load(json.loads(workflow.read_text())).workflow
    progress = Progress(batch, asked, flow)
    Image.new("RGB", (30, 20), (255, 0, 0)).save(tmp_path / "earlier.png")
    progress.done, progress.pictures = {0}, {0: str(tmp_path / "earlier.png")}
    progress.keep(asked)
    page, picture = tmp_path / "all.html", tmp_path / "all.png"
    assert run_file(settings, workflow, entry=fault_worker.main, batch=batch, sheet=page) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert text.count("<img ") == 1, "the stand-ins of the test worker are no pictures"
    assert text.count("cannot be read") == 2
    assert run_file(settings, workflow, entry=fault_worker.main, batch=batch, sheet=picture) == 0
    assert Image.open(picture).format == "PNG"
    for sheet in (tmp_path / "all.gif", tmp_path / "no" / "all.png"):
        capsys.readouterr()
        assert run_file(settings, workflow, entry=fault_worker.main, batch=batch, sheet=sheet) == 1
        assert "sheet" in capsys.readouterr().err
