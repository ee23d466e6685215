"""Read JSON bodies, queries and uploads into declared forms, or refuse them with a sentence."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, ValidationError

from server.errors import BadRequest, TooLarge
from server.keys import SETTINGS
from server.paths import temporary

DEEPEST = 64
"""Levels of nesting; no workflow comes near, and recursive readers further in rely on it."""

SHORT = 2**18
"""Bytes of JSON that are read at once on the event loop; longer ones are read in a thread."""

CHUNK = 2**18


class Form(BaseModel):
    """A body, query or answer; a field that it does not declare is an error."""

    model_config = ConfigDict(extra="forbid")


F = TypeVar("F", bound=BaseModel)


class Upload(NamedTuple):
    """A file that arrived: where it lies until it is moved or deleted, and what it was called."""

    path: Path
    name: str


async def body_of(request: web.Request, form: type[F]) -> F:
    """The request's JSON body as `form`."""
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        limit = request.app[SETTINGS].max_json // 2**20
        raise TooLarge(f"The request has more than {limit} MiB of JSON.") from error
    if len(data) <= SHORT:
        return _read_form(data, form)
    return await asyncio.to_thread(_read_form, data, form)


def query_of(request: web.Request, form: type[F]) -> F:
    """The request's query as `form`; `lang` is every request's own (`server.languages`)."""
    asked = {name: value for name, value in request.query.items() if name != "lang"}
    return _validated(asked, form, "The query")


def json_of(data: bytes, what: str = "The request") -> Any:
    """The JSON value in UTF-8 `data`: finite numbers, whole characters, at most `DEEPEST` levels.

    Raises `BadRequest`; `what` begins its sentence.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"{what} is not JSON: {error.msg} at {where}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{what} is not JSON: it is not UTF-8 text.") from error
    except RecursionError as error:
        raise BadRequest(f"{what} is nested more than {DEEPEST} levels deep.") from error
    except ValueError as error:  # a number with thousands of digits
        raise BadRequest(f"{what} holds a number that is too long.") from error
    _check_values(value, what)
    return value


async def upload_of(request: web.Request, folder: Path) -> Upload:
    """The file under `file` of a multipart form, streamed into `folder`; the caller deletes it."""
    limit = request.app[SETTINGS].max_upload
    if request.content_type != "multipart/form-data":
        raise BadRequest("Send the file as multipart/form-data under the name 'file'.")
    if (request.content_length or 0) > limit + CHUNK:
        _too_large(limit)
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.name == "file":
                path = await _stream(part, folder, limit)
                return Upload(path, part.filename or "")
    except (ValueError, HttpProcessingError, web.HTTPBadRequest) as error:
        raise BadRequest("The multipart form is damaged.") from error
    raise BadRequest("The form holds no file under the name 'file'.")


async def _stream(part: BodyPartReader, folder: Path, limit: int) -> Path:
    path = await asyncio.to_thread(temporary, folder)
    size = 0
    try:
        with path.open("wb") as file:
            while chunk := await part.read_chunk(CHUNK):
                size += len(chunk)
                if size > limit:
                    _too_large(limit)
                await asyncio.to_thread(file.write, chunk)
    except BaseException:  # cancelled requests leave nothing behind, either
        path.unlink(missing_ok=True)
        raise
    return path


def _too_large(limit: int) -> NoReturn:
    raise TooLarge(f"The file is larger than {limit // 2**20} MiB.")


def _read_form(data: bytes, form: type[F]) -> F:
    return _validated(json_of(data), form, "The request")


def _validated(value: Any, form: type[F], what: str) -> F:
    try:
        return form.model_validate(value)
    except ValidationError as error:
        raise BadRequest(f"{what} is not of the right form: {explained(error)}.") from error


def explained(error: ValidationError) -> str:
    """The first of pydantic's complaints as "place: complaint", and how many more there are."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place + ': ' if place else ''}{first['msg']}{more}"


def _refuse_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not a JSON number.")


def _check_values(value: Any, what: str) -> None:
    """Refuse what JSON's grammar allows and nobody further in can store. No recursion."""
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not _is_whole(item):
                raise BadRequest(f"{what} holds half a character (a lone surrogate).")
            elif isinstance(item, float) and not math.isfinite(item):
                raise BadRequest(f"{what} holds a number that is too large.")
        if not below:
            return
        level = below
    raise BadRequest(f"{what} is nested more than {DEEPEST} levels deep.")


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
