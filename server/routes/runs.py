"""Start runs, follow them, cancel them, and look at what their nodes made."""

import asyncio
from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from graph.events import NodeState
from graph.problem import Problem
from graph.subgraph_values import has_node
from graph.words import retold
from server.bodies import Form, body_of, query_of
from server.checking import check, library_of, models_of, read_workflow
from server.errors import Gone, NotFound
from server.keys import DISPATCHER, HUB, QUEUE, SETTINGS
from server.openapi import described
from server.paths import file_inside
from server.previews import kept_steps, preview_path, step_path
from server.queue import Run, Status
from server.serving import send_file
from server.worker_questions import View

routes = web.RouteTableDef()

THUMBNAIL = 512
"""Pixels of the small pictures that a run's outputs offer."""


class RunRequest(Form):
    """The saved workflow, and the nodes to run where it is not every output node."""

    workflow: dict[str, Any]
    wanted: list[str] | None = None


class RunStarted(Form):
    """The run waits in the queue."""

    id: str
    status: Status


class ProblemsAnswer(Form):
    """Why the workflow was refused."""

    problems: list[Problem]


class StepsAnswer(Form):
    """Steps of a node, counted from 1."""

    steps: list[int]


class ValueQuery(Form):
    view: View = "picture"


class RunsQuery(Form):
    limit: int = Field(100, ge=1, le=1000)
    status: Status | None = None


class NodeAnswer(Form):
    """How far a node of the run is."""

    state: NodeState
    seconds: float | None = None
    message: str | None = None


class OutputAnswer(Form):
    """Something that an output node made. `url` is a file, `data` a value that needs none."""

    node: str
    kind: str
    url: str | None = None
    thumbnail: str | None = None
    data: Any = None


class RunSummary(Form):
    """A run without its workflow. Times are seconds since 1970 (UTC).

    `values` are those in which it differs from its batch's workflow; `copy_of` is the run that it
    repeats.
    """

    id: str
    status: Status
    name: str
    batch: str | None
    copy_of: str | None
    priority: int
    values: dict[str, dict[str, Any]]
    created: float
    started: float | None
    finished: float | None
    outputs: list[OutputAnswer]
    error: str | None
    nodes: dict[str, NodeAnswer]


class RunAnswer(RunSummary):
    """A run."""

    workflow: dict[str, Any]
    wanted: list[str] | None


class RunsAnswer(Form):
    """Runs, newest first."""

    runs: list[RunSummary]


class ValueAnswer(Form):
    """A value that is no picture."""

    kind: Literal["number", "text", "boolean"]
    value: float | int | bool | str


@routes.post("/api/runs")
@described({201: RunStarted, 422: ProblemsAnswer}, body=RunRequest)
async def start_run(request: web.Request) -> web.Response:
    """Put a run of the workflow into the queue, if the workflow checks; 422 with why not."""
    body = await body_of(request, RunRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    checked = await check(request, workflow, body.wanted)
    if not checked.runnable:
        refused = ProblemsAnswer(problems=list(checked.problems))
        return web.json_response(refused.model_dump(mode="json"), status=422)
    needed = models_of(workflow, (await library_of(request)).nodes)
    run = await asyncio.to_thread(
        request.app[QUEUE].add, workflow.to_json(), body.wanted, models=needed
    )
    announce(request, run)
    answer = RunStarted(id=run.id, status=run.status)
    return web.json_response(answer.model_dump(mode="json"), status=201)


@routes.get("/api/runs")
@described({200: RunsAnswer}, query=RunsQuery)
async def list_runs(request: web.Request) -> web.Response:
    """The newest runs, without their workflows."""
    query = query_of(request, RunsQuery)
    runs = await asyncio.to_thread(request.app[QUEUE].list, query.limit, query.status)
    answer = RunsAnswer(runs=[summary(run) for run in runs])
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/runs/{id}")
@described({200: RunAnswer})
async def get_run(request: web.Request) -> web.Response:
    """One run with its workflow and everything that is known of its nodes."""
    return _answer(await _run(request))


@routes.post("/api/runs/{id}/cancel")
@described({200: RunAnswer})
async def cancel_run(request: web.Request) -> web.Response:
    """Cancel the run, waiting or running. One that has ended stays as it is."""
    return _answer(await request.app[DISPATCHER].cancel(request.match_info["id"]))


@routes.get("/api/runs/{id}/steps/{node}")
@described({200: StepsAnswer})
async def list_steps(request: web.Request) -> web.Response:
    """The steps of a node that a preview is kept of, as long as the temporary folder has them."""
    run = await _run(request)
    node = request.match_info["node"]
    steps = await asyncio.to_thread(kept_steps, request.app[SETTINGS], run.id, node)
    return web.json_response(StepsAnswer(steps=steps).model_dump())


@routes.get(r"/api/runs/{id}/steps/{node}/{step:\d+}")
@described({200: "image/jpeg"})
async def get_step(request: web.Request) -> web.StreamResponse:
    """What a node had made after one of its steps."""
    run = await _run(request)
    node, step = request.match_info["node"], int(request.match_info["step"])
    path = step_path(request.app[SETTINGS], run.id, node, step)
    if not await asyncio.to_thread(path.is_file):
        raise NotFound("There is no preview of this step.")
    return await send_file(request, path)


@routes.get("/api/runs/{id}/preview/{node}")
@described({200: "image/jpeg"})
async def get_preview(request: web.Request) -> web.StreamResponse:
    """The newest picture of what a node is making."""
    run = await _run(request)  # also makes sure that the id is one of ours
    path = preview_path(request.app[SETTINGS], run.id, request.match_info["node"])
    if not await asyncio.to_thread(path.is_file):
        raise NotFound("There is no preview of this node.")
    return await send_file(request, path, {"Cache-Control": "no-store"})


@routes.get("/api/runs/{id}/values/{node}/{output}")
@described({200: ValueAnswer}, query=ValueQuery)
async def get_value(request: web.Request) -> web.StreamResponse:
    """What a node gave: a picture, or a number or text as JSON; 410 when it is no longer kept.

    `view`: "channels" draws a latent channel by channel, "about" tells sizes and the like as JSON.
    """
    run = await _run(request)
    view = query_of(request, ValueQuery).view
    node, output = request.match_info["node"], request.match_info["output"]
    if not has_node(run.workflow, node):
        raise NotFound(f"The run has no node {node!r}.")
    value = await request.app[DISPATCHER].asking.value(run.id, node, output, view)
    if value.kind == "gone":
        raise Gone("This value is no longer kept. Run the workflow again to see it.")
    if value.kind in ("image", "latent"):
        path = await asyncio.to_thread(file_inside, request.app[SETTINGS].temp, value.file)
        return await send_file(request, path)
    return web.json_response({"kind": value.kind, "value": value.data})


def announce(request: web.Request, run: Run) -> None:
    """Tell pages and the dispatcher of a new run."""
    announced = {"type": "run", "run": run.id, "status": run.status, "error": None}
    request.app[HUB].publish(announced)
    request.app[DISPATCHER].wake()


def summary(run: Run) -> RunSummary:
    """The run as the API shows it, without its workflow."""
    return RunSummary(**_fields(run))


def _answer(run: Run) -> web.Response:
    wanted = None if run.wanted is None else list(run.wanted)
    answer = RunAnswer(**_fields(run), workflow=run.workflow, wanted=wanted)
    return web.json_response(answer.model_dump(mode="json"))


def _fields(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "status": run.status,
        "name": run.name,
        "batch": run.batch,
        "copy_of": run.copy_of,
        "priority": run.priority,
        "values": run.changes,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "outputs": [_output(output) for output in run.outputs],
        "error": run.error and retold(run.error),
        "nodes": run.nodes,
    }


def _output(output: dict[str, Any]) -> OutputAnswer:
    file, kind = output.get("file"), output["kind"]
    url = f"/api/files/{output.get('area', 'output')}/{quote(file)}" if file else None
    small = f"{url}?thumbnail={THUMBNAIL}" if url and kind == "image" else None
    data = output.get("data")
    return OutputAnswer(node=output["node"], kind=kind, url=url, thumbnail=small, data=data)


async def _run(request: web.Request) -> Run:
    return await asyncio.to_thread(request.app[QUEUE].get, request.match_info["id"])
