"""Send files that people made so that no browser takes them for a page or a script."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from server.security import FILE_POLICY

# Everything else is sent as bytes to be saved, whatever its name says.
SHOWN = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
}


async def send_file(
    request: web.Request, path: Path, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """The file as an answer; ranges and If-None-Match are understood."""
    kind = SHOWN.get(path.suffix.lower())
    response = web.FileResponse(path)
    response.headers["Content-Type"] = kind or "application/octet-stream"
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, no-cache"
    shown = "inline" if kind else "attachment"
    response.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(path.name)}"
    response.headers.update(headers or {})
    return response
