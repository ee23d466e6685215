"""Refusals that handlers raise, and the one place that turns any exception into an answer."""

import errno
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from graph.words import retold
from server.queue import BadExport, NotInLine, UnknownBatch, UnknownPicture, UnknownRun

log = logging.getLogger(__name__)

DISK_FULL = (
    "There is no room left on the disk that holds the data folder, so nothing was changed. Make "
    "room and try again."
)

UNWRITABLE = (
    "The queue in the data folder cannot be written ({error}), so nothing was changed. See that "
    "its disk is there and may be written to, and try again."
)

OF_THE_QUEUE: dict[type[Exception], tuple[HTTPStatus, str]] = {
    UnknownRun: (HTTPStatus.NOT_FOUND, "unknown_run"),
    UnknownBatch: (HTTPStatus.NOT_FOUND, "unknown_batch"),
    UnknownPicture: (HTTPStatus.NOT_FOUND, "unknown_picture"),
    NotInLine: (HTTPStatus.CONFLICT, "not_in_line"),
    BadExport: (HTTPStatus.BAD_REQUEST, "bad_export"),
}
"""The queue's own refusals, as statuses and codes."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A request that cannot be served; `message` is a sentence for the person who made it."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def headers(self) -> dict[str, str]:
        """What the answer's header says besides."""
        return {}


class BadRequest(Refused):
    """The request itself is wrong: its JSON, its query, its file."""


class Unauthorised(Refused):
    """The token is missing or wrong."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorised"


class Forbidden(Refused):
    """The request comes from where none is welcome, or asks for what nobody may do."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class NotFound(Refused):
    """Nothing goes by that name."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Gone(Refused):
    """It was there and is no longer kept."""

    status = HTTPStatus.GONE
    code = "gone"


class TooLarge(Refused):
    """More bytes or pixels than the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class NotReady(Refused):
    """It will work in a moment; the answer says after how many seconds to ask again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(message)
        self.seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}


def error_response(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    """The form that every error has: `{"error": {"code", "message"}}`, in the reader's language."""
    body = {"error": {"code": code, "message": retold(message)}}
    return web.json_response(body, status=status, headers=headers)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every exception with a sentence; an unforeseen one's traceback goes to the log."""
    try:
        return await handler(request)
    except Refused as refused:
        return error_response(refused.status, refused.code, refused.message, refused.headers)
    except tuple(OF_THE_QUEUE) as refused:
        status, code = OF_THE_QUEUE[type(refused)]
        return error_response(status, code, str(refused))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _from_http(request, error)
    except ConnectionError:
        raise  # the client went away; there is nobody to answer
    except Exception as error:
        # The last resort: one bad request must not end the server.
        # The query is left out of the log, because it may hold the token.
        log.exception("%s %s failed", request.method, request.path)
        if _is_full(error):
            return error_response(HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", DISK_FULL)
        if _is_unwritable(error):
            message = UNWRITABLE.format(error=error)
            return error_response(HTTPStatus.INSUFFICIENT_STORAGE, "not_writable", message)
        message = "Something went wrong inside the server. Its log says what."
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", message)


_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows knows no quotas


def _is_full(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _FULL


def _is_unwritable(error: Exception) -> bool:
    """Whether the disk, and not the program, kept the queue from being written."""
    if not isinstance(error, sqlite3.OperationalError):
        return False
    # The lowest byte is the kind, the rest says more: https://sqlite.org/rescode.html
    kind = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return kind in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def _from_http(request: web.Request, error: web.HTTPException) -> web.Response:
    allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    match error.status:
        case HTTPStatus.NOT_FOUND:
            return error_response(404, "not_found", f"There is nothing at {request.path}.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            message = f"{request.path} does not answer {request.method}."
            return error_response(405, "method_not_allowed", message, allowed)
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return error_response(413, "too_large", "The request is too large.")
    return error_response(error.status, "bad_request", error.text or error.reason)
