"""Runs of the past: forget them, or carry the queue to another machine as a file."""

import asyncio

from aiohttp import web
from pydantic import Field

from server.bodies import Form, body_of, json_of, query_of, upload_of
from server.keys import DISPATCHER, QUEUE, SETTINGS, UPKEEP
from server.openapi import described
from server.queue import Limits
from server.routes.queue import reordered

routes = web.RouteTableDef()


class ForgetRequest(Form):
    """Which ended runs are forgotten: these, or all but the newest `keep`."""

    runs: list[str] | None = None
    keep: int | None = Field(None, ge=0)


class ForgottenAnswer(Form):
    """How many runs were forgotten. Their pictures stay."""

    forgotten: int


class LimitsForm(Form):
    """How many ended runs are kept, and for how many days; null for no limit.

    Runs of whose pictures one has a star are kept, and so are all pictures.
    """

    runs: int | None = Field(None, ge=0)
    days: float | None = Field(None, ge=0, le=36500)


class ExportQuery(Form):
    """Whether only what has not ended is exported."""

    waiting: bool = False


class ReadInAnswer(Form):
    """How many runs were new here."""

    added: int


@routes.post("/api/queue/forget")
@described({200: ForgottenAnswer}, body=ForgetRequest)
async def forget(request: web.Request) -> web.Response:
    """Forget runs that have ended."""
    body = await body_of(request, ForgetRequest)
    history = request.app[QUEUE].history
    gone: list[str] = []
    if body.runs is not None:
        gone += await asyncio.to_thread(history.forget, body.runs)
    if body.keep is not None:
        gone += await asyncio.to_thread(history.prune, body.keep)
    await asyncio.to_thread(request.app[UPKEEP].drop_files, gone)
    reordered(request)
    return web.json_response(ForgottenAnswer(forgotten=len(gone)).model_dump(mode="json"))


@routes.get("/api/queue/limits")
@described({200: LimitsForm})
async def get_limits(request: web.Request) -> web.Response:
    """How much of the past is kept."""
    history = request.app[QUEUE].history
    return _limits(await asyncio.to_thread(lambda: history.limits))


@routes.put("/api/queue/limits")
@described({200: LimitsForm}, body=LimitsForm)
async def set_limits(request: web.Request) -> web.Response:
    """Say how much of the past is kept; what is beyond is forgotten at once and from then on."""
    body = await body_of(request, LimitsForm)
    history = request.app[QUEUE].history
    limits = Limits(body.runs, body.days)
    await asyncio.to_thread(setattr, history, "limits", limits)
    await request.app[UPKEEP].look()
    return _limits(limits)


def _limits(limits: Limits) -> web.Response:
    answer = LimitsForm(runs=limits.runs, days=limits.days)
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/queue/export")
@described({200: "application/json"}, query=ExportQuery)
async def export(request: web.Request) -> web.Response:
    """The queue as a file for another machine."""
    query = query_of(request, ExportQuery)
    history = request.app[QUEUE].history
    exported = await asyncio.to_thread(history.export, only_waiting=query.waiting)
    disposition = {"Content-Disposition": 'attachment; filename="queue.json"'}
    return web.json_response(exported, headers=disposition)


@routes.post("/api/queue/import")
@described({200: ReadInAnswer}, upload=True)
async def read_in(request: web.Request) -> web.Response:
    """Add the runs of an exported queue; what is known already stays as it is."""
    upload = await upload_of(request, request.app[SETTINGS].temp)
    try:
        exported = await asyncio.to_thread(lambda: json_of(upload.path.read_bytes(), "The export"))
    finally:
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)
    added = await asyncio.to_thread(request.app[QUEUE].history.read_in, exported)
    request.app[DISPATCHER].wake()
    reordered(request)
    return web.json_response(ReadInAnswer(added=added).model_dump(mode="json"))
