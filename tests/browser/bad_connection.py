"""A connection between the page and the app that is slow, drops messages and swaps them."""

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
from aiohttp import web

HOP = {"host", "origin", "connection", "upgrade", "content-length", "transfer-encoding"}
"""Headers that belong to one stretch of the way."""


class BadConnection:
    """A proxy on an address of its own; its faults may be set and its app changed at any time."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.delay = 0.0
        """The longest that a message or an answer is held back, in seconds."""
        self.loss = 0.0
        """The part of the socket's messages that never arrive, 0…1."""
        self.swap = 0.0
        """The part of the socket's messages that arrive after the next one, 0…1."""
        self.lost = self.swapped = self.sockets = 0
        self._dice = random.Random(7)
        self._open: set[web.WebSocketResponse] = set()
        self._loop = asyncio.new_event_loop()

    def cut(self) -> None:
        """Close every socket that is open now."""

        async def all_of_them() -> None:
            for socket in list(self._open):
                await socket.close()

        asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(10)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self._dice.random() * self.delay)
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP}
        headers["Origin"] = self.target
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        body = await request.read()
        try:
            async with self._session.request(
                request.method, self.target + request.path_qs, headers=headers, data=body
            ) as answer:
                kept = {k: v for k, v in answer.headers.items() if k.lower() == "content-type"}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except aiohttp.ClientError:
            assert request.transport is not None
            request.transport.abort()  # nobody is there, as when the server is away
            raise

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            there = await self._session.ws_connect(
                self.target + request.path_qs, headers={"Origin": self.target}
            )
        except aiohttp.ClientError:
            return web.Response(status=502)
        here = web.WebSocketResponse()
        await here.prepare(request)
        self._open.add(here)
        self.sockets += 1
        reading = asyncio.create_task(self._ignore(here, there))
        try:
            await self._pass_on(there, here)
        except (ConnectionError, aiohttp.ClientError):
            pass  # the page went away
        finally:
            self._open.discard(here)
            reading.cancel()
            await there.close()
            await here.close()
        return here

    async def _ignore(self, here: web.WebSocketResponse, there: Any) -> None:
        async for _ in here:
            pass
        await there.close()

    async def _pass_on(self, there: Any, here: web.WebSocketResponse) -> None:
        kept: str | None = None
        async for message in there:
            await asyncio.sleep(self._dice.random() * self.delay * 0.1)
            if self._dice.random() < self.loss:
                self.lost += 1
                continue
            if kept is None and self._dice.random() < self.swap:
                self.swapped += 1
                kept = message.data
                continue
            await here.send_str(message.data)
            if kept is not None:
                await here.send_str(kept)
                kept = None

    async def _serve(self, ready: threading.Event) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=True)
        site = web.Application(client_max_size=1 << 26)
        site.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(site, access_log=None, shutdown_timeout=1)
        await runner.setup()
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._done = asyncio.Event()
        ready.set()
        await self._done.wait()
        await runner.cleanup()
        await self._session.close()


@contextlib.contextmanager
def bad_connection(target: str) -> Iterator[BadConnection]:
    """A proxy before the app at `target`, without faults at first."""
    proxy = BadConnection(target)
    ready = threading.Event()
    thread = threading.Thread(
        target=proxy._loop.run_until_complete, args=(proxy._serve(ready),), daemon=True
    )
    thread.start()
    assert ready.wait(30)
    try:
        yield proxy
    finally:
        proxy._loop.call_soon_threadsafe(proxy._done.set)
        thread.join(20)
