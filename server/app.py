"""Put the application together from its parts: routes, guards, worker, queue, editor."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from graph.recent import Recent
from server.bases import Bases
from server.catalogue import Catalogue
from server.catalogue_identity import identities_of
from server.dispatch import Dispatcher
from server.editor_build import Editor
from server.errors import answer_errors
from server.gallery import Gallery
from server.hub import EventHub
from server.identification import Identification
from server.keys import (
    BASES,
    CATALOGUE,
    DECODING,
    DISPATCHER,
    EDITOR,
    GALLERY,
    HUB,
    IDENTIFICATION,
    MODEL_WATCH,
    NODE_LANGUAGES,
    QUEUE,
    RECENT,
    SETTINGS,
    UPKEEP,
)
from server.languages import speak
from server.model_watch import ModelWatch
from server.node_languages import NodeLanguages
from server.queue import RunQueue
from server.routes import (
    batches,
    check,
    embeddings,
    events,
    files,
    gallery,
    history,
    memory,
    model_files,
    models,
    nodes,
    pages,
    queue,
    runs,
    status,
    subgraphs,
    workflows,
)
from server.security import add_headers, guard
from server.settings import Settings
from server.upkeep import Upkeep

log = logging.getLogger(__name__)

# Pages come last: they take every path that no other route has.
ROUTES = (
    status,
    nodes,
    models,
    model_files,
    memory,
    subgraphs,
    check,
    embeddings,
    runs,
    queue,
    history,
    batches,
    events,
    files,
    gallery,
    workflows,
    pages,
)

Parts = Callable[[Settings, RunQueue, EventHub], Dispatcher]
"""Makes the dispatcher; tests give one whose worker is a small fake."""


def dispatcher_here(settings: Settings, queue: RunQueue, hub: EventHub) -> Dispatcher:
    """The dispatcher whose workers are processes on this machine."""
    return Dispatcher(settings, queue, hub.publish)


def create_app(settings: Settings, parts: Parts = dispatcher_here) -> web.Application:
    """The application. Its worker starts when it does, and it holds no model itself.

    Raises `ValueError` where the settings would let strangers in: listening beyond this machine
    without a token.
    """
    if not settings.is_local and not settings.token:
        raise ValueError("Listening beyond this machine needs a token.")
    settings.make_folders()
    app = web.Application(
        # The guard is the outer one: strangers are not even told what they did wrong.
        middlewares=[guard, speak, answer_errors],
        client_max_size=settings.max_json,
    )
    hub = EventHub()
    run_queue = RunQueue(settings.database)
    app[SETTINGS] = settings
    app[HUB] = hub
    app[QUEUE] = run_queue
    app[GALLERY] = Gallery(settings, run_queue.pictures)
    app[UPKEEP] = Upkeep(settings, run_queue, lambda: hub.publish({"type": "queue"}))
    app[DISPATCHER] = parts(settings, run_queue, hub)
    identities = identities_of(settings)
    catalogue = Catalogue(
        settings.models,
        settings.input,
        settings.cache / "models.json",
        settings.latents,
        identities,
    )
    catalogue.machine_with = app[DISPATCHER].machine_with
    app[CATALOGUE] = catalogue
    app[BASES] = Bases()
    app[RECENT] = Recent()
    app[NODE_LANGUAGES] = NodeLanguages(settings)
    identification = Identification(
        identities, settings.cache, catalogue, app[DISPATCHER].trials, hub
    )
    app[IDENTIFICATION] = identification
    app[MODEL_WATCH] = ModelWatch(catalogue, hub, identification.look)
    app[EDITOR] = Editor(settings.root / "web")
    app[DECODING] = asyncio.Semaphore(2)
    for module in ROUTES:
        app.add_routes(module.routes)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_say_goodbye)
    app.cleanup_ctx.extend([_running, _gallery, _upkeep, _editor])
    return app


async def _running(app: web.Application) -> AsyncIterator[None]:
    """The worker, from the first moment to the last."""
    await app[DISPATCHER].start()
    app[IDENTIFICATION].start()
    app[MODEL_WATCH].look()
    yield
    await app[MODEL_WATCH].stop()
    await app[IDENTIFICATION].stop()
    await app[DISPATCHER].stop()
    app[QUEUE].close()


async def _gallery(app: web.Application) -> AsyncIterator[None]:
    """Look for pictures that came while the program was away."""

    async def look() -> None:
        try:
            if await asyncio.to_thread(app[GALLERY].look):
                gallery.announce_gallery(app)
        except (sqlite3.Error, OSError) as error:  # a full disk; the next start looks again
            log.warning("The output folder could not be looked through: %s", error)

    looking = asyncio.create_task(look())
    yield
    app[GALLERY].stop()
    await looking  # a thread, which needs the database until it ends


async def _upkeep(app: web.Application) -> AsyncIterator[None]:
    """Keep the past within its limits."""
    keeping = asyncio.create_task(app[UPKEEP].run())
    yield
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


async def _editor(app: web.Application) -> AsyncIterator[None]:
    """The editor's build, beside everything else: the API need not wait for it."""
    await app[EDITOR].look()
    building = asyncio.create_task(app[EDITOR].prepare())
    yield
    building.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await building


async def _say_goodbye(app: web.Application) -> None:
    """End the event sockets, which would otherwise keep the server waiting."""
    app[HUB].close()
