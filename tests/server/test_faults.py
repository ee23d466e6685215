"""Whatever is killed at whatever moment: no accepted run is lost, repeated once done, or half done.

`python -m tests.server.test_faults 200` does with two hundred runs what CI does with thirty, and
`python -m tests.server.test_faults 200 real` with the real worker and nodes, on a tiny model.
"""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.picture_text import workflow_of
from server.queue import ATTEMPTS, Run, RunQueue
from server.settings import ROOT, Settings
from tests.helpers.fault_worker import STARTS, content_of
from tests.helpers.workflows import text_to_image
from tests.server.program import DRIVER, alive, workers_of

RUNS = 30
WORKERS = 2
PATIENCE = 90.0
WORKFLOW = {
    "version": 1,
    "nodes": {f"n{k}": {"type": "draw", "values": {"number": k}} for k in range(3)},
}


@dataclass(frozen=True)
class World:
    """What runs while things are killed, at most `pause` seconds apart.

    `kept` holds a run that has ended, and `whole` every picture, against what was promised.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    workflow: Callable[[random.Random], dict[str, Any]]
    kept: Callable[[Path, Run], None]
    whole: Callable[[Path], None]
    pause: float


def begun_and_drawn(folder: Path, run: Run) -> None:
    began = starts_of(folder).get(run.id, [])
    assert 1 <= len(began) <= ATTEMPTS, f"{run.id} was begun {len(began)} times"
    assert run.finished is not None
    assert max(began) <= run.finished, "a run was begun again after its end"
    if run.status == "finished":
        files = [output["file"] for output in run.outputs]
        assert sorted(files) == [f"{run.id}-n{k}.png" for k in range(3)], "each output, once"


def says_its_name(picture: Path) -> None:
    assert picture.read_bytes() == content_of(picture.name), f"{picture.name} is half a picture"


PAPER = World(
    prepare=lambda folder: None,
    command=lambda folder: ["-m", "tests.helpers.fault_worker", str(folder), str(WORKERS)],
    workflow=lambda draw: WORKFLOW,
    kept=begun_and_drawn,
    whole=says_its_name,
    pause=0.5,
)


def with_a_tiny_model(folder: Path) -> None:
    from tests.helpers.tiny_model import tiny_checkpoint

    (folder / "models" / "checkpoints").mkdir()
    tiny_checkpoint(folder / "models" / "checkpoints" / "tiny.safetensors")


def real_command(folder: Path) -> list[str]:
    options = ("--port", "0", "--no-browser", "--workers", str(WORKERS), "--device", "cpu")
    places = ("--data", str(folder / "data"), "--models", str(folder / "models"))
    return ["-c", DRIVER, str(folder), *options, *places]


def one_saved(folder: Path, run: Run) -> None:
    if run.status == "finished":
        (file,) = (output["file"] for output in run.outputs if output["kind"] == "image")
        with (Settings.of(folder).output / file).open("rb") as picture:
            assert json.loads(workflow_of(picture) or "") == run.workflow, "another run's picture"


def can_be_opened(picture: Path) -> None:
    from PIL import Image

    with Image.open(picture) as opened:
        opened.load()  # raises where its end is missing


REAL = World(
    prepare=with_a_tiny_model,
    command=real_command,
    workflow=lambda draw: text_to_image(seed=draw.randrange(2**32)),
    kept=one_saved,
    whole=can_be_opened,
    pause=12.0,  # a worker that imports torch takes seconds to start
)


class Program:
    """The server as a process of its own, which the test may kill."""

    def __init__(self, folder: Path, world: World) -> None:
        self.log = folder / "server.log"
        begin = self.log.stat().st_size if self.log.exists() else 0
        command = [sys.executable, *world.command(folder)]
        with self.log.open("a") as sink:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=sink)
        until = time.monotonic() + PATIENCE
        while "Latent Loom is at " not in (said := self.log.read_text()[begin:]):
            assert self.process.poll() is None, said
            assert time.monotonic() < until, said
            time.sleep(0.02)
        self.address = said.split("Latent Loom is at ")[1].split()[0]

    def post(self, path: str, body: Any) -> Any:
        """The answer, or None where the server died before it gave one."""
        request = urllib.request.Request(
            f"{self.address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read()) from error
        except OSError:
            return None

    def kill(self, draw: random.Random) -> None:
        """Kill the server, its workers, or all of them, with no warning."""
        workers = workers_of(self.process.pid)
        chosen = draw.choice(["server", "workers", "both"])
        if chosen != "server":
            for worker in workers:
                with_no_warning(worker)
        if chosen != "workers":
            with_no_warning(self.process.pid)
            self.process.wait()
            until = time.monotonic() + PATIENCE
            while any(alive(worker) for worker in workers) and time.monotonic() < until:
                time.sleep(0.005)


def with_no_warning(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
        os.kill(process, signal.SIGKILL)


@contextmanager
def looking_into(folder: Path) -> Iterator[RunQueue]:
    queue = RunQueue(Settings.of(folder).database)
    try:
        yield queue
    finally:
        queue.close()


def starts_of(folder: Path) -> dict[str, list[float]]:
    """Seconds since 1970 at which each run was begun."""
    found: dict[str, list[float]] = {}
    for line in (folder / "data" / STARTS).read_text().splitlines():
        run, at = line.split()
        found.setdefault(run, []).append(int(at) / 1e9)
    return found


def live_through(folder: Path, runs: int, seed: int, world: World = PAPER) -> Counter[str]:
    """Queue so many runs while things are killed, and hold what is left against every promise."""
    draw = random.Random(seed)
    folder.joinpath("workflows").mkdir()
    folder.joinpath("models").mkdir()
    accepted: list[str] = []
    ended_before: dict[str, tuple[str, float]] = {}
    world.prepare(folder)
    program = Program(folder, world)
    try:
        while len(accepted) < runs or not all_ended(folder):
            for _ in range(min(draw.randint(0, 8), runs - len(accepted))):
                if answer := program.post("/api/runs", {"workflow": world.workflow(draw)}):
                    accepted.append(answer["id"])
            time.sleep(draw.uniform(0, world.pause))
            if len(accepted) < runs:
                program.kill(draw)
            if program.process.poll() is not None:
                no_ended_run_has_changed(folder, ended_before)
                program = Program(folder, world)
    finally:
        program.process.kill()
        program.process.wait()
    no_ended_run_has_changed(folder, ended_before)
    return promises_kept(folder, accepted, world)


def all_ended(folder: Path) -> bool:
    with looking_into(folder) as queue:
        counts = queue.counts()
    return counts == {"waiting": 0, "running": 0}


def no_ended_run_has_changed(folder: Path, before: dict[str, tuple[str, float]]) -> None:
    with looking_into(folder) as queue:
        now = {run.id: (run.status, run.finished or 0.0) for run in queue.list(10_000)}
    for run, ending in before.items():
        assert now[run] == ending, "an ended run keeps its ending"
    before.update({run: ending for run, ending in now.items() if ending[1]})


def promises_kept(folder: Path, accepted: list[str], world: World = PAPER) -> Counter[str]:
    with looking_into(folder) as queue:
        found = {run.id: run for run in queue.list(10_000)}
        (sound,) = queue._database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone())
    assert sound == "ok"
    assert set(accepted) <= set(found), "an accepted run is lost"
    for run in found.values():
        assert run.status in ("finished", "failed"), run
        assert run.finished is not None
        assert 1 <= run.attempts <= ATTEMPTS
        world.kept(folder, run)
        if run.status == "failed":
            assert run.attempts == ATTEMPTS, "one death does not fail a run"
            assert run.error
            continue
        assert run.error is None
        assert {node["state"] for node in run.nodes.values()} <= {"finished", "cached"}
    for picture in Settings.of(folder).output.rglob("[!.]*.png"):
        world.whole(picture)
    files = [output["file"] for run in found.values() for output in run.outputs]
    assert len(files) == len(set(files)), "a picture belongs to two runs"
    return Counter(run.status for run in found.values())


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="there is no /proc to find workers"
)
def test_runs_survive_the_death_of_server_and_workers(tmp_path: Path) -> None:
    ended = live_through(tmp_path, RUNS, seed=1)
    assert ended["finished"] >= RUNS // 2


def test_the_check_sees_a_lost_a_repeated_and_a_half_done_run(tmp_path: Path) -> None:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "models").mkdir()
    settings = Settings.of(tmp_path)
    settings.make_folders()
    with looking_into(tmp_path) as queue:
        run = queue.add(WORKFLOW)
        queue.claim()
        queue.finish(run.id, "failed", "no memory")
    log = tmp_path / "data" / STARTS
    log.write_text(f"{run.id} 1\n")
    with pytest.raises(AssertionError, match="is lost"):
        promises_kept(tmp_path, [run.id, "another"])
    with pytest.raises(AssertionError, match="one death"):
        promises_kept(tmp_path, [run.id])
    log.write_text(f"{run.id} 1\n{run.id} {time.time_ns() + 10**10}\n")
    with pytest.raises(AssertionError, match="after its end"):
        promises_kept(tmp_path, [run.id])
    with sqlite3.connect(settings.database) as connection:
        connection.execute("UPDATE run SET attempts = 2")
    log.write_text(f"{run.id} 1\n{run.id} 2\n")
    promises_kept(tmp_path, [run.id])
    (settings.output / "x.png").write_bytes(b"half")
    with pytest.raises(AssertionError, match="half a picture"):
        promises_kept(tmp_path, [run.id])


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chosen = REAL if sys.argv[2:] == ["real"] else PAPER
    with tempfile.TemporaryDirectory() as scratch:
        print(dict(live_through(Path(scratch), count, int(time.time()), chosen)))
