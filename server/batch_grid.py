"""What a batch's cells hold: the newest run of each, and the picture that it made."""

from collections.abc import Sequence
from pathlib import Path

from server.contact_sheet import Cell, Sheet
from server.errors import NotFound
from server.paths import file_inside
from server.queue import Batch, Run
from server.settings import Settings


def newest_runs(batch: Batch, runs: Sequence[Run]) -> list[tuple[tuple[int, ...], Run]]:
    """Each cell of the batch with the run for it that was asked for last.

    `runs` are those of the batch, in the order in which they were asked for.
    """
    cells: dict[str, int] = {}
    newest: dict[int, Run] = {}
    for run in runs:
        place = cells.get(run.copy_of, -1) if run.copy_of else len(cells)
        if run.copy_of is None or place >= 0:
            cells[run.id] = place
            newest[place] = run
    places = batch.recipe.get("cells", ())
    return [
        (tuple(places[place]), run) for place, run in sorted(newest.items()) if place < len(places)
    ]


def sheet_of(batch: Batch, runs: Sequence[Run], settings: Settings) -> Sheet:
    """The batch's sheet as it is now."""
    axes = [(str(title), [*map(str, labels)]) for title, labels in batch.recipe.get("axes", ())]
    cells = {place: _cell(run, settings) for place, run in newest_runs(batch, runs)}
    return Sheet(batch.name or f"Batch {batch.id}", axes, cells)


def _cell(run: Run, settings: Settings) -> Cell:
    for output in run.outputs:
        if output["kind"] == "image" and output.get("file"):
            try:
                return Cell(_file(settings, output.get("area", "output"), output["file"]))
            except NotFound:
                return Cell(None, "Its picture is no longer there.")
    if run.status == "failed":
        return Cell(None, run.error or "It failed.", failed=True)
    if run.status == "finished":
        return Cell(None, "It made no picture.")
    return Cell(None, run.error or run.status)


def _file(settings: Settings, area: str, file: str) -> Path:
    return file_inside({"output": settings.output}.get(area, settings.temp), file)
