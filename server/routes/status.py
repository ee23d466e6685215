"""How the server and its worker are, and what the API looks like."""

import asyncio
from typing import Any, Literal

from aiohttp import web

from server.bodies import Form
from server.keys import DISPATCHER, EDITOR, QUEUE
from server.openapi import described, document
from server.settings import VERSION

routes = web.RouteTableDef()


class WorkerStatus(Form):
    """`message` says for people what is wrong or going on."""

    state: Literal["starting", "ready", "busy", "stopped"]
    device: str
    message: str


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


@routes.get("/api/openapi.json")
@described({200: OpenApiAnswer})
async def get_description(request: web.Request) -> web.Response:
    """This description."""
    return web.json_response(document(request.app))
