"""Serve until somebody says stop: take the port, say where the page is, open it, end in order."""

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from server.app import Parts, create_app, dispatcher_here
from server.dispatch import Dispatcher
from server.file_lock import FileLock, Locked
from server.keys import EDITOR
from server.queue import NewerQueue
from server.ray_cluster import Cluster, NoCluster
from server.settings import Settings

GRACE = 5.0
"""Seconds that requests under way have to end when the program does."""


class CannotListen(Exception):
    """The address cannot be listened on; the message says why and what to do."""


def serve(settings: Settings) -> int:
    """Serve until Ctrl+C; the exit code."""
    try:
        listening = listen(settings.host, settings.port)
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    token = settings.token
    if token is None and not settings.is_local:
        token = secrets.token_urlsafe(24)
    # --port 0 lets the system choose.
    settings = replace(settings, port=listening.getsockname()[1], token=token)
    try:
        with FileLock(settings.data / ".lock"), _workers(settings) as parts:
            asyncio.run(_serve(settings, listening, parts))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Stopped.")
    except Locked:
        # Two servers with one queue would take each other's runs for lost ones.
        print(
            f"Another Latent Loom is using the folder {settings.data}. Use that one, stop it, or "
            "give this one a folder of its own: python main.py --data DIR",
            file=sys.stderr,
        )
        return 1
    except (NewerQueue, NoCluster, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; raises `CannotListen`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(
            f"{host!r} is no address of this machine; try --listen alone."
        ) from error
    opened = socket.socket(family, kind, protocol)
    if sys.platform == "win32":
        # There, SO_REUSEADDR would let two programs share the port.
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise CannotListen(_why(error, host, port)) from error
    return opened


def addresses(settings: Settings) -> list[str]:
    """Where the page can be opened, the best address for this machine first."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    hosts = [f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown]
    if settings.host in ("0.0.0.0", "::") and (own := _own_address()):
        hosts.append(own)
    end = f"/?token={quote(settings.token)}" if settings.token else ""
    return [f"http://{host}:{settings.port}{end}" for host in hosts]


@contextlib.contextmanager
def _workers(settings: Settings) -> Iterator[Parts]:
    """What makes the dispatcher: with workers here, or on the machines of a Ray cluster."""
    if settings.ray is None:
        yield dispatcher_here
        return
    cluster = Cluster(settings)
    try:
        workers = cluster.workers()
        yield lambda chosen, queue, hub: Dispatcher(
            chosen, queue, hub.publish, workers, cluster.follow
        )
    finally:
        cluster.leave()


async def _serve(settings: Settings, listening: socket.socket, parts: Parts) -> None:
    _cancel_on_terminate()
    runner = web.AppRunner(
        create_app(settings, parts),
        access_log=None,  # it would hold the token
        shutdown_timeout=GRACE,
    )
    opening: asyncio.Task[None] | None = None
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        _announce(settings)
        if settings.open_browser:
            opening = asyncio.create_task(_open_browser(runner.app, addresses(settings)[0]))
        await asyncio.Event().wait()
    finally:
        if opening is not None:
            opening.cancel()
        await runner.cleanup()


def _cancel_on_terminate() -> None:
    """Let SIGTERM end the program as Ctrl+C does, where the system has it."""
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _announce(settings: Settings) -> None:
    """Print where the page is. The token is printed here, once, and nowhere else."""
    first, *others = addresses(settings)
    print(f"Latent Loom is at {first}", flush=True)
    for address in others:
        print(f"          and at {address}", flush=True)
    if settings.token:
        print("Whoever has this address can run workflows on this machine.", flush=True)
    print("Press Ctrl+C to stop.", flush=True)


async def _open_browser(app: web.Application, address: str) -> None:
    """Open the page once there is one."""
    while app[EDITOR].state == "building":
        await asyncio.sleep(0.1)
    if app[EDITOR].state == "ready" and _has_screen():
        with contextlib.suppress(webbrowser.Error, OSError):
            await asyncio.to_thread(webbrowser.open, address)


def _has_screen() -> bool:
    """Whether a window can be opened; without one, Python would start a browser in the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _own_address() -> str | None:
    """This machine's address in its network. Nothing is sent: it only asks for the route."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # an address that is reserved for examples
        own = str(probe.getsockname()[0])
        return None if own.startswith("127.") else own
    return None


def _why(error: OSError, host: str, port: int) -> str:
    other = port + 1 if port < 65535 else 8188
    # Windows answers EACCES where another program holds the port exclusively.
    if error.errno == errno.EADDRINUSE or (sys.platform == "win32" and port >= 1024):
        return (
            f"Port {port} is taken, perhaps by Latent Loom itself: see http://127.0.0.1:{port}. "
            f"Or choose another port: python main.py --port {other}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs special rights. Choose another: python main.py --port 8188"
    return f"Cannot listen on {host}, port {port}: {error.strerror or error}."
