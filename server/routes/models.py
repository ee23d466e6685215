"""Which model files there are, and which spaces they live in."""

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ConfigDict

from graph.files import FileFacts
from graph.words import retold, spoken
from server.bodies import Form, body_of
from server.errors import BadRequest, NotFound
from server.identification import CannotSay
from server.keys import CATALOGUE, IDENTIFICATION, MODEL_WATCH
from server.model_folders import FileRefused
from server.openapi import described

routes = web.RouteTableDef()


class ModelFile(FileFacts):
    """What a file is, with its title for people."""

    title: str


class Statement(Form):
    """What a person says of a file: whose latents it speaks; null takes back what was said."""

    folder: str
    name: str
    space: str | None


class LatentSpaceAnswer(Form):
    """`channels` and `downscale` (pixels for each latent pixel) say how its latents are shaped."""

    title: str
    short: str
    channels: int
    downscale: int


class TextSpaceAnswer(Form):
    """A conditioning protocol's names."""

    title: str
    short: str


class SpacesAnswer(Form):
    """The spaces that sockets can have, by id; those that files declare included."""

    latent: dict[str, LatentSpaceAnswer]
    text: dict[str, TextSpaceAnswer]


class ModelsAnswer(Form):
    """Files by folder: `{"checkpoints": [...], "vae": [...], "input": [...], ...}`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[ModelFile]]


@routes.get("/api/models")
@described({200: ModelsAnswer})
async def list_models(request: web.Request) -> web.Response:
    """Every model file and input picture; the folders are looked at again after the answer."""
    files: dict[str, list[dict[str, Any]]] = await asyncio.to_thread(request.app[CATALOGUE].listing)
    request.app[MODEL_WATCH].look()
    return web.json_response(await asyncio.to_thread(_told, files))


@routes.put("/api/models/statement")
@described({200: ModelFile}, body=Statement)
async def state_file(request: web.Request) -> web.Response:
    """Say what a file is. It is kept by the file's content, so that a new name changes nothing."""
    body = await body_of(request, Statement)
    try:
        await request.app[IDENTIFICATION].say(body.folder, body.name, body.space)
    except (FileRefused, FileNotFoundError) as error:
        raise NotFound(f"There is no file {body.name!r} in {body.folder}.") from error
    except CannotSay as error:
        raise BadRequest(str(error)) from error
    catalogue = request.app[CATALOGUE]
    facts = await asyncio.to_thread(catalogue.facts, body.folder, body.name)
    if facts is None:
        raise NotFound(f"There is no file {body.name!r} in {body.folder} any more.")
    title = Path(body.name).stem
    return web.json_response(_in_language({**facts.model_dump(mode="json"), "title": title}))


@routes.get("/api/spaces")
@described({200: SpacesAnswer})
async def list_spaces(request: web.Request) -> web.Response:
    """The latent and text spaces that wires can carry."""
    catalogue = request.app[CATALOGUE]
    answer = SpacesAnswer(
        latent={
            id_: LatentSpaceAnswer(
                title=space.title,
                short=space.short,
                channels=space.channels,
                downscale=space.downscale,
            )
            for id_, space in catalogue.latent_spaces().items()
        },
        text={
            id_: TextSpaceAnswer(title=space.title, short=space.short)
            for id_, space in catalogue.text_spaces().items()
        },
    )
    return web.json_response(answer.model_dump(mode="json"))


def _told(files: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    if spoken().told is None:
        return files
    return {folder: [_in_language(file) for file in found] for folder, found in files.items()}


def _in_language(file: dict[str, Any]) -> dict[str, Any]:
    """The file with what is said of it in the reader's language."""
    said = {
        name: retold(file[name]) for name in ("evidence", "trouble", "contradiction") if file[name]
    }
    findings = [{**one, "reason": retold(one["reason"])} for one in file["findings"]]
    flaws = [{**one, "message": retold(one["message"])} for one in file["flaws"]]
    return {**file, **said, "findings": findings, "flaws": flaws}
