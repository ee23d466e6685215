"""The program as a process of its own, for tests that use it as a person or a script does."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server.settings import ROOT

PATIENCE = 60.0  # seconds; a process start takes about one on a busy machine

# The program as main.py starts it, but in a folder without an editor, so that nothing is
# built, and with the packs of that folder.
# A shell that starts tests in the background makes them deaf to Ctrl+C; the program must hear it.
DRIVER = """
import signal
import sys
from dataclasses import replace
from pathlib import Path
import main
from server.command_line import parser
from server.serve import serve
signal.signal(signal.SIGINT, signal.default_int_handler)
root, *arguments = sys.argv[1:]
options = parser().parse_args(["serve", *arguments])
folder = Path(root)
settings = replace(main._settings(options), root=folder, custom_nodes=folder / "custom_nodes")
sys.exit(serve(settings))
"""


@contextmanager
def started(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """The program as a process of its own: it, its address as printed, and its log."""
    log = data.parent / "log.txt"
    command = [sys.executable, "-c", DRIVER, str(data.parent), "--port", "0", "--no-browser"]
    flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {}
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*command, "--data", str(data), *options],
            cwd=ROOT,
            stdout=sink,
            stderr=sink,
            text=True,
            **flags,
        )
    try:
        until = time.monotonic() + PATIENCE
        while "Latent Loom is at " not in (said := log.read_text()):
            assert process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.05)
        yield process, said.split("Latent Loom is at ")[1].split()[0], log
    finally:
        process.kill()
        process.wait()


def workers_of(program: int) -> list[int]:
    """The process ids of the program's workers, where /proc tells them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(folder.name))
        if len(fields) > 1 and fields[1] == str(program):
            command = (folder / "cmdline").read_bytes()
            found += [int(folder.name)] if b"spawn_main" in command else []
    return found


def alive(process: int) -> bool:
    """Whether the process runs (a zombie does not), where /proc tells it."""
    fields = _stat(process)
    return bool(fields) and fields[0] != "Z"


def _stat(process: int) -> list[str]:
    """State, parent and so on: what follows the name in /proc/PID/stat, see proc(5)."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
