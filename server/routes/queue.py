"""The line of waiting runs: look at it, pause it, reorder, edit, repeat and cancel what waits."""

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from graph.definition import Json
from server.bodies import Form, body_of
from server.checking import check, library_of, models_of, read_workflow
from server.keys import DISPATCHER, HUB, QUEUE
from server.openapi import described
from server.queue import Changes, Pause, Run
from server.queue.rows import both, with_changes
from server.routes.runs import ProblemsAnswer, RunSummary, announce, summary

routes = web.RouteTableDef()

SHOWN = 500
"""The most waiting runs that an answer names; `waiting` counts all."""


class QueueAnswer(Form):
    """What runs and what waits, in the order in which it will be run."""

    pause: Pause
    waiting: int
    runs: list[RunSummary]


class PauseRequest(Form):
    """`after`: begin no other run; `now`: and put the running one back in line; `no`: go on."""

    pause: Pause


class MoveRequest(Form):
    """Where to: just before the run `before`, to the `front`, or (neither) behind all others."""

    before: str | None = None
    front: bool = False


class PriorityRequest(Form):
    """A higher priority is run earlier."""

    priority: int = Field(ge=-1000, le=1000)


class ValuesRequest(Form):
    """Values to be set: node id to widget name to value."""

    values: dict[str, dict[str, Json]] = Field(default_factory=dict)


class CancelRequest(Form):
    """Whose runs: a batch's, or everybody's."""

    batch: str | None = None


class CancelAnswer(Form):
    """How many runs are cancelled, a running one included."""

    cancelled: int


@routes.get("/api/queue")
@described({200: QueueAnswer})
async def get_queue(request: web.Request) -> web.Response:
    """What runs and what waits."""
    return await _queue(request)


@routes.post("/api/queue/pause")
@described({200: QueueAnswer}, body=PauseRequest)
async def pause(request: web.Request) -> web.Response:
    """Pause the queue, or let it go on; a pause survives a restart."""
    body = await body_of(request, PauseRequest)
    await request.app[DISPATCHER].pause(body.pause)
    reordered(request)
    return await _queue(request)


@routes.post("/api/queue/cancel")
@described({200: CancelAnswer}, body=CancelRequest)
async def cancel(request: web.Request) -> web.Response:
    """Cancel a batch or everything, waiting and running."""
    body = await body_of(request, CancelRequest)
    queue = request.app[QUEUE]
    if body.batch is not None:
        await asyncio.to_thread(queue.batches.get, body.batch)  # or say that there is none
    ended = await asyncio.to_thread(queue.batches.cancel, body.batch)
    for run in ended:
        request.app[HUB].publish({"type": "run", "run": run, "status": "cancelled", "error": None})
    running = [
        run.id
        for run in await asyncio.to_thread(queue.list, SHOWN, "running")
        if body.batch is None or run.batch == body.batch
    ]
    for run in running:
        await request.app[DISPATCHER].cancel(run)
    answer = CancelAnswer(cancelled=len(ended) + len(running))
    return web.json_response(answer.model_dump(mode="json"))


@routes.post("/api/runs/{id}/move")
@described({200: RunSummary}, body=MoveRequest)
async def move(request: web.Request) -> web.Response:
    """Move a waiting run within the line; 409 where it no longer waits."""
    body, line, run = await body_of(request, MoveRequest), request.app[QUEUE].line, _id(request)
    if body.front:
        moved = await asyncio.to_thread(line.to_front, run)
    else:
        moved = await asyncio.to_thread(line.move, run, body.before)
    reordered(request)
    return _run(moved)


@routes.post("/api/runs/{id}/priority")
@described({200: RunSummary}, body=PriorityRequest)
async def prioritise(request: web.Request) -> web.Response:
    """Give a waiting run a priority; 409 where it no longer waits."""
    body = await body_of(request, PriorityRequest)
    moved = await asyncio.to_thread(request.app[QUEUE].line.prioritise, _id(request), body.priority)
    reordered(request)
    return _run(moved)


@routes.patch("/api/runs/{id}")
@described({200: RunSummary, 422: ProblemsAnswer}, body=ValuesRequest)
async def edit(request: web.Request) -> web.Response:
    """Change values of a waiting run, if it still checks then; 409 where it no longer waits."""
    body = await body_of(request, ValuesRequest)
    old = await asyncio.to_thread(request.app[QUEUE].get, _id(request))
    refused, models = await _looked_at(request, old, body.values)
    if refused:
        return refused
    edited = await asyncio.to_thread(request.app[QUEUE].line.edit, old.id, body.values, models)
    reordered(request)
    return _run(edited)


@routes.post("/api/runs/{id}/again")
@described({201: RunSummary, 422: ProblemsAnswer}, body=ValuesRequest)
async def again(request: web.Request) -> web.Response:
    """Put a run like this one into the queue, with other values if wanted."""
    body = await body_of(request, ValuesRequest)
    old = await asyncio.to_thread(request.app[QUEUE].get, _id(request))
    refused, models = await _looked_at(request, old, body.values)
    if refused:
        return refused
    new = await asyncio.to_thread(request.app[QUEUE].again, old.id, body.values, models)
    announce(request, new)
    return _run(new, status=201)


async def _looked_at(
    request: web.Request, run: Run, values: Changes
) -> tuple[web.Response | None, str]:
    """The answer for a run that does not check with these values; and the models it needs."""
    changed = with_changes(run.workflow, both(run.changes, values))
    workflow = (await asyncio.to_thread(read_workflow, changed)).workflow
    checked = await check(request, workflow, run.wanted)
    if checked.runnable:
        return None, models_of(workflow, (await library_of(request)).nodes)
    answer = ProblemsAnswer(problems=list(checked.problems))
    return web.json_response(answer.model_dump(mode="json"), status=422), ""


async def _queue(request: web.Request) -> web.Response:
    queue = request.app[QUEUE]

    def look() -> QueueAnswer:
        runs = [*reversed(queue.list(SHOWN, "running")), *queue.line.first(SHOWN)]
        return QueueAnswer(
            pause=queue.line.pause,
            waiting=queue.counts()["waiting"],
            runs=[summary(run) for run in runs],
        )

    answer = await asyncio.to_thread(look)
    return web.json_response(answer.model_dump(mode="json"))


def _run(run: Run, status: int = 200) -> web.Response:
    return web.json_response(summary(run).model_dump(mode="json"), status=status)


def _id(request: web.Request) -> str:
    return request.match_info["id"]


def reordered(request: web.Request) -> None:
    """Tell pages that the line is another one; they ask for it."""
    message: dict[str, Any] = {"type": "queue"}
    request.app[HUB].publish(message)
