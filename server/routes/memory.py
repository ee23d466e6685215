"""Which models the worker has loaded, and letting go of them."""

from collections.abc import Mapping

from aiohttp import web
from pydantic import Field

from server.bodies import Form, body_of
from server.errors import NotReady
from server.keys import DISPATCHER
from server.openapi import described
from server.worker_questions import Freeing, MemoryReport

routes = web.RouteTableDef()


class ModelInMemory(Form):
    """A part of a model file that is loaded: "model", "vae", or a text encoder's id.

    `bytes` lie on the device, `host` beside it. One that is `in_use` by a run cannot be freed.
    """

    id: str
    name: str
    part: str
    dtype: str
    bytes: int
    host: int
    in_use: bool


class MemoryOfWorker(Form):
    """What one worker has loaded, the most recently used first. Sizes are bytes.

    `budget` is what models may take together, `used` what they take; `total` is what the device
    has, `free` what of it nobody has taken (null where it does not say); `results` is what the kept
    results of nodes take. `freed` is what the request let go of.
    """

    device: str
    budget: int
    used: int
    total: int
    free: int | None
    results: int
    freed: int
    models: list[ModelInMemory]


class NumberedMemory(MemoryOfWorker):
    """What the worker of this number has loaded."""

    number: int


class MemoryAnswer(MemoryOfWorker):
    """What the worker has loaded that ran something last, and what each of them has."""

    workers: list[NumberedMemory]


class FreeRequest(Form):
    """The ids of the models to let go of; null or none given: all. `results`: kept results, too.

    `worker` is the number of the one that is to let go; null: every worker, or, where models are
    named, the one of which the answer speaks first.
    """

    worker: int | None = None
    models: list[str] | None = Field(None, max_length=1000)
    results: bool = False


@routes.get("/api/memory")
@described({200: MemoryAnswer})
async def get_memory(request: web.Request) -> web.Response:
    """Which models are loaded, and how much memory they take; 503 until a worker is ready."""
    return _answered(await request.app[DISPATCHER].asking.memory())


@routes.post("/api/memory/free")
@described({200: MemoryAnswer}, body=FreeRequest)
async def free_memory(request: web.Request) -> web.Response:
    """Let go of models that no run uses; they are loaded again when they are needed."""
    wanted = await body_of(request, FreeRequest)
    models = None if wanted.models is None else tuple(wanted.models)
    freeing = Freeing(models=models, results=wanted.results)
    return _answered(await request.app[DISPATCHER].asking.memory(freeing, wanted.worker))


def _answered(reports: Mapping[int, MemoryReport]) -> web.Response:
    """The reports by the workers' numbers, that of the one which ran something last first."""
    if not reports:
        raise NotReady("No worker is ready to say what it has loaded. Ask again in a moment.")
    told = {n: report.model_dump(exclude={"type", "id"}) for n, report in reports.items()}
    first = next(iter(told.values()))
    workers = [NumberedMemory(number=number, **told[number]) for number in sorted(told)]
    answer = MemoryAnswer(**first, workers=workers)
    return web.json_response(answer.model_dump(mode="json"))
