"""The embeddings that a prompt may name, for completion while one types."""

import asyncio
import json
from typing import Any

from aiohttp import web

from graph.completion import Completion, completions
from server.bodies import Form, body_of
from server.checking import library_of, read_workflow
from server.keys import CATALOGUE, MODEL_WATCH, RECENT
from server.openapi import described

routes = web.RouteTableDef()


class EmbeddingsRequest(Form):
    """The saved workflow, a node of it, and the widget that holds the prompt."""

    workflow: dict[str, Any]
    node: str
    prompt: str


class EmbeddingsAnswer(Form):
    """Every embedding; those that suit the prompt's text encoders come first."""

    embeddings: list[Completion]


@routes.post("/api/embeddings")
@described({200: EmbeddingsAnswer}, body=EmbeddingsRequest)
async def find_embeddings(request: web.Request) -> web.Response:
    """The embeddings that are here, each with why the prompt could not be read with it."""
    body = await body_of(request, EmbeddingsRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    library = await library_of(request)
    request.app[MODEL_WATCH].look()  # a file that has just come gets its badge
    catalogue, recent = request.app[CATALOGUE], request.app[RECENT]

    def text() -> str:
        found = completions(
            workflow, library.nodes, catalogue, body.node, body.prompt, recent=recent
        )
        return json.dumps({"embeddings": [item.model_dump(mode="json") for item in found]})

    return web.json_response(text=await asyncio.to_thread(text))
