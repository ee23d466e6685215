"""Start the app as a user does and open its page in a real Chromium."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW_TO_GET_CHROMIUM = (
    "no Chromium on the path: install it (Debian: apt-get install chromium; macOS: brew install "
    "--cask chromium; Windows: any Chrome on the PATH) to run the browser tests"
)


def chromium() -> str | None:
    """The path of the first Chromium or Chrome that is installed."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def app(data: Path, *options: str, seconds: float = 240) -> Iterator[str]:
    """The address of a running app whose outputs go to `data`; ready when its nodes are known.

    Raises `RuntimeError` with the app's log where it ends early or is not ready in time.
    """
    port = free_port()
    data.mkdir(parents=True, exist_ok=True)
    log = data / "app.log"
    command = [sys.executable, "main.py", "--no-browser", "--port", str(port), "--data", str(data)]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + seconds
        while not _answers(f"{url}/api/nodes"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the app is not ready:\n{log.read_text('utf-8', 'replace')}")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium. Raises `FileNotFoundError` where there is none."""
    path = chromium()
    if path is None:
        raise FileNotFoundError(HOW_TO_GET_CHROMIUM)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=path, args=[*quiet, *(["--no-sandbox"] if root else [])]
        )
        try:
            yield running
        finally:
            running.close()
