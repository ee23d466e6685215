"""Run and check workflows without the browser: `main.py run`, `check` and `inspect`."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graph.check import check
from graph.definition import NodeDefinition
from graph.migrations import Loaded, WorkflowError, load_text
from graph.picture_text import BadTexts
from graph.problem import Problem
from graph.subgraph_values import named_node
from graph.subgraphs import Flat
from graph.workflow import Workflow
from server import catalogue_inspect, headless_batch, worker
from server.catalogue import Catalogue
from server.catalogue_identity import Identities, identities_of
from server.headless_desk import CannotRun, Desk
from server.headless_values import BadAssignment, assigned
from server.picture_text import is_picture, workflow_of
from server.settings import Settings
from server.worker_client import Entry
from server.worker_library import kept_library


def run_file(
    settings: Settings,
    path: Path,
    sets: Sequence[str] = (),
    out: Path | None = None,
    entry: Entry = worker.main,
    batch: Path | None = None,
    sheet: Path | None = None,
) -> int:
    """Run the workflow in the file; the exit code. Paths of pictures go to standard output.

    `sets` are changes such as "KSampler.seed=7"; `out` is where the pictures go, else the output
    folder. `batch` is the recipe of a batch (`graph.batch_axes.Recipe`): then the workflow is run
    once for each of its cases that is not done yet, and `sheet` is where its pictures go together.
    """
    if sheet is not None and (batch is None or sheet.suffix.lower() not in (".png", ".html")):
        return complain("--sheet goes with --batch, and its file ends in .png or .html.")
    options = {} if out is None else {"output": str(out.expanduser().resolve())}
    return _guarded(_run(settings, path, sets, options, entry, batch, sheet))


def check_file(
    settings: Settings, path: Path, json_output: bool = False, entry: Entry = worker.main
) -> int:
    """Print what is wrong with the workflow in the file; 0 where it can run, else 1."""
    return _guarded(_check(settings, path, json_output, entry))


def inspect_file(settings: Settings, path: Path, json_output: bool = False) -> int:
    """Print what the model file is; the exit code."""
    try:
        found = catalogue_inspect.inspect_file(path)
        identities = identities_of(settings)
        files = _catalogue(settings, identities)
        layers = catalogue_inspect.inspected_layers(
            files, identities, settings.cache, path, _run_trial
        )
        found |= layers or {}
    except (catalogue_inspect.FileTrouble, OSError) as trouble:
        return complain(str(trouble))
    print(
        json.dumps(found, indent=2)
        if json_output
        else catalogue_inspect.inspection_text(path, found)
    )
    return 0


def _guarded(work: Any) -> int:
    try:
        return int(asyncio.run(work))
    except (CannotRun, WorkflowError, BadAssignment) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return complain("Cancelled.")


def complain(message: str) -> int:
    """Print what went wrong; the exit code for it."""
    print(message, file=sys.stderr)
    return 1


async def _run(
    settings: Settings,
    path: Path,
    sets: Sequence[str],
    options: dict[str, Any],
    entry: Entry,
    batch: Path | None,
    sheet: Path | None,
) -> int:
    workflow = _read(settings, path).workflow
    recipe = None if batch is None else headless_batch.read_recipe(batch)
    make_folders(settings)
    async with contextlib.AsyncExitStack() as stack:
        desk = Desk(settings, options, entry)
        stack.push_async_callback(desk.stop)
        await desk.start()
        definitions = (await desk.library()).nodes
        workflow = assigned(workflow, definitions, sets)
        desk.follow(workflow, definitions)
        if batch is not None and recipe is not None:
            progress = headless_batch.Progress(batch, recipe, workflow)
            cases = headless_batch.expanded(settings, progress.recipe, workflow, definitions)
            for case in cases.typical():
                if not checks(settings, headless_batch.changed(workflow, case), definitions):
                    return 1
            failures = await headless_batch.run_all(desk, workflow, cases, progress)
            if sheet is not None:
                headless_batch.write_sheet(sheet, cases, progress, failures, settings)
            return 1 if failures else 0
        if not checks(settings, workflow, definitions):
            return 1
        error = await desk.run(workflow)
        return 0 if error is None else complain(error)


def checks(
    settings: Settings,
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    wanted: Sequence[str] | None = None,
) -> bool:
    """Whether the wanted nodes can run; what speaks against it is printed."""
    problems, runnable = _problems(settings, workflow, definitions, wanted)
    _tell(workflow, definitions, problems, sys.stderr)
    return runnable


async def _check(settings: Settings, path: Path, json_output: bool, entry: Entry) -> int:
    loaded = _read(settings, path)
    make_folders(settings)
    library = kept_library(settings)
    if library is None or any(pack.error for pack in library.packs):  # it may be mended meanwhile
        desk = Desk(settings, {}, entry)
        try:
            await desk.start()
            library = await desk.library()
        finally:
            await desk.stop()
    found, runnable = _problems(settings, loaded.workflow, library.nodes)
    problems = [*loaded.problems, *found]
    if json_output:
        listed = [problem.model_dump(mode="json") for problem in problems]
        print(json.dumps({"problems": listed}, indent=2, ensure_ascii=False))
    else:
        _tell(loaded.workflow, library.nodes, problems, sys.stdout)
        if not problems:
            print(f"{path}: no problems.")
    return 0 if runnable else 1


def _read(settings: Settings, path: Path) -> Loaded:
    """The workflow in a JSON file, or in a picture that Save Image wrote. Raises `CannotRun`."""
    try:
        if path.stat().st_size > settings.max_upload:
            raise CannotRun(f"{path} is larger than {settings.max_upload // 2**20} MiB.")
        with path.open("rb") as file:
            start = file.read(16)
            file.seek(0)
            if not is_picture(start):
                return load_text(file.read())
            text = workflow_of(file)
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror or error}.") from error
    except BadTexts as error:
        raise CannotRun(f"{path}: {error}") from error
    if text is None:
        raise CannotRun(f"There is no workflow in {path}: Save Image did not write this picture.")
    return load_text(text)


def make_folders(settings: Settings) -> None:
    """Make the folders for outputs and cache. Raises `CannotRun`."""
    try:
        settings.make_folders()
    except OSError as error:
        raise CannotRun(
            f"{settings.data} cannot be used for outputs and cache: {error.strerror or error}. "
            "Name another folder with --data DIR."
        ) from error


def _problems(
    settings: Settings,
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    wanted: Sequence[str] | None = None,
) -> tuple[Sequence[Problem], bool]:
    from server.catalogue_survey import Survey  # numpy takes a moment to load

    identities = identities_of(settings)
    files = _catalogue(settings, identities)
    files.refresh()
    placed = Flat(workflow, definitions).workflow.nodes.values()
    names = {str(value) for node in placed for value in node.values.values()}
    known = files.known()
    # The VAEs that the workflow loads, and checkpoints, whose own VAEs tell what those are.
    Survey(identities, settings.cache).look(
        known,
        files.latent_spaces(),
        reading=lambda stamp: "model" in known[stamp].parts or _ends_as(stamp.path, names),
    )
    checked = check(workflow, definitions, files, wanted=wanted)
    return checked.problems, checked.runnable


def _ends_as(path: str, names: set[str]) -> bool:
    """Whether one of the names, written with slashes, may be that of the file."""
    return any(Path(path).as_posix().endswith("/" + name) for name in names)


def _catalogue(settings: Settings, identities: Identities) -> Catalogue:
    return Catalogue(
        settings.models,
        settings.input,
        settings.cache / "models.json",
        settings.latents,
        identities,
    )


def _run_trial(path: Path) -> dict[str, Any] | None:
    from server.worker_questions import AskTrial
    from server.worker_trials import tried  # it imports torch, and few files need it

    return tried(AskTrial(id=0, path=str(path))).trial


def _tell(
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    problems: Sequence[Problem],
    stream: Any,
) -> None:
    flat = Flat(workflow, definitions)
    for problem in problems:
        found = named_node(flat, problem.node or "")
        where = f"{found.title} ({found.id}): " if found else ""
        print(f"{problem.severity}: {where}{problem.message}", file=stream)
