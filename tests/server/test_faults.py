"""Whatever is killed at whatever moment: no accepted run is lost, repeated once done, or half done.

`python -m tests.server.test_faults 200` does with two hundred runs what CI does with thirty.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from server.queue import ATTEMPTS, RunQueue
from server.settings import ROOT, Settings
from tests.helpers.fault_worker import STARTS, content_of
from tests.server.program import alive, workers_of

RUNS = 30
WORKERS = 2
PATIENCE = 90.0
WORKFLOW = {
    "version": 1,
    "nodes": {f"n{k}": {"type": "draw", "values": {"number": k}} for k in range(3)},
}


class Program:
    """The server as a process of its own, which the test may kill."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "server.log"
        begin = self.log.stat().st_size if self.log.exists() else 0
        command = [sys.executable, "-m", "tests.helpers.fault_worker", str(folder), str(WORKERS)]
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


def live_through(folder: Path, runs: int, seed: int) -> Counter[str]:
    """Queue so many runs while things are killed, and hold what is left against every promise."""
    draw = random.Random(seed)
    folder.joinpath("workflows").mkdir()
    folder.joinpath("models").mkdir()
    accepted: list[str] = []
    ended_before: dict[str, tuple[str, float]] = {}
    program = Program(folder)
    try:
        while len(accepted) < runs or not all_ended(folder):
            for _ in range(min(draw.randint(0, 8), runs - len(accepted))):
                if answer := program.post("/api/runs", {"workflow": WORKFLOW}):
                    accepted.append(answer["id"])
            time.sleep(draw.uniform(0, 0.5))
            if len(accepted) < runs:
                program.kill(draw)
            if program.process.poll() is not None:
                no_ended_run_has_changed(folder, ended_before)
                program = Program(folder)
    finally:
        program.process.kill()
        program.process.wait()
    no_ended_run_has_changed(folder, ended_before)
    return promises_kept(folder, accepted)


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


def promises_kept(folder: Path, accepted: list[str]) -> Counter[str]:
    settings, starts = Settings.of(folder), starts_of(folder)
    with looking_into(folder) as queue:
        found = {run.id: run for run in queue.list(10_000)}
        (sound,) = queue._database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone())
    assert sound == "ok"
    assert set(accepted) <= set(found), "an accepted run is lost"
    for run in found.values():
        began = starts.get(run.id, [])
        assert run.status in ("finished", "failed"), run
        assert run.finished is not None
        assert 1 <= len(began) <= ATTEMPTS, f"{run.id} was begun {len(began)} times"
        assert max(began) <= run.finished, "a run was begun again after its end"
        if run.status == "failed":
            assert run.attempts == ATTEMPTS, "one death does not fail a run"
            assert run.error
            continue
        assert run.error is None
        files = [output["file"] for output in run.outputs]
        assert sorted(files) == [f"{run.id}-n{k}.png" for k in range(3)], "each output, once"
        assert {node["state"] for node in run.nodes.values()} == {"finished"}
    for picture in settings.output.glob("*.png"):
        assert picture.read_bytes() == content_of(picture.name), f"{picture.name} is half a picture"
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
    with tempfile.TemporaryDirectory() as scratch:
        print(dict(live_through(Path(scratch), count, seed=int(time.time()))))
