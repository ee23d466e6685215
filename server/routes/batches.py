"""Batches: one workflow queued many times with other values, followed and stopped as one."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from graph.batch import BadBatch, Expansion, expand
from graph.batch_axes import Recipe
from graph.check import check
from graph.definition import Json
from graph.problem import Problem
from server import contact_sheet, sheet_page
from server.batch_files import sources
from server.batch_grid import newest_runs, sheet_of
from server.bodies import Form, body_of
from server.checking import library_of, models_of, read_workflow
from server.errors import BadRequest
from server.forecasts import changed_by, seconds_of_batch
from server.keys import CATALOGUE, DECODING, DISPATCHER, HUB, QUEUE, SETTINGS
from server.openapi import described
from server.queue import Batch, Run, Wanted
from server.routes.runs import ProblemsAnswer, RunSummary, summary
from server.security import FILE_POLICY

routes = web.RouteTableDef()


class BatchRequest(Form):
    """A workflow, and how its values vary; see `graph.batch_axes`."""

    workflow: dict[str, Any]
    recipe: Recipe
    wanted: list[str] | None = None
    name: str = ""
    on_error: Literal["continue", "stop"] = "continue"
    priority: int = Field(0, ge=-1000, le=1000)


class AxisAnswer(Form):
    """An axis as people read it: what varies, and its values."""

    title: str
    labels: list[str]


class BatchPlanAnswer(Form):
    """What a batch would be: how many runs, along which axes, and what speaks against it.

    `seconds` is about how long all of it takes on the workers that there are, without what is
    cached; null where the time of a node is not known yet.
    """

    count: int
    axes: list[AxisAnswer]
    names: list[str]
    problems: list[Problem]
    runnable: bool
    seconds: float | None


class BatchAnswer(Form):
    """A batch. `counts` maps a status to how many of its runs have it."""

    id: str
    name: str
    created: float
    on_error: Literal["continue", "stop"]
    counts: dict[str, int]
    axes: list[AxisAnswer]
    recipe: Json


class BatchesAnswer(Form):
    """The newest batches, newest first."""

    batches: list[BatchAnswer]


class CellAnswer(Form):
    """A place in the grid of a batch's axes, and the newest run for it."""

    cell: list[int]
    run: RunSummary


class BatchRunsAnswer(BatchAnswer):
    """A batch with its runs."""

    cells: list[CellAnswer]


NAMES = 12
"""So many runs are named in the plan of a batch."""


@routes.post("/api/batches/plan")
@described({200: BatchPlanAnswer}, body=BatchRequest)
async def plan_batch(request: web.Request) -> web.Response:
    """Say what a batch would be, without queueing it."""
    body = await body_of(request, BatchRequest)
    expansion, problems = await _expanded(request, body)
    answer = BatchPlanAnswer(
        count=len(expansion.cases),
        axes=_axes(expansion.axes),
        names=[case.name for case in expansion.cases[:NAMES]],
        problems=problems,
        runnable=not problems,
        seconds=None if problems else await _seconds(request, body, expansion),
    )
    return web.json_response(answer.model_dump(mode="json"))


@routes.post("/api/batches")
@described({201: BatchAnswer, 422: ProblemsAnswer}, body=BatchRequest)
async def add_batch(request: web.Request) -> web.Response:
    """Queue every run of a batch in one transaction, if each combination of models checks."""
    body = await body_of(request, BatchRequest)
    expansion, problems = await _expanded(request, body)
    if problems:
        refused = ProblemsAnswer(problems=problems)
        return web.json_response(refused.model_dump(mode="json"), status=422)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    kept = {
        "recipe": expansion.recipe.model_dump(mode="json"),
        "axes": expansion.axes,
        "cells": [case.cell for case in expansion.cases],
    }
    queue = request.app[QUEUE]
    definitions = (await library_of(request)).nodes

    saved = workflow.to_json()

    def add() -> Batch:
        needed = {
            expansion.models_at(case): models_of(changed_by(saved, case), definitions)
            for case in expansion.typical()
        }
        batch = queue.add_batch(
            saved,
            [
                Wanted(case.changes, case.name, models=needed[expansion.models_at(case)])
                for case in expansion.cases
            ],
            body.wanted,
            name=body.name,
            recipe=kept,
            stop_on_error=body.on_error == "stop",
            priority=body.priority,
        )
        return queue.batches.get(batch)

    batch = await asyncio.to_thread(add)
    request.app[HUB].publish({"type": "queue"})
    request.app[DISPATCHER].wake()
    return web.json_response(_batch(batch).model_dump(mode="json"), status=201)


@routes.get("/api/batches")
@described({200: BatchesAnswer})
async def list_batches(request: web.Request) -> web.Response:
    """The newest batches."""
    found = await asyncio.to_thread(request.app[QUEUE].batches.newest)
    answer = BatchesAnswer(batches=[_batch(batch) for batch in found])
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/batches/{id}")
@described({200: BatchRunsAnswer})
async def get_batch(request: web.Request) -> web.Response:
    """A batch with the newest run of each of its cells."""
    batches = request.app[QUEUE].batches
    batch = await asyncio.to_thread(batches.get, request.match_info["id"])
    runs = await asyncio.to_thread(batches.runs, batch.id)
    answer = await asyncio.to_thread(_with_runs, batch, runs)
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/batches/{id}/sheet.png")
@described({200: "image/png"})
async def get_sheet(request: web.Request) -> web.Response:
    """The batch's pictures as one labelled picture; what is not there yet is marked."""
    settings = request.app[SETTINGS]
    sheet = await _sheet(request)
    async with request.app[DECODING]:
        made = await asyncio.to_thread(
            contact_sheet.png, sheet, settings.temp / "thumbnails", settings.max_pixels
        )
    return _file(made, "image/png", FILE_POLICY)


@routes.get("/api/batches/{id}/sheet.html")
@described({200: "text/html"})
async def get_sheet_page(request: web.Request) -> web.Response:
    """The batch's pictures as one HTML page that needs nothing else."""
    settings = request.app[SETTINGS]
    sheet = await _sheet(request)
    async with request.app[DECODING]:
        made = await asyncio.to_thread(
            sheet_page.page, sheet, settings.temp / "thumbnails", settings.max_pixels
        )
    return _file(made.encode(), "text/html", f"sandbox; {sheet_page.POLICY}")


async def _sheet(request: web.Request) -> contact_sheet.Sheet:
    batches, settings = request.app[QUEUE].batches, request.app[SETTINGS]

    def find() -> contact_sheet.Sheet:
        batch = batches.get(request.match_info["id"])
        return sheet_of(batch, batches.runs(batch.id), settings)

    return await asyncio.to_thread(find)


def _file(body: bytes, kind: str, policy: str) -> web.Response:
    charset = "utf-8" if kind.startswith("text/") else None
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return web.Response(body=body, content_type=kind, charset=charset, headers=headers)


async def _expanded(request: web.Request, body: BatchRequest) -> tuple[Expansion, list[Problem]]:
    """The batch, and what keeps a combination of its models from running."""
    definitions = (await library_of(request)).nodes
    catalogue, settings = request.app[CATALOGUE], request.app[SETTINGS]
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow

    saved = workflow.to_json()

    def work() -> tuple[Expansion, list[Problem]]:
        texts = sources(settings)
        found = expand(body.recipe, workflow, definitions, texts, random.SystemRandom())
        problems: dict[str, Problem] = {}
        for case in found.typical():
            checked = check(changed_by(saved, case), definitions, catalogue, body.wanted)
            for problem in checked.blocking:
                problems.setdefault(problem.message, problem)
        return found, list(problems.values())

    try:
        return await asyncio.to_thread(work)
    except BadBatch as error:
        raise BadRequest(str(error)) from error


async def _seconds(request: web.Request, body: BatchRequest, expansion: Expansion) -> float | None:
    """About how long the batch takes."""
    definitions = (await library_of(request)).nodes
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    dispatcher = request.app[DISPATCHER]
    return await seconds_of_batch(dispatcher, expansion, workflow, definitions, body.wanted)


def _axes(axes: Sequence[tuple[str, Sequence[str]]]) -> list[AxisAnswer]:
    return [AxisAnswer(title=title, labels=list(labels)) for title, labels in axes]


def _batch(batch: Batch) -> BatchAnswer:
    return BatchAnswer(**_fields(batch))


def _fields(batch: Batch) -> dict[str, Any]:
    return {
        "id": batch.id,
        "name": batch.name,
        "created": batch.created,
        "on_error": batch.on_error,
        "counts": batch.counts,
        "axes": _axes(batch.recipe.get("axes", ())),
        "recipe": batch.recipe.get("recipe"),
    }


def _with_runs(batch: Batch, runs: Sequence[Run]) -> BatchRunsAnswer:
    """The batch, each cell with the run for it that was asked for last."""
    return BatchRunsAnswer(
        **_fields(batch),
        cells=[
            CellAnswer(cell=list(place), run=summary(run))
            for place, run in newest_runs(batch, runs)
        ],
    )
