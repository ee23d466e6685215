"""Refuse foreign pages and strangers, and tell browsers how to treat what is sent."""

import hashlib
import hmac
import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from yarl import URL

from server.errors import Forbidden, Handler, Refused, Unauthorised, error_response
from server.keys import SETTINGS
from server.settings import LOOPBACK, Settings

DEFAULT_PORTS = {"http": 80, "https": 443}

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the editor's own pages: nothing from elsewhere, no inline script."""

FILE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
"""The same of files that people made: whatever they hold, no script of theirs runs."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # an address may have held the token
    "X-Frame-Options": "DENY",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the request through if its Host, its Origin and its token are right.

    A page elsewhere that knows the address cannot use it: its Origin is foreign, and if it renames
    itself to 127.0.0.1 in the DNS (rebinding), the Host is. A script on this machine sends no
    Origin and is welcome on loopback. Applies to WebSockets too, which start as a request.
    """
    settings = request.app[SETTINGS]
    try:
        _check_host(request, settings)
        _check_origin(request)
        if settings.token is not None:
            answer = _admit(request, settings)
            if answer is not None:
                return answer
    except Refused as refused:
        return error_response(refused.status, refused.code, refused.message)
    return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Put the protective headers on every answer, those of errors and files included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)


def cookie_name(settings: Settings) -> str:
    """The cookie's name; browsers share cookies between ports, so the port is part of it."""
    return f"latent_loom_{settings.port}"


def cookie_value(token: str) -> str:
    """What the cookie holds: not the token, but what can only be made from it."""
    return hashlib.sha256(f"latent loom cookie {token}".encode()).hexdigest()


def _check_host(request: web.Request, settings: Settings) -> None:
    if not settings.is_local:
        return  # any name may lead here; the token decides, and its cookie is bound to the name
    host = request.headers.get(hdrs.HOST)
    if host is not None and not _is_loopback(_split(f"//{host}")[0]):
        raise Forbidden(
            f"This server is only for this machine and does not answer to the name {host!r}. "
            f"Open http://127.0.0.1:{settings.port}, or start it with --listen."
        )


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None:
        scheme = origin.partition("://")[0].lower()
        default = DEFAULT_PORTS.get(scheme)
        host, port = _split(origin)
        own_host, own_port = _split(f"//{request.headers.get(hdrs.HOST, '')}")
        same = (host, port or default) == (own_host, own_port or default)
        if default is None or host is None or not same:
            raise Forbidden(f"A page of {origin!r} may not use this server.")
    # Browsers send no Origin with a plain GET, but they say where it comes from.
    site = request.headers.get("Sec-Fetch-Site", "none")
    mode = request.headers.get("Sec-Fetch-Mode")
    if site in {"cross-site", "same-site"} and mode != "navigate":
        raise Forbidden("Another site's page may not use this server.")


def _admit(request: web.Request, settings: Settings) -> web.StreamResponse | None:
    """None where the request may pass; where the URL holds the token, the answer that moves it."""
    token = settings.token or ""
    offered = request.query.get("token")
    if offered is not None and request.method == hdrs.METH_GET:
        if not _equal(offered, token):
            raise Unauthorised("The token in the address is not the one that the server printed.")
        answer = web.Response(status=HTTPStatus.SEE_OTHER)
        answer.headers[hdrs.LOCATION] = _without_token(request.rel_url)
        answer.set_cookie(
            cookie_name(settings),
            cookie_value(token),
            httponly=True,
            samesite="Lax",  # with "Strict" a link from a chat would arrive without the cookie
            secure=request.secure,
            max_age=30 * 24 * 3600,
        )
        return answer
    bearer = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
    cookie = request.cookies.get(cookie_name(settings), "")
    if _equal(bearer, token) or _equal(cookie, cookie_value(token)):
        return None
    raise Unauthorised(
        "This server asks for its token. Open the address that it printed when it started, "
        "or send the header 'Authorization: Bearer TOKEN'."
    )


def _without_token(url: URL) -> str:
    """The path and query without the token; a leading "//" would lead to another host."""
    query = [(name, value) for name, value in url.query.items() if name != "token"]
    rest = URL.build(path="/" + url.path.lstrip("/\\"), query=query)
    return str(rest)


def _split(address: str) -> tuple[str | None, int | None]:
    """The host in lower case and the port; (None, None) where the address is malformed."""
    if any(sign in address.partition("//")[2] for sign in "@/\\?#"):
        return None, None
    try:
        parts = urlsplit(address)
        return parts.hostname, parts.port
    except ValueError:
        return None, None


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host in LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _equal(offered: str, expected: str) -> bool:
    """Compare without telling by its duration how much was right."""
    return hmac.compare_digest(
        offered.encode("utf-8", "surrogateescape"), expected.encode("utf-8", "surrogateescape")
    )
