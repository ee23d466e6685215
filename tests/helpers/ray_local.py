"""Print, as JSON, every address on which a cluster of this machine alone listens.

A program of its own, since Ray reads its environment when it is imported.
"""

import json
import os
import sys
from pathlib import Path

from server.ray_cluster import Cluster, places_of
from server.settings import Settings

LISTENING = "0A"


def main() -> None:
    settings = Settings.of(data=Path(sys.argv[1]), ray="local")
    settings.make_folders()
    cluster = Cluster(settings, "tests.helpers.ray_worker:main")
    try:
        import ray

        (own, _), *_ = cluster.workers()
        (place,) = (place for node in ray.nodes() for place in places_of(node, 1))
        actor = cluster._make(place, own, "")
        ray.get(actor.start.remote())
        print(json.dumps(sorted(_listening(_family(os.getpid())))))
        ray.get(actor.stop.remote())
    finally:
        cluster.leave()


def _family(pid: int) -> set[int]:
    """The process and all that it started, as Linux tells it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # it ended meanwhile
            continue
        parents[int(path.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {pid}
    while new := {one for one, parent in parents.items() if parent in found} - found:
        found |= new
    return found


def _listening(pids: set[int]) -> set[str]:
    """The addresses (hexadecimal, as the kernel writes them) on which the processes listen."""
    sockets = set()
    for pid in pids:
        for path in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                sockets.add(os.readlink(path))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


if __name__ == "__main__":
    main()
