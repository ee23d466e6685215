"""A page follows what happens, loses the connection, and misses nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from tests.graph.small_world import text_to_image
from tests.server.site import Site, site_at


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_at(tmp_path) as site:
        yield site


async def receive(socket: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    """The next messages; the look at the models folders may say something at any time."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            message = await socket.receive_json()
            if message["type"] != "models":
                found.append(message)
    return found


async def test_a_new_page_is_greeted_with_the_runs_that_are_not_over(site: Site) -> None:
    first, second = (site.queue.add({"nodes": {}}).id for _ in range(2))
    site.queue.claim()
    async with site.client.ws_connect("/api/events") as socket:
        hello, snapshot = await receive(socket, 2)
    assert hello["type"] == "hello"
    assert hello["epoch"] == snapshot["epoch"] == site.hub.epoch
    assert snapshot["type"] == "snapshot"
    assert [(run["id"], run["status"]) for run in snapshot["runs"]] == [
        (first, "running"),
        (second, "waiting"),
    ]
    assert snapshot["runs"][0].keys() >= {"created", "outputs", "nodes", "error"}


async def test_a_run_that_is_queued_is_an_event(site: Site) -> None:
    async with site.client.ws_connect("/api/events") as socket:
        (hello, _) = await receive(socket, 2)
        _, run = await site.post("/api/runs", {"workflow": text_to_image().to_json()})
        (event,) = await receive(socket, 1)
    assert (event["type"], event["run"], event["status"]) == ("run", run["id"], "waiting")
    assert event["seq"] > hello["seq"]


async def test_what_was_missed_is_replayed_in_order_and_once(site: Site) -> None:
    async with site.client.ws_connect("/api/events") as socket:
        await receive(socket, 2)
        site.hub.publish({"type": "node", "node": "1"})
        (seen,) = await receive(socket, 1)
    for number in "234":
        site.hub.publish({"type": "node", "node": number})
    query = f"?since={seen['seq']}&epoch={site.hub.epoch}"
    async with site.client.ws_connect(f"/api/events{query}") as socket:
        site.hub.publish({"type": "node", "node": "5"})
        hello, *missed = await receive(socket, 5)
    assert hello["type"] == "hello"
    assert [message["node"] for message in missed] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("query", ["since=0&epoch=other", "since=7&epoch={epoch}", "since=0"])
async def test_a_page_of_another_start_gets_a_snapshot(site: Site, query: str) -> None:
    site.hub.publish({"type": "node", "node": "1"})
    query = query.format(epoch=site.hub.epoch)
    async with site.client.ws_connect(f"/api/events?{query}") as socket:
        messages = await receive(socket, 2)
    assert [message["type"] for message in messages] == ["hello", "snapshot"]


@pytest.mark.parametrize(
    "query", ["since=x", "since=-1", "since=1.5", "since=", "since=" + "9" * 5000, "other=1"]
)
async def test_a_bad_since_is_refused_before_the_socket_opens(site: Site, query: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await site.client.ws_connect(f"/api/events?{query}")
    assert refused.value.status == 400
    status, answer = await site.get(f"/api/events?{query}")
    assert status == 400
    assert query.split("=")[0] in answer["error"]["message"]


async def test_a_plain_get_is_told_to_open_a_websocket(site: Site) -> None:
    status, answer = await site.get("/api/events")
    assert status == 400
    assert "WebSocket" in answer["error"]["message"]


async def test_whatever_a_page_sends_the_others_go_on(site: Site) -> None:
    async with (
        site.client.ws_connect("/api/events") as rude,
        site.client.ws_connect("/api/events") as polite,
    ):
        await receive(polite, 2)
        await rude.send_str("{")
        await rude.send_bytes(b"\xff")
        await rude.send_str("x" * 100_000)  # more than the server takes: it hangs up
        async with asyncio.timeout(10):
            while (await rude.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                pass
        site.hub.publish({"type": "nodes"})
        (event,) = await receive(polite, 1)
        assert event["type"] == "nodes"


async def test_a_page_that_reads_nothing_does_not_hold_up_another(site: Site) -> None:
    async with (
        site.client.ws_connect("/api/events") as slow,
        site.client.ws_connect("/api/events") as quick,
    ):
        await receive(quick, 2)
        for number in range(300):
            # Far more in all than the buffers of a connection hold.
            site.hub.publish({"type": "node", "number": number, "message": "x" * 50_000})
        events = await receive(quick, 300)
        assert [event["number"] for event in events] == list(range(300))
        await slow.close()


async def test_the_server_can_stop_while_pages_are_open(tmp_path: Path) -> None:
    async with site_at(tmp_path) as site:
        socket = await site.client.ws_connect("/api/events")
        await receive(socket, 2)
        async with asyncio.timeout(10):
            await site.client.server.close()
            while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                pass
