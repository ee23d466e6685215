"""Workers on the machines of a Ray cluster: `python main.py --ray ADDRESS`, or `--ray local`."""

import asyncio
import importlib.util
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from server.client import Client, MakeClient, Receive
from server.ray_client import RayClient
from server.ray_machine import Machine
from server.remote_files import Files
from server.settings import Settings

log = logging.getLogger(__name__)

LOCAL = "local"
"""In place of an address: a cluster of this machine alone, which ends with the program."""

FORBIDDEN_PORTS = range(10_002, 20_000)
"""Ports that Ray keeps for its own workers; no head listens there."""

ONE_MACHINE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Has Ray 2.60 listen on 127.0.0.1 alone on every system, as it does on Windows and macOS, where it
builds no clusters. No address that it is given does the same. It is read when Ray is imported."""

MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"

LOOK = 5.0
"""Seconds between two looks at which machines the cluster has."""

LEFT_OUT = ("models", "web", "docs", "data", "starter", "benchmarks", "custom_nodes/*/models")
"""Folders of the program that other machines do not need; the rest is sent to them."""

CONNECT = """\
There is no Ray cluster at {address}, or it wants another token: {error}
Start the first machine with "ray start --head --port=6379", the others with
"ray start --address=FIRST:6379", all with the same token: docs/many-machines.md says how."""


class Roster(Protocol):
    """Who hands out the runs, and takes workers on."""

    async def add_worker(self, settings: Settings, make: MakeClient) -> None:
        """Have one more worker from now on; its number is in the settings."""
        ...

    async def remove_worker(self, number: int, why: str) -> None:
        """Do without the worker from now on, unless it is the only one or is gone already."""
        ...


class NoCluster(Exception):
    """Ray cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Room for one worker: a node of the cluster, and the part of its devices that is taken."""

    node: str
    machine: str
    cpus: float
    gpus: float


class Change(NamedTuple):
    """Workers that have become possible, and the numbers of those whose machine is gone."""

    joined: list[tuple[Settings, MakeClient]]
    left: list[int]


class Cluster:
    """A cluster that this process is connected to, until `leave`. Raises `NoCluster`.

    `entry` names what a worker process runs, `options` is handed to it.
    """

    def __init__(
        self, settings: Settings, entry: str = "server.worker:main", **options: Any
    ) -> None:
        if importlib.util.find_spec("ray") is None:
            raise NoCluster("Ray is not installed: pip install -r requirements-ray.txt")
        assert settings.ray is not None
        self._settings = settings
        self._entry = entry
        self._options = options
        self._files = Files(settings)
        _check_port(settings.ray)
        _secure(settings)
        self._join()
        self._count = 0
        self._placed: dict[str, list[int]] = {}
        """The numbers of the workers on each node of the cluster, by the node's id."""

    def workers(self) -> list[tuple[Settings, MakeClient]]:
        """The settings and the client of each worker. Raises `NoCluster` where there is no room."""
        if not (workers := self.look().joined):
            raise NoCluster("No machine of the Ray cluster has a CPU or a GPU to give.")
        return workers

    def look(self) -> "Change":
        """Which workers there are room for since the last look, and whose machine has left."""
        import ray

        nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
        gone = [numbers for id_, numbers in self._placed.items() if id_ not in nodes]
        joined: list[tuple[Settings, MakeClient]] = []
        for id_, node in nodes.items():
            if id_ in self._placed:
                continue
            self._placed[id_] = numbers = []
            for place in places_of(node, self._settings.workers):
                self._count += 1
                numbers.append(self._count)
                settings = replace(self._settings, worker=self._count, workers=1)
                joined.append((settings, partial(self._client, place)))
        return Change(joined, [number for numbers in gone for number in numbers])

    async def follow(self, roster: Roster, pause: float = LOOK) -> None:
        """Have machines that join work, too, and forget those that left; until it is cancelled."""
        from ray.exceptions import RayError

        while True:
            await asyncio.sleep(pause)
            try:
                change = await asyncio.to_thread(self.look)
            except (RayError, ConnectionError, RuntimeError) as error:
                log.warning("The Ray cluster does not say which machines it has: %s", error)
                continue
            for settings, make in change.joined:
                log.info("A machine joined the cluster: it is worker %d.", settings.worker)
                await roster.add_worker(settings, make)
            for number in change.left:
                await roster.remove_worker(number, "Its machine left the cluster.")

    def leave(self) -> None:
        """Let go of the cluster; a local one ends."""
        import ray

        ray.shutdown()

    def _join(self) -> None:
        import ray

        address = None if self._settings.ray == LOCAL else self._settings.ray
        environment = {
            "working_dir": str(self._settings.root),
            "excludes": [f"/{name}/" for name in LEFT_OUT] + [".*/", "__pycache__/"],
        }
        choices: dict[str, Any] = {} if address else {"include_dashboard": False}
        try:
            ray.init(
                address,
                runtime_env=environment,
                log_to_driver=False,
                logging_level="error",
                **choices,
            )
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            first = str(error).strip().split("\n")[0]
            raise NoCluster(CONNECT.format(address=address or "home", error=first)) from error

    def _client(self, place: Place, settings: Settings, receive: Receive) -> Client:
        return RayClient(settings, receive, self._files, place.machine, partial(self._make, place))

    def _make(self, place: Place, settings: Settings, statements: str) -> Any:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(place.node, soft=False)
        actor = ray.remote(Machine).options(
            num_cpus=place.cpus, num_gpus=place.gpus, scheduling_strategy=there, max_restarts=0
        )
        return actor.remote(settings.to_json(), self._entry, self._options, statements)


def places_of(node: dict[str, Any], workers: int) -> Iterator[Place]:
    """The workers that a node has room for: so many on each graphics card, else on its CPUs."""
    resources = node["Resources"]
    name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
    cpus, gpus = resources.get("CPU", 0.0), int(resources.get("GPU", 0))
    count = workers * max(1, gpus)
    if not cpus and not gpus:
        return
    # What Ray counts in ten-thousandths must not add up to more than there is.
    share = int(10_000 * cpus / count) / 10_000
    cpus = float(int(share)) if share >= 1 else share
    for _ in range(count):
        yield Place(node["NodeID"], name, cpus, 1 / workers if gpus else 0.0)


def _check_port(address: str) -> None:
    found = re.search(r":(\d+)$", address)
    if found and int(found[1]) in FORBIDDEN_PORTS:
        raise NoCluster(
            f"Ray's first machine cannot listen on port {found[1]}: Ray keeps 10002 to 19999 for "
            "its own workers. Start it with --port=6379."
        )


def _secure(settings: Settings) -> None:
    """Have Ray ask for a token, and report nothing to anybody."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if settings.ray == LOCAL:
        os.environ.update(ONE_MACHINE)
    if os.environ.setdefault(MODE, "token") != "token":
        raise NoCluster(
            f"{MODE}={os.environ[MODE]} lets everybody in who reaches this machine, since Ray "
            "listens on all of its addresses. Leave the variable away."
        )
    usual = Path.home() / ".ray" / "auth_token"
    if os.environ.get(TOKEN) or os.environ.get(TOKEN_FILE) or usual.is_file():
        return
    if settings.ray != LOCAL:
        raise NoCluster(
            f"The cluster's token is missing. Set {TOKEN_FILE} to a file that holds it, or copy "
            f"it to {usual}; on the first machine, ray get-auth-token --generate makes one."
        )
    own = settings.data / "ray-token"
    if not own.is_file():
        own.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    os.environ[TOKEN_FILE] = str(own)
