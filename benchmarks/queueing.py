"""What the queue costs: accepting runs, running trivial ones end to end, and a long history.

    python benchmarks/queueing.py [--runs 10000] [--history 100000] [--json FILE]

The real server and the real worker, in a folder of their own, with one pack of two nodes that do
nothing. One request queues all runs as a batch; while they run, single runs are posted one after
the other and timed. Then the same number is run again behind a long history of ended runs. Every
run differs from the others, so nothing comes from the cache. Durability is on, as always.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from server.queue import RunQueue, Wanted
from server.settings import ROOT, Settings

PACK = """
from graph.node import node

@node(category="benchmark")
def start(value: int = 0) -> int:
    return value

@node(category="benchmark", output=True, cache=False)
def end(value: int) -> None:
    pass
"""

DRIVER = """
import sys
from dataclasses import replace
from pathlib import Path
from server.serve import serve
from server.settings import Settings
folder = Path(sys.argv[1])
settings = Settings.of(folder, port=0, open_browser=False)
sys.exit(serve(settings))
"""

WORKFLOW = {
    "version": 1,
    "nodes": {
        "a": {"type": "trivial.start", "values": {"value": 0}},
        "b": {"type": "trivial.end", "inputs": {"value": {"node": "a", "output": "integer"}}},
    },
}


class Server:
    """The program, spoken to over HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}{path}", data, kind)
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(error.read().decode()) from error

    def left(self) -> int:
        counts = self.ask("/api/status")["queue"]
        return int(counts["waiting"] + counts["running"])


@contextmanager
def server(folder: Path, driver: str = DRIVER, *arguments: str) -> Iterator[Server]:
    """The program as `driver` starts it, given the folder and the arguments."""
    log = folder / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", driver, str(folder), *arguments],
            cwd=ROOT,
            stdout=sink,
            stderr=sink,
        )
    try:
        while "Latent Loom is at " not in (said := log.read_text()):
            if process.poll() is not None:
                raise SystemExit(said)
            time.sleep(0.05)
        found = Server(said.split("Latent Loom is at ")[1].split()[0])
        while found.ask("/api/status")["worker"]["state"] != "ready":
            time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def batch(first: int, count: int) -> dict[str, Any]:
    """`count` runs, each with a number of its own."""
    at = {"node": "a", "widget": "value"}
    axis = {"kind": "seeds", "how": "increment", "seed": first, "count": count, "at": at}
    return {"workflow": WORKFLOW, "recipe": {"axes": [axis]}}


def measure(program: Server, first: int, count: int) -> dict[str, float]:
    """Seconds to accept and to run the batch, and how long single posts take meanwhile."""
    begin = time.perf_counter()
    program.ask("/api/batches", batch(first, count))
    accepted = time.perf_counter()
    posts = []
    while program.left() > count // 10:
        workflow = json.loads(json.dumps(WORKFLOW))
        workflow["nodes"]["a"]["values"]["value"] = -len(posts) - first
        start = time.perf_counter()
        program.ask("/api/runs", {"workflow": workflow})
        posts.append(time.perf_counter() - start)
        time.sleep(0.02)
    while program.left():
        time.sleep(0.02)
    done = time.perf_counter()
    posts.sort()
    return {
        "accept_s": accepted - begin,
        "runs_per_s": (count + len(posts)) / (done - accepted),
        "post_p50_ms": 1000 * statistics.median(posts),
        "post_p99_ms": 1000 * posts[int(len(posts) * 0.99)],
        "posts": len(posts),
    }


def write_history(folder: Path, count: int) -> None:
    """Ended runs, as many as would have come together over months."""
    queue = RunQueue(Settings.of(folder).database)
    runs = [Wanted({"a": {"value": -number}}, f"old {number}") for number in range(count)]
    queue.add_batch(WORKFLOW, runs)
    now = time.time()
    queue._database.write(
        lambda found: found.execute(
            "UPDATE run SET status = 'finished', started = ?, finished = ?"
            " WHERE status = 'waiting'",
            (now, now),
        )
    )
    queue.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("models", "workflows", "custom_nodes/trivial"):
            (folder / name).mkdir(parents=True)
        (folder / "custom_nodes" / "trivial" / "nodes.py").write_text(PACK)
        with server(folder) as program:
            measure(program, 1, 1000)  # warm
            fresh = measure(program, 10**6, options.runs)
        write_history(folder, options.history)
        with server(folder) as program:
            measure(program, 2 * 10**6, 200)
            behind = measure(program, 3 * 10**6, options.runs)
    for title, found in (("fresh", fresh), (f"behind {options.history:,} runs", behind)):
        print(f"{title}: {options.runs:,} runs accepted in {found['accept_s']:.2f} s,")
        print(f"  {found['runs_per_s']:.0f} runs a second end to end; a POST meanwhile")
        print(f"  {found['post_p50_ms']:.1f} ms (median), {found['post_p99_ms']:.1f} ms (p99)")
    ratio = fresh["runs_per_s"] / behind["runs_per_s"]
    print(f"a run behind the history takes {ratio:.2f} times as long")
    if options.json:
        options.json.write_text(json.dumps({"fresh": fresh, "behind": behind, "ratio": ratio}))


if __name__ == "__main__":
    main()
