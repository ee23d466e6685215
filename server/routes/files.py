"""Pictures that people upload and files that runs made."""

import asyncio
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from server.bodies import Form, Upload, query_of, upload_of
from server.errors import NotFound
from server.keys import DECODING, MODEL_WATCH, SETTINGS
from server.openapi import described
from server.paths import file_inside, place, tidy_name
from server.pictures import suffix_of, thumbnail
from server.serving import send_file
from server.settings import Settings

routes = web.RouteTableDef()

AREAS = ("input", "output", "temp", "trash")


class UploadAnswer(Form):
    """Where the picture is; `name` is what Load Image calls it."""

    name: str
    url: str


class FileQuery(Form):
    thumbnail: int | None = Field(None, ge=16, le=1024)


@routes.post("/api/files/input")
@described({201: UploadAnswer}, upload=True)
async def upload_picture(request: web.Request) -> web.Response:
    """Keep an uploaded picture in the input folder, under a name that is still free."""
    settings = request.app[SETTINGS]
    upload = await upload_of(request, settings.temp)
    try:
        async with request.app[DECODING]:
            name = await asyncio.to_thread(_keep, upload, settings)
    finally:
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)
    request.app[MODEL_WATCH].look()  # Load Image's choices have one more
    answer = UploadAnswer(name=name, url=f"/api/files/input/{quote(name)}")
    return web.json_response(answer.model_dump(mode="json"), status=201)


@routes.get("/api/files/{area}/{path:.+}")
@described({200: "application/octet-stream"}, query=FileQuery)
async def get_file(request: web.Request) -> web.StreamResponse:
    """A file of the input, output, temp or trash folder, or a small picture of it."""
    query = query_of(request, FileQuery)
    settings = request.app[SETTINGS]
    area, relative = request.match_info["area"], request.match_info["path"]
    if area not in AREAS:
        raise NotFound(f"There is no area {area!r}; the areas are {', '.join(AREAS)}.")
    path = await asyncio.to_thread(file_inside, settings.data / area, relative)
    if query.thumbnail is None:
        return await send_file(request, path)
    async with request.app[DECODING]:
        small = await asyncio.to_thread(
            thumbnail,
            path,
            path.name,
            query.thumbnail,
            settings.temp / "thumbnails",
            settings.max_pixels,
        )
    return await send_file(request, small)


def _keep(upload: Upload, settings: Settings) -> str:
    shown = tidy_name(upload.name, Path(upload.name).suffix[:8], "The file")
    suffix = suffix_of(upload.path, shown, settings.max_pixels)
    settings.input.mkdir(parents=True, exist_ok=True)
    return place(upload.path, settings.input, tidy_name(upload.name, suffix)).name
