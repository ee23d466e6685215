"""Run a workflow many times with other values, headless, and go on where it stopped."""

import contextlib
import hashlib
import json
import os
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graph.batch import BadBatch, Case, Expansion, expand
from graph.batch_axes import Recipe
from graph.definition import NodeDefinition
from graph.workflow import Workflow
from server import contact_sheet, sheet_page
from server.batch_files import sources
from server.bodies import explained
from server.contact_sheet import Cell, Sheet
from server.errors import Refused
from server.headless_desk import CannotRun, Desk
from server.queue.rows import with_changes
from server.settings import Settings

BAR = 24
"""Characters of the progress bar."""


class Progress:
    """Which runs of a batch are done, in a file beside its recipe until all of them are.

    The file also holds the recipe with the seeds that were drawn, so that what is left is drawn as
    it was, and the first picture of each run, for the sheet. It counts for the same workflow and
    recipe only.
    """

    def __init__(self, recipe_file: Path, asked: Recipe, workflow: Workflow) -> None:
        self._path = recipe_file.with_name(f"{recipe_file.name}.progress")
        whole = json.dumps([asked.model_dump(mode="json"), workflow.to_json()], sort_keys=True)
        self._of = hashlib.sha256(whole.encode()).hexdigest()
        self.recipe = asked
        self.done: set[int] = set()
        self.pictures: dict[int, str] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._path.read_text("utf-8"))
            if kept["of"] == self._of:
                self.recipe = Recipe.model_validate(kept["recipe"])
                self.done = {int(number) for number in kept["done"]}
                self.pictures = {int(key): str(value) for key, value in kept["pictures"].items()}

    def keep(self, recipe: Recipe) -> None:
        """Write down what is done."""
        kept = {
            "of": self._of,
            "recipe": recipe.model_dump(mode="json"),
            "done": sorted(self.done),
            "pictures": self.pictures,
        }
        part = self._path.with_name(f"{self._path.name}.part")
        part.write_text(json.dumps(kept), "utf-8")
        os.replace(part, self._path)

    def forget(self) -> None:
        """All is done: the next time begins anew."""
        self._path.unlink(missing_ok=True)


def read_recipe(path: Path) -> Recipe:
    """The recipe in the JSON file; raises `CannotRun`."""
    try:
        return Recipe.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        raise CannotRun(f"{path} is no recipe of a batch: {explained(error)}.") from error


def expanded(
    settings: Settings,
    recipe: Recipe,
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
) -> Expansion:
    """Every run of the batch; raises `CannotRun`."""
    try:
        return expand(recipe, workflow, definitions, sources(settings), random.SystemRandom())
    except BadBatch as error:
        raise CannotRun(str(error)) from error


def changed(workflow: Workflow, case: Case) -> Workflow:
    """The workflow with the values of one run."""
    data: dict[str, Any] = with_changes(workflow.to_json(), case.changes)
    return Workflow.model_validate(data)


async def run_all(
    desk: Desk, workflow: Workflow, batch: Expansion, progress: Progress
) -> dict[int, str]:
    """Run what is not done yet; which runs failed, and why."""
    total = len(batch.cases)
    failures: dict[int, str] = {}
    progress.keep(batch.recipe)
    if progress.done:
        print(f"{len(progress.done)} of {total} runs are done already.", file=sys.stderr)
    for number, case in enumerate(batch.cases):
        if number in progress.done:
            continue
        print(f"{_bar(len(progress.done) + len(failures), total)} {case.name}", file=sys.stderr)
        error = await desk.run(changed(workflow, case))
        if error is not None:
            failures[number] = error
            print(f"{case.name} failed: {error}", file=sys.stderr)
            continue
        progress.done.add(number)
        if desk.pictures:
            progress.pictures[number] = str(desk.pictures[0])
        progress.keep(batch.recipe)
    if failures:
        print(
            f"{len(failures)} of {total} runs failed; the same command tries them again.",
            file=sys.stderr,
        )
    else:
        progress.forget()
        print(f"{_bar(total, total)} done", file=sys.stderr)
    return failures


def write_sheet(
    target: Path,
    batch: Expansion,
    progress: Progress,
    failures: Mapping[int, str],
    settings: Settings,
) -> None:
    """Write the batch's pictures as one PNG or HTML page; raises `CannotRun`."""
    cells = {}
    for number, case in enumerate(batch.cases):
        picture = progress.pictures.get(number)
        if picture is not None and number not in failures:
            cells[case.cell] = Cell(Path(picture))
        else:
            note = failures.get(number, "It made no picture.")
            cells[case.cell] = Cell(None, note, failed=number in failures)
    sheet = Sheet(target.stem, batch.axes, cells)
    cache = settings.temp / "thumbnails"
    try:
        if target.suffix.lower() == ".png":
            content = contact_sheet.png(sheet, cache, settings.max_pixels)
        else:
            content = sheet_page.page(sheet, cache, settings.max_pixels).encode()
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(content)
        os.replace(part, target)
    except (Refused, OSError) as error:
        raise CannotRun(f"The sheet {target} could not be written: {error}") from error
    print(target, flush=True)


def _bar(done: int, total: int) -> str:
    full = BAR * done // total
    return f"[{'#' * full}{'.' * (BAR - full)}] {done}/{total}"
