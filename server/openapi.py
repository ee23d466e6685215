"""Describe every route in the OpenAPI form, from the forms that the handlers themselves declare."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.bodies import Form
from server.settings import VERSION

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Mode = Literal["validation", "serialization"]


class ErrorDetail(Form):
    """`code` is stable, `message` is a sentence for people."""

    code: str
    message: str


class ErrorAnswer(Form):
    """What every refused request gets."""

    error: ErrorDetail


@dataclass(frozen=True)
class Described:
    """What a handler takes and gives.

    `answers` maps a status to a form, or to the media type of what is not JSON. `upload` says that
    the body is a multipart form with a file under `file`.
    """

    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    upload: bool = False
    answers: Mapping[int, type[BaseModel] | str] = field(default_factory=dict)


_DESCRIBED: dict[Handler, Described] = {}


def described(
    answers: Mapping[int, type[BaseModel] | str],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    upload: bool = False,
) -> Callable[[Handler], Handler]:
    """Note what the handler takes and gives; its docstring is its description."""

    def note(handler: Handler) -> Handler:
        _DESCRIBED[handler] = Described(body, query, upload, answers)
        return handler

    return note


def document(app: web.Application) -> dict[str, Any]:
    """The OpenAPI 3.1 document of every route under /api.

    Raises `KeyError` for a handler that `described` does not name.
    """
    routes = sorted(_routes(app), key=lambda route: (route[1], route[0]))
    schemas, definitions = models_json_schema(
        sorted(
            {pair for _, _, handler in routes for pair in _forms(_DESCRIBED[handler])}
            | {(ErrorAnswer, "serialization")},
            key=lambda pair: (pair[0].__name__, pair[1]),
        ),
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for method, path, handler in routes:
        paths.setdefault(path, {})[method.lower()] = _operation(path, handler, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Latent Loom", "version": VERSION},
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _routes(app: web.Application) -> Iterator[tuple[str, str, Handler]]:
    for route in app.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        if path.startswith("/api/") and route.method not in ("HEAD", "*"):
            yield route.method, path, route.handler


def _forms(what: Described) -> Iterator[tuple[type[BaseModel], Mode]]:
    if what.body is not None:
        yield what.body, "validation"
    if what.query is not None:
        yield what.query, "validation"
    for answer in what.answers.values():
        if not isinstance(answer, str):
            yield answer, "serialization"


def _operation(path: str, handler: Handler, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    what = _DESCRIBED[handler]
    text = inspect.getdoc(handler) or ""
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if what.query is not None:
        schema = what.query.model_json_schema()
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": value,
            }
            for name, value in schema.get("properties", {}).items()
        ]
    operation: dict[str, Any] = {
        "operationId": getattr(handler, "__name__", path),
        "tags": [path.split("/")[2].removesuffix(".json")],
        "summary": text.splitlines()[0],
        "description": text,
        "parameters": parameters,
        "responses": {str(s): _answer(s, a, schemas) for s, a in what.answers.items()}
        | {"default": _answer(0, ErrorAnswer, schemas)},
    }
    if what.body is not None:
        content = {"application/json": {"schema": schemas[what.body, "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    if what.upload:
        file = {"type": "string", "format": "binary"}
        schema = {"type": "object", "properties": {"file": file}, "required": ["file"]}
        content = {"multipart/form-data": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(
    status: int, answer: type[BaseModel] | str, schemas: Mapping[Any, Any]
) -> dict[str, Any]:
    if isinstance(answer, str):
        return (
            {"description": "The file.", "content": {answer: {}}}
            if answer
            else {"description": "The connection is kept open."}
        )
    text = inspect.getdoc(answer) or ""
    content = {"application/json": {"schema": schemas[answer, "serialization"]}}
    return {"description": text.splitlines()[0] if text else str(status), "content": content}
