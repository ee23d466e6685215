"""The names under which the application keeps its long-lived parts, so that handlers find them."""

import asyncio

from aiohttp import web

from graph.recent import Recent
from server.bases import Bases
from server.catalogue import Catalogue
from server.dispatch import Dispatcher
from server.editor_build import Editor
from server.gallery import Gallery
from server.hub import EventHub
from server.identification import Identification
from server.model_watch import ModelWatch
from server.node_languages import NodeLanguages
from server.queue import RunQueue
from server.settings import Settings
from server.upkeep import Upkeep

SETTINGS = web.AppKey("settings", Settings)
HUB = web.AppKey("hub", EventHub)
QUEUE = web.AppKey("queue", RunQueue)
DISPATCHER = web.AppKey("dispatcher", Dispatcher)
UPKEEP = web.AppKey("upkeep", Upkeep)
GALLERY = web.AppKey("gallery", Gallery)
CATALOGUE = web.AppKey("catalogue", Catalogue)
BASES = web.AppKey("bases", Bases)
RECENT = web.AppKey("recent", Recent)
IDENTIFICATION = web.AppKey("identification", Identification)
NODE_LANGUAGES = web.AppKey("node_languages", NodeLanguages)
MODEL_WATCH = web.AppKey("model_watch", ModelWatch)
EDITOR = web.AppKey("editor", Editor)
DECODING = web.AppKey("decoding", asyncio.Semaphore)
"""Big pictures take memory while they are decoded, so only a few are at a time."""
