"""The library of subgraphs: kept under names, to be placed in any workflow."""

import asyncio
from collections.abc import Mapping
from time import time
from typing import Any

from aiohttp import web

from graph.definition import NodeDefinition
from graph.interface import Interfaces, is_shown
from graph.workflow import Workflow
from server.bodies import Form, body_of
from server.checking import library_of, read_workflow
from server.errors import BadRequest
from server.keys import SETTINGS
from server.openapi import described
from server.paths import checked_name
from server.workflow_files import delete, load, save, saved

routes = web.RouteTableDef()

HOW = (
    "An entry of the library is a workflow of one node, which stands for a subgraph that it holds."
)


class SubgraphRequest(Form):
    """A workflow of one node, which stands for the subgraph to keep; its values are kept, too."""

    workflow: dict[str, Any]


class SubgraphEntry(Form):
    """A kept subgraph, in that form, and what its node looks like.

    `trouble` says why the file cannot be used; then there is neither.
    """

    name: str
    modified: float
    workflow: dict[str, Any] | None = None
    definition: NodeDefinition | None = None
    trouble: str | None = None


class SubgraphsAnswer(Form):
    """The library, newest first."""

    subgraphs: list[SubgraphEntry]


@routes.get("/api/subgraphs")
@described({200: SubgraphsAnswer})
async def list_subgraphs(request: web.Request) -> web.Response:
    """Every subgraph that was kept."""
    settings = request.app[SETTINGS]
    definitions = (await library_of(request)).nodes

    def entries() -> list[SubgraphEntry]:
        found = []
        for kept in saved(settings.subgraphs):
            entry = SubgraphEntry(name=kept.name, modified=kept.modified)
            try:
                data = load(settings.subgraphs, kept.name, settings.max_json)
                workflow, definition = _entry(data, definitions)
            except BadRequest as error:
                found.append(entry.model_copy(update={"trouble": error.message}))
                continue
            update = {"workflow": workflow.to_json(), "definition": definition}
            found.append(entry.model_copy(update=update))
        return found

    answer = SubgraphsAnswer(subgraphs=await asyncio.to_thread(entries))
    return _json(answer)


@routes.put("/api/subgraphs/{name}")
@described({200: SubgraphEntry}, body=SubgraphRequest)
async def save_subgraph(request: web.Request) -> web.Response:
    """Keep a subgraph, in place of one that is called the same."""
    body = await body_of(request, SubgraphRequest)
    definitions = (await library_of(request)).nodes
    workflow, definition = await asyncio.to_thread(_entry, body.workflow, definitions)
    folder, name = request.app[SETTINGS].subgraphs, checked_name(request.match_info["name"])
    data = workflow.to_json()
    await asyncio.to_thread(save, folder, name, data)
    answer = SubgraphEntry(name=name, modified=time(), workflow=data, definition=definition)
    return _json(answer)


@routes.delete("/api/subgraphs/{name}")
@described({200: SubgraphRequest})
async def delete_subgraph(request: web.Request) -> web.Response:
    """Delete a subgraph from the library; the answer holds it, so that it can be had back."""
    settings, name = request.app[SETTINGS], request.match_info["name"]
    try:
        data = await asyncio.to_thread(load, settings.subgraphs, name, settings.max_json)
    except BadRequest:  # damaged, and to be deleted all the same
        data = None
    await asyncio.to_thread(delete, settings.subgraphs, name)
    return _json(SubgraphRequest(workflow=data if isinstance(data, dict) else {}))


def _entry(data: Any, definitions: Mapping[str, NodeDefinition]) -> tuple[Workflow, NodeDefinition]:
    """The entry in today's form with its interface; raises `BadRequest` where it is none."""
    loaded = read_workflow(data)
    if loaded.read_only:
        raise BadRequest(loaded.problems[0].message)
    placed = list(loaded.workflow.nodes.values())
    known = Interfaces(loaded.workflow.subgraphs, definitions)
    definition = known.type(placed[0].type) if len(placed) == 1 and is_shown(placed[0]) else None
    if definition is None:
        raise BadRequest(HOW)
    return loaded.workflow, definition


def _json(answer: Form) -> web.Response:
    return web.json_response(answer.model_dump(mode="json", by_alias=True))
