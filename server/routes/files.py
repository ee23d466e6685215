"""Pictures and lists that people upload, and files that runs made."""

import asyncio
import re
from pathlib import Path
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from server.bodies import Form, Upload, query_of, upload_of
from server.errors import NotFound
from server.keys import DECODING, MODEL_WATCH, SETTINGS
from server.masks import Box, Layer, edited, layer
from server.openapi import described
from server.paths import file_inside, place, tidy_name
from server.pictures import suffix_of, thumbnail
from server.serving import send_file
from server.settings import Settings
from server.text_files import is_text_name, text_suffix

routes = web.RouteTableDef()

EDITED = re.compile(r"( (masked|cropped)( \(\d+\))?)+$")
"""What an edited picture is called beside the name of the picture it was made of."""

AREAS = ("input", "output", "temp", "trash")


class UploadAnswer(Form):
    """Where the file is; `name` is what Load Image, or an axis of a batch, calls it."""

    name: str
    url: str


class FileQuery(Form):
    thumbnail: int | None = Field(None, ge=16, le=1024)
    layer: Layer | None = None


class EditQuery(Form):
    """The piece of the picture to keep, in pixels."""

    x: int = Field(0, ge=0)
    y: int = Field(0, ge=0)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


@routes.post("/api/files/input")
@described({201: UploadAnswer}, upload=True)
async def upload_picture(request: web.Request) -> web.Response:
    """Keep an uploaded picture, list (.txt) or table (.csv) in the input folder, under a name that
    is still free."""
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


@routes.post("/api/files/input/{path:.+}/mask")
@described({201: UploadAnswer}, upload=True)
async def keep_mask(request: web.Request) -> web.Response:
    """Keep a copy of an input picture with the uploaded mask, white where it shall be made anew."""
    settings = request.app[SETTINGS]
    upload = await upload_of(request, settings.temp)
    try:
        return await _edited(request, upload.path, None)
    finally:
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)


@routes.post("/api/files/input/{path:.+}/crop")
@described({201: UploadAnswer}, query=EditQuery)
async def keep_crop(request: web.Request) -> web.Response:
    """Keep a piece of an input picture, with that piece of its mask."""
    query = query_of(request, EditQuery)
    return await _edited(request, None, Box(query.x, query.y, query.width, query.height))


@routes.get("/api/files/{area}/{path:.+}")
@described({200: "application/octet-stream"}, query=FileQuery)
async def get_file(request: web.Request) -> web.StreamResponse:
    """A file of the input, output, temp or trash folder, a small picture of it, or one of its
    layers."""
    query = query_of(request, FileQuery)
    settings = request.app[SETTINGS]
    area, relative = request.match_info["area"], request.match_info["path"]
    if area not in AREAS:
        raise NotFound(f"There is no area {area!r}; the areas are {', '.join(AREAS)}.")
    path = await asyncio.to_thread(file_inside, settings.data / area, relative)
    if query.layer is not None:
        return await _layer(request, path, query.layer)
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


async def _layer(request: web.Request, path: Path, which: Layer) -> web.Response:
    settings = request.app[SETTINGS]
    async with request.app[DECODING]:
        made = await asyncio.to_thread(layer, path, which, settings.temp, settings.max_pixels)
    try:
        content = await asyncio.to_thread(made.read_bytes)
    finally:
        await asyncio.to_thread(made.unlink, missing_ok=True)
    return web.Response(body=content, content_type="image/png")


async def _edited(request: web.Request, mask: Path | None, box: Box | None) -> web.Response:
    settings = request.app[SETTINGS]
    name = request.match_info["path"]
    path = await asyncio.to_thread(file_inside, settings.input, name)
    async with request.app[DECODING]:
        made = await asyncio.to_thread(edited, path, mask, box, settings.temp, settings.max_pixels)
    stem = EDITED.sub("", Path(name).stem)
    wanted = f"{stem} {'masked' if box is None else 'cropped'}.png"
    kept = await asyncio.to_thread(place, made, settings.input, wanted)
    request.app[MODEL_WATCH].look()
    answer = UploadAnswer(name=kept.name, url=f"/api/files/input/{quote(kept.name)}")
    return web.json_response(answer.model_dump(mode="json"), status=201)


def _keep(upload: Upload, settings: Settings) -> str:
    shown = tidy_name(upload.name, Path(upload.name).suffix[:8], "The file")
    if is_text_name(shown):
        suffix = text_suffix(upload.path, shown)
    else:
        suffix = suffix_of(upload.path, shown, settings.max_pixels)
    settings.input.mkdir(parents=True, exist_ok=True)
    return place(upload.path, settings.input, tidy_name(upload.name, suffix)).name
