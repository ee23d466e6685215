"""Runs go out to the machines of a real Ray cluster, and what they make comes back."""

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.dispatch import Dispatcher
from server.ray_cluster import FORBIDDEN_PORTS, Cluster, NoCluster, _check_port, places_of
from server.settings import Settings
from tests.helpers.desk import Desk

# Ray reads the environment when it is imported, so that it is not imported here.
if importlib.util.find_spec("ray") is None:
    pytest.skip("Ray is not installed: requirements-ray.txt", allow_module_level=True)

PATIENCE = 90  # seconds; two nodes of Ray start in ten on a quiet machine
ENTRY = "tests.helpers.ray_worker:main"


def free_port() -> int:
    while True:
        with socket.socket() as found:
            found.bind(("", 0))
            port = int(found.getsockname()[1])
        if port not in FORBIDDEN_PORTS:
            return port


class Node:
    """A node of a cluster as a process of its own, with a models folder of its own."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir()
        (folder / "models" / "vae").mkdir(parents=True)
        self.models = folder / "models" / "vae"
        self.log = folder / "log.txt"
        places = {
            "LATENT_LOOM_MODELS": str(folder / "models"),
            "LATENT_LOOM_DATA": str(folder / "data"),
        }
        command = Path(sysconfig.get_path("scripts")) / "ray"
        common = ("--block", "--num-cpus=1", "--object-store-memory=100000000")
        with self.log.open("w") as sink:
            self.process = subprocess.Popen(
                [command, "start", *common, *options],
                env={**os.environ, **places},
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )

    def end(self) -> None:
        """End it with all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Node, Node]]:
    if sys.platform != "linux":
        pytest.skip("Ray's command line is tried on Linux alone.")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    port = free_port()
    address = f"127.0.0.1:{port}"
    scratch = tempfile.mkdtemp(prefix="ray-")  # Ray's sockets need a short path
    head = Node(
        tmp_path / "head",
        *("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={scratch}"),
    )
    other = None
    try:
        wait_for(head, port)
        other = Node(tmp_path / "other", f"--address={address}")
        yield address, head, other
    finally:
        for node in (other, head):
            if node is not None:
                node.end()
        shutil.rmtree(scratch, ignore_errors=True)


def wait_for(node: Node, port: int) -> None:
    """Wait until somebody listens there."""
    import time

    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert node.process.poll() is None, node.log.read_text()
        assert time.monotonic() < until, node.log.read_text()
        time.sleep(0.1)


@asynccontextmanager
async def at_cluster(settings: Settings, count: int) -> AsyncIterator[Desk]:
    """A desk whose workers are on the cluster's machines, once there are `count`."""
    cluster = await asyncio.to_thread(Cluster, settings, ENTRY)
    try:
        async with asyncio.timeout(PATIENCE):
            workers = cluster.look().joined
            while len(workers) < count:
                await asyncio.sleep(0.2)
                workers += cluster.look().joined
        desk = Desk(settings, None)  # type: ignore[arg-type]  # it starts no process
        follow = partial(cluster.follow, pause=0.3)
        desk.dispatcher = Dispatcher(settings, desk.queue, desk._hear, workers, follow)
        await desk.dispatcher.start()
        try:
            yield desk
        finally:
            await desk.dispatcher.stop()
            desk.queue.close()
    finally:
        await asyncio.to_thread(cluster.leave)


def drawing(model: str) -> dict[str, Any]:
    values = {"model": model, "picture": "cat.png"}
    return {"version": 1, "nodes": {"n0": {"type": "draw", "values": values}}}


async def add(desk: Desk, model: str) -> str:
    run = desk.queue.add(drawing(model), models=f"vae/{model}").id
    desk.dispatcher.wake()
    return run


async def test_runs_go_to_two_machines_and_survive_the_death_of_an_actor(
    nodes: tuple[str, Node, Node], tmp_path: Path
) -> None:
    # One cluster for the whole story: it takes ten seconds to start.
    address, head, other = nodes
    own = tmp_path / "models" / "vae"
    own.mkdir(parents=True)
    settings = Settings.of(data=tmp_path / "data", models=(tmp_path / "models",), ray=address)
    settings.make_folders()
    (own / "mine.safetensors").write_bytes(b"content")
    (own / "rare.safetensors").write_bytes(b"nowhere")
    (head.models / "its-own-name.safetensors").write_bytes(b"content")
    (head.models / "mine.safetensors").write_bytes(b"another")  # the name alone is not enough
    (settings.input / "cat.png").write_bytes(b"a cat")

    async with at_cluster(settings, 2) as desk:
        first, second = desk.dispatcher.stations
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(first.is_ready(), second.is_ready())
        assert all("paper on " in station.device for station in (first, second))

        runs = [await add(desk, "mine.safetensors") for _ in range(3)]
        ended = [await desk.ended(run) for run in runs]
        assert [run.error for run in ended] == [None] * 3
        assert [run.attempts for run in ended] == [1] * 3, "asking where a model is costs none"
        files = sorted(run.outputs[0]["file"] for run in ended)
        assert files == [f"day/fox_0000{k}.png" for k in (1, 2, 3)], "none is written over"
        for file in files:
            said = (settings.output / file).read_bytes()
            assert said == b"its-own-name.safetensors content a cat mine.safetensors"
        assert (settings.previews / runs[0] / "n0.jpg").read_bytes() == b"a preview"
        assert sorted(m["run"] for m in desk.of_type("preview")) == sorted(runs)
        value = await desk.dispatcher.asking.value(runs[0], "n0", "image")
        assert (settings.temp / value.file).read_bytes() == b"a value"

        rare = await desk.ended(await add(desk, "rare.safetensors"))
        assert rare.status == "failed"
        assert "has no file with the content of vae/rare.safetensors (SHA-256" in str(rare.error)

        died = await desk.ended(desk.add("exit"))
        assert (died.status, died.attempts) == ("failed", 2)
        assert "Exit (n0) was running: it exited with code 3" in str(died.error)

        slow = desk.add("slow")
        await desk.running(slow)
        at = first if first.run is not None else second
        import ray

        await asyncio.to_thread(ray.kill, at._client._actor)  # type: ignore[attr-defined]
        await desk.until(lambda: desk.queue.get(slow).attempts == 2)
        await desk.until(lambda: desk.queue.get(slow).status == "running")
        await desk.until(lambda: len([m for m in desk.of_type("node") if m["run"] == slow]) >= 3)
        await desk.dispatcher.cancel(slow)
        assert (await desk.ended(slow)).status == "cancelled"

        desks = desk.dispatcher.trials
        tried = await desks.ask(str(own / "mine.safetensors"))
        assert tried is not None
        assert tried.trial == {"read": "content"}, "on the machine that has it"
        untried = await desks.ask(str(own / "rare.safetensors"))
        assert untried is not None
        assert untried.is_absent
        assert "has no file with the content of vae/rare.safetensors" in untried.trouble
        assert desk.dispatcher.machine_with("vae", "its-own-name.safetensors") is not None
        assert desk.dispatcher.machine_with("vae", "nobodys.safetensors") is None

        other.end()
        last = await desk.ended(await add(desk, "mine.safetensors"))
        assert last.status == "finished", "the machine that is left goes on"

        third = Node(tmp_path / "third", f"--address={address}")
        try:
            (third.models / "new.safetensors").write_bytes(b"only there")
            (own / "new.safetensors").write_bytes(b"only there")
            stations = desk.dispatcher.stations
            await desk.until(lambda: any(one.number == 3 for one in stations))
            joined = next(one for one in stations if one.number == 3)
            async with asyncio.timeout(PATIENCE):
                await joined.is_ready()
            there = await desk.ended(await add(desk, "new.safetensors"))
            assert (there.status, there.error) == ("finished", None), "without a start of the app"
            await desk.until(lambda: len(stations) == 2)  # Ray takes a while to call a node dead
            assert "Its machine left the cluster." in [m["message"] for m in desk.of_type("worker")]
        finally:
            third.end()


def test_a_cluster_of_this_machine_alone_listens_on_the_loopback_address_alone(
    tmp_path: Path,
) -> None:
    if sys.platform != "linux":
        pytest.skip("Who listens where is read from /proc.")
    command = [sys.executable, "-m", "tests.helpers.ray_local", str(tmp_path)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    said = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    # 127.0.0.1 as an address of IPv4, and of IPv6.
    assert set(json.loads(said.stdout)) == {"0100007F", "0000000000000000FFFF00000100007F"}


@pytest.mark.parametrize(
    ("resources", "workers", "expected"),
    [
        ({"CPU": 8.0}, 1, [(8.0, 0.0)]),
        ({"CPU": 8.0, "GPU": 2.0}, 1, [(4.0, 1.0)] * 2),
        ({"CPU": 3.0, "GPU": 1.0}, 2, [(1.0, 0.5)] * 2),
        ({"CPU": 1.0}, 3, [(0.3333, 0.0)] * 3),
        ({"CPU": 0.0, "memory": 1e9}, 1, []),
    ],
)
def test_each_graphics_card_or_else_the_cpus_of_a_machine_get_their_workers(
    resources: dict[str, float], workers: int, expected: list[tuple[float, float]]
) -> None:
    node = {"NodeID": "a", "NodeManagerHostname": "h", "NodeManagerAddress": "1.2.3.4"}
    found = list(places_of({**node, "Resources": resources}, workers))
    assert [(place.cpus, place.gpus) for place in found] == expected


def test_a_port_where_no_head_can_listen_is_refused_at_once() -> None:
    _check_port("10.0.0.1:6379")
    with pytest.raises(NoCluster, match="keeps 10002 to 19999"):
        _check_port("10.0.0.1:10002")


def test_no_cluster_is_joined_without_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    settings = replace(Settings.of(data=tmp_path / "data"), ray="127.0.0.1:9")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(NoCluster, match="lets everybody in"):
        Cluster(settings)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with pytest.raises(NoCluster, match="token is missing"):
        Cluster(settings)
