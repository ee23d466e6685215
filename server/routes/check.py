"""Ask whether a workflow makes sense, what a run would do, and where a wire may go."""

import asyncio
import json
from typing import Any

from aiohttp import web
from pydantic import Field, model_validator

from graph.check import check, targets
from graph.definition import Axis
from graph.problem import Certainty, Problem
from graph.targets import NoSuchSocket
from server.bases import Base, changes
from server.bodies import Form, body_of
from server.check_change import CheckRequest, is_current, read_after
from server.checking import library_of, read_workflow
from server.errors import NotFound, NotReady
from server.forecasts import run_seconds
from server.keys import BASES, CATALOGUE, DISPATCHER, RECENT
from server.openapi import described

routes = web.RouteTableDef()


class SocketSpace(Form):
    """The spaces that a socket may still have; `candidates` is null where every one fits."""

    axis: Axis
    candidates: list[str] | None
    certainty: Certainty


class SocketType(Form):
    """What a socket carries, as far as it is known."""

    kind: str
    spaces: list[SocketSpace]


class NodeTypes(Form):
    """The types of a node's sockets."""

    inputs: dict[str, SocketType]
    outputs: dict[str, SocketType]


class CheckAnswer(Form):
    """What is wrong, what every socket carries, and whether it would run.

    `base` names this answer: what is other afterwards can be asked for alone. It is null for a
    workflow of another version of the saved form. The answer to such a change holds the `types`
    that became other, and in `gone` the nodes that have none any more.
    """

    base: str | None
    problems: list[Problem]
    types: dict[str, NodeTypes]
    gone: list[str]
    runnable: bool


class PlanRequest(Form):
    """The saved workflow, and the nodes to run where it is not every output node."""

    workflow: dict[str, Any]
    wanted: list[str] | None = None


class PlanAnswer(Form):
    """How many nodes a run would take from the cache, would run, and would run only if asked for.

    `seconds` is about how long it would take, null where the time of a node is not known yet.
    `models` are the bytes that its models are estimated to take together, `at_once` those that one
    of its nodes uses, `budget` what models may take (0: not known). `refused` says why there would
    be no run.
    """

    cached: int
    to_run: int
    lazy: int
    seconds: float | None
    models: int
    at_once: int
    budget: int
    refused: str | None


class TargetsRequest(Form):
    """The workflow, and the socket that a wire is dragged from: an output or an input."""

    workflow: dict[str, Any]
    node: str
    output: str | None = None
    input: str | None = None

    @model_validator(mode="after")
    def _one_end(self) -> "TargetsRequest":
        if (self.output is None) == (self.input is None):
            raise ValueError("give either 'output' or 'input'")
        return self


class Target(Form):
    """A socket in the workflow; `reason` says why the wire may not go there."""

    node: str
    socket: str
    ok: bool
    code: str | None = None
    reason: str | None = None


class TypeTarget(Form):
    """A socket of a node type that could be added at the wire's end."""

    type: str
    socket: str
    ok: bool


class TargetsAnswer(Form):
    """Every socket of the other side, in the workflow and in the library."""

    targets: list[Target]
    types: list[TypeTarget]


class TokensRequest(Form):
    """A text, and the node whose text encoders shall read it."""

    workflow: dict[str, Any]
    node: str
    text: str = Field(max_length=100_000)


class EncoderCount(Form):
    """What one encoder makes of it; a piece is start and end (characters), weight and chunk.

    `room`: so many tokens fit into a chunk; null where the encoder knows no chunks. `embeddings`:
    start, end, name and tokens of each that the text names.
    """

    encoder: str
    tokens: int
    room: int | None
    chunks: int
    pieces: list[tuple[int, int, float, int]]
    embeddings: list[tuple[int, int, str, int]] = Field(default_factory=list)


class TokensAnswer(Form):
    """The counts of every encoder, or `trouble`: a sentence that says why there are none."""

    encoders: list[EncoderCount]
    trouble: str = ""


@routes.post("/api/check")
@described({200: CheckAnswer}, body=CheckRequest)
async def check_workflow(request: web.Request) -> web.Response:
    """What the checker says: problems, the type of every socket, whether it would run."""
    body = await body_of(request, CheckRequest)
    library = await library_of(request)
    app = request.app
    bases = app[BASES]
    base = bases.find(body.base)

    def answered() -> tuple[Base, str]:
        loaded = read_after(base, body)
        found = check(loaded.workflow, library.nodes, app[CATALOGUE], recent=app[RECENT])
        types, gone = changes(base, found.types)
        answer = {**found.to_json(), "types": types, "gone": gone}
        earlier = [problem.model_dump(mode="json") for problem in loaded.problems]
        answer["problems"] = [*earlier, *answer["problems"]]
        return Base(loaded.workflow, found.types), json.dumps(answer)

    now, text = await asyncio.to_thread(answered)
    name = bases.keep(now, body.base) if is_current(body) else None
    return web.json_response(text=f'{{"base": {json.dumps(name)}, {text[1:]}')


@routes.post("/api/plan")
@described({200: PlanAnswer}, body=PlanRequest)
async def foretell(request: web.Request) -> web.Response:
    """What a run would do, as the worker's cache is now; nothing is run."""
    body = await body_of(request, PlanRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    planned = await request.app[DISPATCHER].asking.plan(workflow.to_json(), body.wanted)
    if planned is None:
        raise NotReady("The worker is not ready yet.")
    definitions, dispatcher = (await library_of(request)).nodes, request.app[DISPATCHER]
    seconds = await asyncio.to_thread(
        run_seconds, dispatcher, planned, workflow, definitions, body.wanted
    )
    answer = PlanAnswer(
        cached=planned.cached,
        to_run=planned.to_run,
        lazy=planned.lazy,
        seconds=seconds,
        models=planned.models,
        at_once=planned.at_once,
        budget=planned.budget,
        refused=planned.refused,
    )
    return web.json_response(answer.model_dump(mode="json"))


@routes.post("/api/tokens")
@described({200: TokensAnswer}, body=TokensRequest)
async def count_tokens(request: web.Request) -> web.Response:
    """How the text encoders that are wired to a node read a text. Nothing is loaded or run."""
    body = await body_of(request, TokensRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    if body.node not in workflow.nodes:
        raise NotFound(f"The workflow has no node {body.node!r}.")
    told = await request.app[DISPATCHER].asking.tokens(workflow.to_json(), body.node, body.text)
    if told is None:
        raise NotReady("The worker is not ready yet.")
    return web.json_response(told.model_dump(mode="json", include=set(TokensAnswer.model_fields)))


@routes.post("/api/check/targets")
@described({200: TargetsAnswer}, body=TargetsRequest)
async def find_targets(request: web.Request) -> web.Response:
    """Where a wire from this socket may go, and why it may not go elsewhere."""
    body = await body_of(request, TargetsRequest)
    workflow = (await asyncio.to_thread(read_workflow, body.workflow)).workflow
    library = await library_of(request)
    catalogue = request.app[CATALOGUE]

    def text() -> str:
        found = targets(
            workflow,
            library.nodes,
            catalogue,
            body.node,
            output=body.output,
            input=body.input,
            recent=request.app[RECENT],
        )
        return json.dumps(found.to_json())

    try:
        return web.json_response(text=await asyncio.to_thread(text))
    except NoSuchSocket as error:
        raise NotFound(str(error)) from error
