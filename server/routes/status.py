"""How the server and its worker are, and what the API looks like."""

import asyncio
from typing import Any, Literal

from aiohttp import web

from graph.duration import likenesses
from server.bodies import Form, body_of
from server.checking import library_of, read_workflow
from server.errors import NotFound
from server.keys import DISPATCHER, EDITOR, QUEUE
from server.openapi import described, document
from server.settings import VERSION
from server.station import Station

routes = web.RouteTableDef()


class WorkerStatus(Form):
    """`message` says for people what is wrong or going on."""

    state: Literal["starting", "ready", "busy", "stopped"]
    device: str
    message: str


class WorkerEntry(WorkerStatus):
    """One worker. `run` is the id of the run that it is at; one that drains begins no other."""

    number: int
    draining: bool
    run: str | None


class WorkersAnswer(Form):
    """Every worker."""

    workers: list[WorkerEntry]


class DrainRequest(Form):
    """Whether the worker is to begin no other run."""

    drain: bool


class QueueStatus(Form):
    """How many runs there are that have not ended."""

    waiting: int
    running: int


class EditorStatus(Form):
    """Whether the page can be served yet."""

    state: Literal["building", "ready", "failed"]
    message: str


class StatusAnswer(Form):
    """The state of the program's parts."""

    version: str
    worker: WorkerStatus
    queue: QueueStatus
    editor: EditorStatus


class TimesRequest(Form):
    """A workflow, and the nodes to run where it is not every output node."""

    workflow: dict[str, Any]
    wanted: list[str] | None = None


class TimesAnswer(Form):
    """About how many seconds each node takes that would run, null where that is not known yet."""

    nodes: dict[str, float | None]


class OpenApiAnswer(Form):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


@routes.get("/api/status")
@described({200: StatusAnswer})
async def get_status(request: web.Request) -> web.Response:
    """How the worker, the queue and the editor are."""
    editor = request.app[EDITOR]
    counts = await asyncio.to_thread(request.app[QUEUE].counts)
    answer = StatusAnswer(
        version=VERSION,
        worker=WorkerStatus(**request.app[DISPATCHER].worker_status()),
        queue=QueueStatus(**counts),
        editor=EditorStatus(state=editor.state, message=editor.message),
    )
    return web.json_response(answer.model_dump(mode="json"))


@routes.post("/api/times")
@described({200: TimesAnswer}, body=TimesRequest)
async def get_times(request: web.Request) -> web.Response:
    """How long the nodes of a workflow take, as far as that was learned from runs before."""
    body = await body_of(request, TimesRequest)
    definitions = (await library_of(request)).nodes
    times = request.app[DISPATCHER].times

    def work() -> dict[str, float | None]:
        workflow = read_workflow(body.workflow).workflow
        found = likenesses(workflow, definitions, body.wanted)
        return {node: times.seconds(likeness) for node, likeness in found.items()}

    answer = TimesAnswer(nodes=await asyncio.to_thread(work))
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/workers")
@described({200: WorkersAnswer})
async def list_workers(request: web.Request) -> web.Response:
    """How each worker is."""
    return _workers(request)


@routes.post("/api/workers/{number}/restart")
@described({200: WorkersAnswer})
async def restart_worker(request: web.Request) -> web.Response:
    """End a worker's process and start another; a run that it is at is begun again."""
    _station(request).restart()
    return _workers(request)


@routes.post("/api/workers/{number}/drain")
@described({200: WorkersAnswer}, body=DrainRequest)
async def drain_worker(request: web.Request) -> web.Response:
    """Let a worker finish its run and begin no other, or let it begin runs again."""
    body = await body_of(request, DrainRequest)
    _station(request).draining = body.drain
    request.app[DISPATCHER].wake()
    return _workers(request)


def _workers(request: web.Request) -> web.Response:
    found = request.app[DISPATCHER].worker_statuses()
    answer = WorkersAnswer(workers=[WorkerEntry(**status) for status in found])
    return web.json_response(answer.model_dump(mode="json"))


def _station(request: web.Request) -> Station:
    number = request.match_info["number"]
    for station in request.app[DISPATCHER].stations:
        if str(station.number) == number:
            return station
    raise NotFound(f"There is no worker {number!r}.")


@routes.get("/api/openapi.json")
@described({200: OpenApiAnswer})
async def get_description(request: web.Request) -> web.Response:
    """This description."""
    return web.json_response(document(request.app))
