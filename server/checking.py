"""Ask the checker, with the node definitions and the model files that there are just now."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from graph.check import CheckResult
from graph.check import check as check_workflow
from graph.definition import NodeDefinition
from graph.migrations import Loaded, WorkflowError, load
from graph.subgraphs import Flat
from graph.workflow import Workflow
from server.errors import BadRequest, NotReady
from server.keys import CATALOGUE, DISPATCHER, NODE_LANGUAGES, RECENT
from server.node_library import NodeDefinitionsUnknown
from server.worker_messages import Library


def read_workflow(data: Any) -> Loaded:
    """The workflow in the JSON value, in today's form; raises `BadRequest` where it is none."""
    try:
        return load(data)
    except WorkflowError as error:
        place = f"At {error.place}: it " if error.place else ""
        raise BadRequest(f"This is not a workflow. {place}{error.message}") from error


def models_of(workflow: Workflow, definitions: Mapping[str, NodeDefinition]) -> str:
    """The model files that the workflow names, as a text that is equal for equal files."""
    named = {
        f"{widget.folder}/{value}"
        for placed in Flat(workflow, definitions).workflow.nodes.values()
        if placed.type in definitions and placed.mode == "run"
        for widget in definitions[placed.type].widgets
        if widget.control == "model_file" and (value := placed.values.get(widget.name))
    }
    return "\n".join(sorted(named))


async def library_of(request: web.Request) -> Library:
    """The node definitions in the reader's language, waited for; raises `NotReady` where they do
    not come."""
    try:
        library = await request.app[DISPATCHER].known_library()
    except NodeDefinitionsUnknown as error:
        raise NotReady(str(error), seconds=5) from error
    return await in_language(request, library)


async def in_language(request: web.Request, library: Library) -> Library:
    """The node definitions in the language of the request."""
    languages = request.app[NODE_LANGUAGES]
    known = languages.known(library)
    return await asyncio.to_thread(languages.of, library) if known is None else known


async def check(
    request: web.Request, workflow: Workflow, wanted: Sequence[str] | None = None
) -> CheckResult:
    """What the checker says of the workflow."""
    library = await library_of(request)
    catalogue = request.app[CATALOGUE]
    return await asyncio.to_thread(
        check_workflow,
        workflow,
        library.nodes,
        catalogue,
        wanted=wanted,
        recent=request.app[RECENT],
    )
