"""Which nodes there are."""

from typing import Any

from aiohttp import web

from graph.definition import NodeDefinition
from server.bodies import Form
from server.checking import in_language
from server.errors import NotReady
from server.keys import DISPATCHER
from server.openapi import described

routes = web.RouteTableDef()


class PackAnswer(Form):
    """A folder of custom nodes; `error` says why it could not be loaded."""

    name: str
    error: str | None = None


class NodesAnswer(Form):
    """Every node type; `version` changes when any of them does."""

    version: str
    nodes: dict[str, NodeDefinition]
    packs: list[PackAnswer]


@routes.get("/api/nodes")
@described({200: NodesAnswer})
async def get_nodes(request: web.Request) -> web.Response:
    """Every node type there is, in the reader's language; 503 until the worker has told them."""
    library = request.app[DISPATCHER].library
    if library is None:
        message = request.app[DISPATCHER].worker_status()["message"]
        raise NotReady(f"The nodes are not known yet. {message}".strip())
    library = await in_language(request, library)
    tag = f'"{library.version}"'
    varies = {"ETag": tag, "Vary": "Accept-Language"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=varies)
    answer: dict[str, Any] = library.model_dump(mode="json", by_alias=True, exclude={"type"})
    return web.json_response(answer, headers={**varies, "Cache-Control": "no-cache"})
