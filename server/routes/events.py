"""Tell pages what happens, over a WebSocket that they may lose and take up again."""

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web
from pydantic import Field

from graph.words import retold
from server.bodies import Form, query_of
from server.errors import BadRequest
from server.hub import Message, Subscription
from server.keys import HUB, QUEUE
from server.openapi import described
from server.queue import RunQueue
from server.routes.runs import summary

routes = web.RouteTableDef()

BEAT = 5.0
"""Seconds without an event after which a page is told the newest number, so that it sees a loss."""

HEARTBEAT = 20.0
"""Seconds between pings, so that a page that vanished is noticed."""

SNAPSHOT = 500
"""The most waiting runs that a snapshot names."""


class EventsQuery(Form):
    """The newest number that the page has seen, and the epoch that it is of."""

    since: int | None = Field(None, ge=0)
    epoch: str | None = None


@routes.get("/api/events")
@described({101: ""}, query=EventsQuery)
async def follow_events(request: web.Request) -> web.StreamResponse:
    """A WebSocket of events: `hello`, then what was missed since `since` (or a snapshot), then all.

    Each is `{"seq", "epoch", "type", ...}`; previews have no `seq`, and that of a `beat` is the
    newest one that was sent. What the page sends is ignored.
    """
    query = query_of(request, EventsQuery)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=4096, compress=False)
    if not socket.can_prepare(request):
        raise BadRequest("Events are sent over a WebSocket; open this address as one.")
    await socket.prepare(request)
    subscription = request.app[HUB].subscribe(query.since, query.epoch)
    sending = asyncio.create_task(_send(socket, subscription, request.app[QUEUE]))
    try:
        async for message in socket:
            if message.type == WSMsgType.ERROR:
                break
    finally:
        subscription.close()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return socket


async def _send(socket: web.WebSocketResponse, events: Subscription, queue: RunQueue) -> None:
    """Send what the subscription holds until it is closed, which closes the socket.

    A task has the language of the request that began it.
    """
    while (message := await _next(events)) is not None:
        if message["type"] == "snapshot":
            message = await asyncio.to_thread(_filled, message, queue)
        await socket.send_str(json.dumps(_in_language(message), ensure_ascii=False))
    await socket.close(code=1001, message=b"The server is closing.")


async def _next(events: Subscription) -> Message | None:
    """The next message, or a beat where none comes for a while."""
    try:
        return await asyncio.wait_for(events.next(), BEAT)
    except TimeoutError:
        return events.beat()


def _filled(message: Message, queue: RunQueue) -> dict[str, Any]:
    """The snapshot with the runs that have not ended, running ones first."""
    runs = [*queue.list(SNAPSHOT, "running"), *queue.line.first(SNAPSHOT)]
    return {**message, "runs": [summary(run).model_dump(mode="json") for run in runs]}


def _in_language(message: Message) -> Message:
    """The event with what it says to people in the reader's language."""
    said = {name: retold(message[name]) for name in ("error", "message") if message.get(name)}
    return {**message, **said} if said else message
