"""What running a graph costs beside the nodes' own work: plan and run, per node of `integer + 1`.

    python benchmarks/executor.py [--sizes 10 100 ...] [--repeats 5] [--json FILE]

Chains are one line of nodes; wide graphs are chains of 20 joined by a tree of additions. Each runs
three times: first run (an empty cache), all cached (the same again), first node changed (in a wide
graph: of the first chain). Checking is not part of it; events are made, counted and dropped. The
times are the process's own (CPU) seconds: planning and running wait for nothing, so on an idle core
that is the time that passes, and on a busy one it is still the executor's.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from graph.cache import ResultCache
from graph.cancel import Cancel
from graph.events import Event
from graph.execute import execute
from graph.files import FileFacts
from graph.node import node, nodes_of
from graph.plan import plan
from graph.workflow import PlacedNode, Wire, Workflow

SIZES = (10, 100, 1000, 5000, 10_000)
LENGTH = 20
"""Nodes in each chain of a wide graph."""


@node(category="benchmark")
def start(value: int = 0) -> int:
    return value


@node(category="benchmark")
def one_more(value: int = 0) -> int:
    return value + 1


@node(category="benchmark")
def add(left: int = 0, right: int = 0) -> int:
    return left + right


REGISTRY = nodes_of([sys.modules[__name__]])


class NoFiles:
    """The graphs here name no files."""

    def facts(self, folder: str, name: str) -> FileFacts | None:
        return None


class Graph(NamedTuple):
    name: str
    workflow: Workflow
    wanted: str
    answer: int


def placed(type_: str, values: dict[str, int] | None = None, **inputs: str) -> PlacedNode:
    wires = {name: Wire(node=source, output="integer") for name, source in inputs.items()}
    return PlacedNode(type=type_, values=values or {}, inputs=wires)


def chain(size: int) -> Graph:
    nodes = {"0": placed("start", {"value": 1})}
    for index in range(1, size):
        nodes[str(index)] = placed("one_more", value=str(index - 1))
    return Graph(f"chain {size}", Workflow(nodes=nodes), str(size - 1), size)


def wide(size: int) -> Graph:
    """About `size` nodes: chains of 20, each from its own number, and a tree of additions."""
    nodes: dict[str, PlacedNode] = {}
    ends: list[str] = []
    answer = 0
    for line in range(max(1, size // (LENGTH + 1))):
        nodes[f"{line}.0"] = placed("start", {"value": line * 1000})
        for index in range(1, LENGTH):
            nodes[f"{line}.{index}"] = placed("one_more", value=f"{line}.{index - 1}")
        ends.append(f"{line}.{LENGTH - 1}")
        answer += line * 1000 + LENGTH - 1
    while len(ends) > 1:
        pairs = list(zip(ends[::2], ends[1::2], strict=False))
        joined = [f"{left}+{right}" for left, right in pairs]
        for name, (left, right) in zip(joined, pairs, strict=True):
            nodes[name] = placed("add", left=left, right=right)
        ends = joined + ends[2 * len(pairs) :]
    return Graph(f"wide {len(nodes)}", Workflow(nodes=nodes), ends[0], answer)


class Counter:
    """Takes events, as the pipe to the server would."""

    count = 0

    def __call__(self, event: Event) -> None:
        self.count += 1


class Times(NamedTuple):
    """Seconds."""

    plan: float
    run: float


def once(graph: Graph, workflow: Workflow, cache: ResultCache, answer: int) -> Times:
    told = Counter()
    gc.collect()
    before = process_time()
    planned = plan(
        workflow,
        REGISTRY.definitions,
        {},
        wanted=[graph.wanted],
        files=NoFiles(),
        engine="benchmark",
    )
    between = process_time()
    outcome = execute(
        planned,
        REGISTRY.functions,
        cache,
        services=no_service,
        resolve_file=no_file,
        emit=told,
        cancel=Cancel(),
    )
    after = process_time()
    found = outcome.values[graph.wanted]["integer"]
    assert found == answer, f"{graph.name}: {found} instead of {answer}"
    return Times(between - before, after - between)


def no_service(name: str, call: object) -> object:
    raise LookupError(name)


def no_file(folder: str, name: str) -> Path:
    raise FileNotFoundError(name)


def changed(graph: Graph) -> Workflow:
    """The graph with its first node's value one higher."""
    first = next(iter(graph.workflow.nodes))
    here = graph.workflow.nodes[first]
    higher = here.model_copy(update={"values": {"value": here.values["value"] + 1}})
    return Workflow(nodes={**graph.workflow.nodes, first: higher})


def measure(graph: Graph, repeats: int) -> dict[str, Times]:
    """The least times of the three cases, each repeat with a cache of its own.

    The least, since whatever else the machine does can only add to it.
    """
    samples: dict[str, list[Times]] = {"first": [], "cached": [], "changed": []}
    other = changed(graph)
    for _ in range(repeats):
        cache = ResultCache(2**30, sys.getsizeof)
        samples["first"].append(once(graph, graph.workflow, cache, graph.answer))
        samples["cached"].append(once(graph, graph.workflow, cache, graph.answer))
        samples["changed"].append(once(graph, other, cache, graph.answer + 1))
    return {case: min(times, key=sum) for case, times in samples.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the times there too")
    options = parser.parse_args()
    kinds: tuple[Callable[[int], Graph], ...] = (chain, wide)
    print(f"µs per node: plan + run = both, the least of {options.repeats}")
    print(f"{'graph':<12} {'first run':>22} {'all cached':>22} {'first node changed':>22}")
    record = {}
    for kind in kinds:
        for size in options.sizes:
            graph = kind(size)
            count = len(graph.workflow.nodes)
            times = measure(graph, options.repeats)
            record[graph.name] = {case: t._asdict() for case, t in times.items()}
            cells = (
                f"{t.plan / count * 1e6:6.1f} + {t.run / count * 1e6:5.1f} ="
                f" {(t.plan + t.run) / count * 1e6:5.1f}"
                for t in times.values()
            )
            print(f"{graph.name:<12} " + " ".join(f"{cell:>22}" for cell in cells), flush=True)
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
