"""The editor's page and its files, or a page that says when it will be there."""

import asyncio
from html import escape

from aiohttp import web

from server.keys import EDITOR
from server.paths import file_inside

routes = web.RouteTableDef()

# Named here because Windows' registry may call a script "text/plain".
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
}

WAITING_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>Latent Loom</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
         font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }}
  main {{ max-width: 36rem; padding: 2rem; }}
  h1 {{ font-size: 1.25rem; margin: 0 0 .5rem; }}
  p {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
</style>
</head>
<body><main><h1>{title}</h1><p>{message}</p></main></body>
</html>
"""


@routes.get("/")
async def get_page(request: web.Request) -> web.StreamResponse:
    """The editor; while it is being built, a page that looks again by itself."""
    editor = request.app[EDITOR]
    if editor.state == "ready":
        return await _send(request, "index.html")
    failed = editor.state == "failed"
    page = WAITING_PAGE.format(
        # Slower after a failure: the page appears by itself once build-editor has been run.
        refresh=f'<meta http-equiv="refresh" content="{10 if failed else 1}">\n',
        title="The editor is not built" if failed else "One moment ...",
        message=escape(editor.message),
    )
    headers = {"Cache-Control": "no-store", "Retry-After": "1"}
    return web.Response(status=503, text=page, content_type="text/html", headers=headers)


@routes.get(r"/{path:(?!api(?:/|$)).+}")
async def get_asset(request: web.Request) -> web.StreamResponse:
    """A file of the built editor."""
    return await _send(request, request.match_info["path"])


async def _send(request: web.Request, relative: str) -> web.StreamResponse:
    path = await asyncio.to_thread(file_inside, request.app[EDITOR].dist, relative)
    response = web.FileResponse(path)
    response.headers["Content-Type"] = KINDS.get(path.suffix.lower(), "application/octet-stream")
    # Vite puts a hash of the content into the names of everything in assets/.
    forever = relative.startswith("assets/")
    cache = "public, max-age=31536000, immutable" if forever else "no-cache"
    response.headers["Cache-Control"] = cache
    return response
