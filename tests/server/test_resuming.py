"""A run that everything died under goes on from the last node whose result is on the disk."""

import json
import os
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.workflows import text_to_image
from tests.server.program import started, workers_of

PATIENCE = 120.0


def ask(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def states(address: str, run: str) -> dict[str, str]:
    found = ask(address, f"/api/runs/{run}")["nodes"]
    return {node: kept["state"] for node, kept in found.items()}


def sampled_twice() -> dict[str, Any]:
    """The sampler "5" gives a latent at once, and "9" takes it and is at it for long."""
    workflow = text_to_image(seed=11)
    workflow["nodes"]["4"]["values"] |= {"width": 128, "height": 128}
    again = json.loads(json.dumps(workflow["nodes"]["5"]))
    again["inputs"]["latent"] = {"node": "5", "output": "latent"}
    again["values"] |= {"steps": 1000, "seed": 12}
    workflow["nodes"]["9"] = again
    workflow["nodes"]["6"]["inputs"]["latent"]["node"] = "9"
    return workflow


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="there is no /proc to find workers"
)
def test_a_killed_run_takes_the_finished_sampler_from_the_disk_and_begins_with_the_other(
    tmp_path: Path, tiny_models: Path
) -> None:
    data = tmp_path / "data"
    options = ("--models", str(tiny_models), "--device", "cpu")
    with started(data, *options) as (process, address, _):
        run = ask(address, "/api/runs", {"workflow": sampled_twice()})["id"]
        until(lambda: states(address, run).get("9") == "running")
        # Two prompts and the latent; they are written beside the run.
        until(lambda: len(list((data / "cache").rglob("*.result"))) >= 3)
        workers = workers_of(process.pid)
        for one in (process.pid, *workers):
            os.kill(one, signal.SIGKILL)
        process.wait()
    with started(data, *options) as (_, address, _):
        until(lambda: states(address, run).get("9") == "running")
        assert states(address, run)["5"] == "cached"
        assert ask(address, f"/api/runs/{run}")["status"] == "running"
        ask(address, f"/api/runs/{run}/cancel", {})
        until(lambda: ask(address, f"/api/runs/{run}")["status"] == "cancelled")
