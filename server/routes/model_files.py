"""What a person wants to know while choosing a model file: what fits, and how it looks."""

import asyncio
from typing import Any

from aiohttp import web
from pydantic import Field

from graph.fitting import NoSuchWidget, misfits
from server.bodies import Form, body_of, query_of
from server.checking import library_of, read_workflow
from server.errors import NotFound
from server.keys import CATALOGUE, DECODING, GALLERY, QUEUE, RECENT, SETTINGS
from server.model_folders import FileRefused
from server.model_pictures import SIZE, picture_beside, picture_urls
from server.openapi import described
from server.pictures import thumbnail
from server.serving import send_file

routes = web.RouteTableDef()


class FilesRequest(Form):
    """The workflow, and the widget that names a model file: "up/k" is the node "k" inside "up"."""

    workflow: dict[str, Any]
    node: str
    widget: str


class MisfitAnswer(Form):
    """A file that does not fit, and why."""

    name: str
    code: str
    reason: str


class FilesAnswer(Form):
    """The files that do not fit where the loader stands; all others do."""

    misfits: list[MisfitAnswer]


class PicturesQuery(Form):
    folder: str


class PicturesAnswer(Form):
    """The addresses of small pictures, by the names of the models that have one."""

    pictures: dict[str, str]


class ThumbnailQuery(Form):
    thumbnail: int = Field(SIZE, ge=16, le=1024)


@routes.post("/api/check/files")
@described({200: FilesAnswer}, body=FilesRequest)
async def find_misfits(request: web.Request) -> web.Response:
    """Which files a loader could not take as it is wired, and why."""
    body = await body_of(request, FilesRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    library = await library_of(request)
    files, recent = request.app[CATALOGUE], request.app[RECENT]
    try:
        found = await asyncio.to_thread(
            misfits, workflow, library.nodes, files, body.node, body.widget, recent
        )
    except NoSuchWidget as error:
        raise NotFound(str(error)) from error
    answer = FilesAnswer(misfits=[MisfitAnswer(**misfit._asdict()) for misfit in found])
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/models/pictures")
@described({200: PicturesAnswer}, query=PicturesQuery)
async def list_pictures(request: web.Request) -> web.Response:
    """Where the small pictures of a folder's models are."""
    folder = query_of(request, PicturesQuery).folder
    app = request.app
    found = await asyncio.to_thread(
        picture_urls, app[CATALOGUE], app[GALLERY], app[QUEUE].pictures, folder
    )
    return web.json_response({"pictures": dict(found)})


@routes.get("/api/models/picture/{folder}/{name:.+}")
@described({200: "image/webp"}, query=ThumbnailQuery)
async def small_picture(request: web.Request) -> web.StreamResponse:
    """The picture beside a model file, made small: the picture itself is never sent."""
    query = query_of(request, ThumbnailQuery)
    folder, name = request.match_info["folder"], request.match_info["name"]
    try:
        path = await asyncio.to_thread(picture_beside, request.app[CATALOGUE], folder, name)
    except FileRefused as error:
        raise NotFound(str(error)) from error
    if path is None:
        raise NotFound(f"There is no picture beside {name!r}.")
    settings = request.app[SETTINGS]
    cache = settings.temp / "thumbnails"
    async with request.app[DECODING]:
        small = await asyncio.to_thread(
            thumbnail, path, path.name, query.thumbnail, cache, settings.max_pixels
        )
    return await send_file(request, small)
