"""Workflows as files: read one that somebody drops, keep one, open a template."""

import asyncio
from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web

from graph.picture_text import BadTexts
from graph.problem import Problem
from server.bodies import Form, Upload, body_of, json_of, upload_of
from server.checking import check, read_workflow
from server.errors import BadRequest, Forbidden, NotFound
from server.keys import SETTINGS
from server.openapi import described
from server.paths import file_inside
from server.picture_text import is_picture, workflow_of
from server.serving import send_file
from server.settings import Settings
from server.template_words import introduced, reworded, words_for
from server.workflow_files import Template, delete, load, save, saved, templates

routes = web.RouteTableDef()


class WorkflowAnswer(Form):
    """A workflow in today's saved form."""

    workflow: dict[str, Any]
    read_only: bool = False


class WorkflowRequest(Form):
    """The workflow to keep."""

    workflow: dict[str, Any]


class ReadAnswer(Form):
    """The workflow that a file holds, in today's form, and what is wrong with it.

    `read_only`: a newer version of the program wrote it.
    """

    workflow: dict[str, Any]
    problems: list[Problem]
    read_only: bool


class TemplateEntry(Form):
    """A workflow that ships with the program; `picture` is the address of what it makes."""

    name: str
    title: str
    description: str = ""
    picture: str | None = None


class SavedEntry(Form):
    """A workflow that was saved; `modified` is seconds since 1970 (UTC)."""

    name: str
    modified: float


class WorkflowsAnswer(Form):
    """What can be opened."""

    templates: list[TemplateEntry]
    saved: list[SavedEntry]


@routes.post("/api/workflows/read")
@described({200: ReadAnswer}, upload=True)
async def read_file(request: web.Request) -> web.Response:
    """Read the workflow in a JSON file or in a picture that Save Image wrote. It is never run."""
    settings = request.app[SETTINGS]
    upload = await upload_of(request, settings.temp)
    try:
        data = await asyncio.to_thread(_json_in, upload, settings)
    finally:
        await asyncio.to_thread(upload.path.unlink, missing_ok=True)
    loaded = await asyncio.to_thread(read_workflow, data)
    checked = await check(request, loaded.workflow)
    answer = ReadAnswer(
        workflow=loaded.workflow.to_json(),
        problems=[*loaded.problems, *checked.problems],
        read_only=loaded.read_only,
    )
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/workflows")
@described({200: WorkflowsAnswer})
async def list_workflows(request: web.Request) -> web.Response:
    """The templates, and the workflows that people saved (newest first)."""
    settings = request.app[SETTINGS]
    shipped = await asyncio.to_thread(templates, settings.templates)
    words = await asyncio.to_thread(words_for, settings.templates)
    kept = await asyncio.to_thread(saved, settings.saved)
    answer = WorkflowsAnswer(
        templates=[_entry(introduced(entry, words)) for entry in shipped],
        saved=[SavedEntry(name=entry.name, modified=entry.modified) for entry in kept],
    )
    return web.json_response(answer.model_dump(mode="json"))


@routes.get("/api/workflows/templates/{name}/picture")
@described({200: "image/png"})
async def template_picture(request: web.Request) -> web.StreamResponse:
    """The picture that a template makes, as it ships."""
    folder = request.app[SETTINGS].templates / "thumbnails"
    name = request.match_info["name"]
    return await send_file(request, await asyncio.to_thread(file_inside, folder, f"{name}.png"))


@routes.get("/api/workflows/{area}/{name}")
@described({200: WorkflowAnswer})
async def open_workflow(request: web.Request) -> web.Response:
    """One workflow of the areas `saved` and `templates`, in today's form."""
    settings = request.app[SETTINGS]
    folder = {"saved": settings.saved, "templates": settings.templates}[_area(request)]
    name = request.match_info["name"]
    data = await asyncio.to_thread(load, folder, name, settings.max_json)
    loaded = await asyncio.to_thread(read_workflow, data)
    workflow = loaded.workflow.to_json()
    if folder == settings.templates:
        workflow = reworded(workflow, name, await asyncio.to_thread(words_for, folder))
    return _answer(workflow, loaded.read_only)


@routes.put("/api/workflows/{area}/{name}")
@described({200: WorkflowAnswer}, body=WorkflowRequest)
async def save_workflow(request: web.Request) -> web.Response:
    """Save the workflow, in place of one that is called the same."""
    _refuse_templates(request)
    body = await body_of(request, WorkflowRequest)
    loaded = await asyncio.to_thread(read_workflow, body.workflow)
    if loaded.read_only:
        raise BadRequest(loaded.problems[0].message)
    workflow = loaded.workflow.to_json()
    folder = request.app[SETTINGS].saved
    await asyncio.to_thread(save, folder, request.match_info["name"], workflow)
    return _answer(workflow)


@routes.delete("/api/workflows/{area}/{name}")
@described({200: WorkflowAnswer})
async def delete_workflow(request: web.Request) -> web.Response:
    """Delete a saved workflow; the answer holds it, so that it can be had back."""
    _refuse_templates(request)
    settings = request.app[SETTINGS]
    name = request.match_info["name"]
    try:
        data = await asyncio.to_thread(load, settings.saved, name, settings.max_json)
    except BadRequest:  # damaged, and to be deleted all the same
        data = None
    await asyncio.to_thread(delete, settings.saved, name)
    return _answer(data if isinstance(data, dict) else {})


def _entry(template: Template) -> TemplateEntry:
    address = f"/api/workflows/templates/{quote(template.name)}/picture"
    return TemplateEntry(
        name=template.name,
        title=template.title,
        description=template.description,
        picture=address if template.picture else None,
    )


def _answer(workflow: dict[str, Any], read_only: bool = False) -> web.Response:
    answer = WorkflowAnswer(workflow=workflow, read_only=read_only)
    return web.json_response(answer.model_dump(mode="json"))


def _area(request: web.Request) -> Literal["saved", "templates"]:
    area = request.match_info["area"]
    if area == "saved":
        return "saved"
    if area == "templates":
        return "templates"
    raise NotFound(f"There is no area {area!r}; the areas are saved and templates.")


def _refuse_templates(request: web.Request) -> None:
    if _area(request) == "templates":
        raise Forbidden("Templates cannot be changed. Save the workflow under a name of your own.")


def _json_in(upload: Upload, settings: Settings) -> Any:
    """The JSON of the workflow in the uploaded file."""
    with upload.path.open("rb") as file:
        start = file.read(16)
        file.seek(0)
        if not is_picture(start):
            data = file.read(settings.max_json + 1)
            if len(data) > settings.max_json:
                limit = settings.max_json // 2**20
                raise BadRequest(f"The workflow is larger than {limit} MiB.")
            return json_of(data, "The file")
        try:
            text = workflow_of(file, settings.max_json)
        except BadTexts as error:
            raise BadRequest(str(error)) from error
    if text is None:
        raise BadRequest("This picture holds no workflow: it was not saved by this program.")
    return json_of(text.encode("utf-8", "surrogatepass"), "The text in the picture")
