"""A full disk and a folder that may not be written cost an error in words, and nothing else.

The disk is a tmpfs of a few megabytes, where this process may mount one. Where not, files that may
not grow beyond a size (ulimit -f) show the same for pictures. A folder is made unwritable by a
mount that is read-only, else by its rights; a file in the way works everywhere.
"""

import contextlib
import ctypes
import ctypes.util
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.settings import ROOT

PATIENCE = 90.0
SAVE = {
    "version": 1,
    "nodes": {
        "1": {"type": "load_image", "values": {"file": "x.png"}},
        "2": {
            "type": "save_image",
            "values": {"file_name": "a_%counter%"},
            "inputs": {"image": {"node": "1", "output": "image"}},
        },
    },
}
SIZE = 12 * 2**20
"""Bytes of the small disk."""

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no mounts or limits to set")


@contextmanager
def small_disk(folder: Path, size: int = SIZE) -> Iterator[None]:
    """`folder`, as a disk of its own of so many bytes; skips where none may be mounted."""
    folder.mkdir(exist_ok=True)
    library = ctypes.util.find_library("c")
    if sys.platform != "linux" or library is None:
        pytest.skip("only Linux has tmpfs")
    libc = ctypes.CDLL(library, use_errno=True)
    where = str(folder).encode()
    if libc.mount(b"tmpfs", where, b"tmpfs", 0, f"size={size}".encode()):
        pytest.skip(f"this process may mount nothing: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        libc.umount2(where, 2)  # lazily: a process that ends may still have a file open


class Program:
    """The real server and worker, in a folder of their own."""

    def __init__(self, folder: Path, log: Path, largest: int | None = None) -> None:
        """`largest`: bytes beyond which no file of the program may grow."""
        command = [sys.executable, str(ROOT / "main.py"), "--no-browser", "--port", "0"]
        if largest is not None:
            command = ["sh", "-c", f'ulimit -f {largest // 512}; exec "$@"', "sh", *command]
        self.log = log
        with log.open("w") as sink:
            self.process = subprocess.Popen(
                [*command, "--data", str(folder)], cwd=ROOT, stdout=sink, stderr=sink
            )
        self.until(lambda: "Latent Loom is at " in log.read_text())
        self.address = log.read_text().split("Latent Loom is at ")[1].split()[0]

    def until(self, reached: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE
        while not (found := reached()):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)
        return found

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}{path}", data, kind)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def ended(self, run: str) -> dict[str, Any]:
        def look() -> Any:
            found = self.ask(f"/api/runs/{run}")[1]
            return found if found["finished"] else None

        return dict(self.until(look))


@contextmanager
def program(folder: Path, log: Path, largest: int | None = None) -> Iterator[Program]:
    started = Program(folder, log, largest)
    try:
        yield started
    finally:
        started.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.process.wait(30)
        started.process.kill()


def picture(folder: Path, side: int = 512) -> None:
    from PIL import Image

    (folder / "input").mkdir(exist_ok=True)
    noise = Image.effect_noise((side, side), 100)  # does not compress
    noise.save(folder / "input" / "x.png")


def fill(folder: Path, leave: int = 0) -> Path:
    """A file that takes what is left of the disk, but for so many bytes."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    if leave:
        os.truncate(ballast, max(0, ballast.stat().st_size - leave))
    return ballast


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


@posix
def test_a_full_disk_refuses_at_the_door_fails_in_words_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder):
        picture(folder)
        with program(folder, tmp_path / "log") as app:
            status, first = app.until(lambda: _accepted(app.ask("/api/runs", {"workflow": SAVE})))
            assert app.ended(first["id"])["status"] == "finished"
            kept = names(folder / "output")

            # No room for the picture, but some for what is told of the run.
            ballast = fill(folder, leave=96 * 2**10)
            status, second = app.ask("/api/runs", {"workflow": SAVE})
            assert status == 201, second
            failed = app.ended(second["id"])
            assert failed["status"] == "failed"
            assert "no room left" in failed["error"]
            assert str(folder / "output") in failed["error"]
            assert names(folder / "output") == kept, "no half picture, no draft"

            # No room for anything: the door says so, and nothing that was accepted is lost.
            fill(folder)
            refused = app.until(lambda: _refused(app, folder))
            assert refused["error"]["code"] == "disk_full"
            assert refused["error"]["message"].endswith(".")
            known = [run["id"] for run in app.ask("/api/runs")[1]["runs"]]
            assert {first["id"], second["id"]} <= set(known)

            ballast.unlink()
            status, again = app.ask(f"/api/runs/{second['id']}/again", {})
            assert status == 201, again
            assert app.ended(again["id"])["status"] == "finished"
            assert len(names(folder / "output")) == len(kept) + 1
            for run in app.ask("/api/runs")[1]["runs"]:
                assert app.ended(run["id"])["status"] in ("finished", "failed")


def _accepted(answer: tuple[int, Any]) -> tuple[int, Any] | None:
    """The answer, once the nodes are known."""
    return answer if answer[0] == 201 else None


def _refused(app: Program, folder: Path) -> Any:
    """The refusal of a run; the queue's file may have had room of its own for a few."""
    fill(folder)
    status, answer = app.ask("/api/runs", {"workflow": SAVE})
    assert status in (201, 507), answer
    return answer if status == 507 else None


@posix
def test_a_run_that_was_accepted_before_the_disk_filled_up_ends_when_there_is_room(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "disk"
    with small_disk(folder):
        picture(folder)
        with program(folder, tmp_path / "log") as app:
            app.until(lambda: _accepted(app.ask("/api/runs", {"workflow": SAVE})))
            app.until(lambda: app.ask("/api/status")[1]["queue"] == {"waiting": 0, "running": 0})
            app.ask("/api/queue/pause", {"pause": "after"})
            accepted = [app.ask("/api/runs", {"workflow": SAVE})[1]["id"] for _ in range(3)]
            ballast = fill(folder, leave=8192)
            app.ask("/api/queue/pause", {"pause": "no"})
            fill(folder)
            time.sleep(0.5)  # whatever is written meanwhile, nothing may be lost
            ballast.unlink()
            app.ask("/api/queue/pause", {"pause": "no"})
            for run in accepted:
                ended = app.ended(run)
                assert ended["status"] == "finished" or "no room left" in ended["error"]


@posix
def test_a_file_that_may_not_grow_is_as_good_as_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    picture(folder, 1024)
    with program(folder, tmp_path / "log", largest=2**20) as app:
        _, answer = app.until(lambda: _accepted(app.ask("/api/runs", {"workflow": SAVE})))
        failed = app.ended(answer["id"])
        assert failed["status"] == "failed"
        assert "no room left" in failed["error"]
        assert not names(folder / "output")
        picture(folder, 64)
        _, again = app.ask(f"/api/runs/{answer['id']}/again", {})
        assert app.ended(again["id"])["status"] == "finished"


def test_an_output_folder_that_cannot_be_written_is_named_and_all_goes_on_when_it_can(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    picture(folder)
    with program(folder, tmp_path / "log") as app:
        app.until(lambda: app.ask("/api/nodes")[0] == 200)
        (folder / "output").rename(folder / "away")
        (folder / "output").write_text("a file in the way")
        status, answer = app.ask("/api/runs", {"workflow": SAVE})
        assert status == 201, answer
        failed = app.ended(answer["id"])
        assert failed["status"] == "failed"
        assert str(folder / "output") in failed["error"]
        (folder / "output").unlink()
        (folder / "away").rename(folder / "output")
        _, again = app.ask(f"/api/runs/{answer['id']}/again", {})
        assert app.ended(again["id"])["status"] == "finished"
        assert len(names(folder / "output")) == 1


@posix
def test_a_read_only_output_folder_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "output").mkdir(parents=True)
    picture(folder)
    with _read_only(folder / "output"), program(folder, tmp_path / "log") as app:
        _, answer = app.until(lambda: _accepted(app.ask("/api/runs", {"workflow": SAVE})))
        failed = app.ended(answer["id"])
        assert failed["status"] == "failed"
        assert str(folder / "output") in failed["error"]
        assert "may not be written" in failed["error"]
        assert not names(folder / "output")


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """The folder, which nobody may write to: by a mount for root, whom rights do not bind."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    with small_disk(folder):
        libc = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        remount, read_only = 32, 1
        if libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", remount | read_only, b""):
            pytest.skip("this process may not make a mount read-only")
        yield
