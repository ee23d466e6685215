"""Foretell how long nodes and batches take, from how long their likes took.

Two nodes are alike where all that their time hangs on is equal: type, values, and the same of what
they are computed from. Seeds and texts do not count: another seed takes as long.
"""

import hashlib
import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from graph.batch import Case, Expansion
from graph.definition import NodeDefinition
from graph.modes import ActiveGraph, active_graph
from graph.subgraphs import Flat
from graph.workflow import PlacedNode, Workflow

TIMELESS = frozenset({"seed", "multiline"})
"""Controls whose values do not change how long a node takes."""

SAMPLED = 97
"""Cases of a larger batch of which it is asked what is cached; a prime, so that every so-manieth
case does not always have the same place on an axis."""

EACH_ALONE = 200
"""So many kinds of a node's runs in a batch are looked at; of more, evenly chosen ones."""


@dataclass(frozen=True)
class Likeness:
    """What a node's time hangs on: `alike` is equal for nodes that take equally long; `type` is
    less, and `work` is by how much more a node of this type has to do (its steps)."""

    alike: str
    type: str
    work: float


SecondsOf = Callable[[Likeness], float | None]
"""How long such a node takes, None where that is not known."""


def likenesses(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    wanted: Sequence[str] | None = None,
) -> dict[str, Likeness]:
    """What the time hangs on of each node that the wanted ones (None: every output) are made
    from."""
    flat = Flat(workflow, definitions)
    active = active_graph(flat.workflow, flat.definitions)
    roots = None if wanted is None else flat.wanted(wanted)
    found: dict[str, Likeness] = {}
    for node in _ordered(active, _wanted(flat.workflow, definitions, active, roots)):
        placed = flat.workflow.nodes[node]
        definition = definitions.get(placed.type)
        if definition is not None:
            found[node] = _likeness(placed, definition, active, node, found)
    return found


def batch_seconds(
    batch: Expansion,
    changed: Callable[[Case], Workflow],
    definitions: Mapping[str, NodeDefinition],
    seconds_of: SecondsOf,
    wanted: Sequence[str] | None = None,
) -> float | None:
    """How long the batch takes on one worker, None where the time of a node is not known.

    What several runs have in common is computed once: a node runs once for each combination of the
    axes that it or what it hangs on is varied by, and an output node once in each run. `changed`
    gives the workflow of a case.
    """
    if not batch.cases:
        return 0.0
    flat = Flat(changed(batch.cases[0]), definitions)
    active = active_graph(flat.workflow, flat.definitions)
    kept: dict[tuple[int, ...], dict[str, Likeness]] = {}

    def at(case: Case) -> dict[str, Likeness]:
        if case.cell not in kept:
            kept[case.cell] = likenesses(changed(case), definitions, wanted)
        return kept[case.cell]

    total = 0.0
    for node in at(batch.cases[0]):
        axes = _axes_of(batch, active, node)
        times = math.prod(len(batch.axes[axis][1]) for axis in axes)
        if _runs_anew(flat, definitions, node):
            times = len(batch.cases)
        seconds = _mean(_apart(batch, axes), at, node, seconds_of)
        if seconds is None:
            return None
        total += times * seconds
    return total


def sample(batch: Expansion) -> list[Case]:
    """Evenly chosen cases of the batch, at most `SAMPLED`, in their order."""
    count = len(batch.cases)
    if count <= SAMPLED:
        return list(batch.cases)
    return [batch.cases[k * count // SAMPLED] for k in range(SAMPLED)]


def seconds_to_run(
    batch: Expansion,
    cases: Sequence[Case],
    runs: Sequence[Collection[str]],
    changed: Callable[[Case], Workflow],
    definitions: Mapping[str, NodeDefinition],
    seconds_of: SecondsOf,
    wanted: Sequence[str] | None = None,
) -> float | None:
    """As `batch_seconds`, where it is known which nodes each of the cases (`sample`) would compute
    after those before it: what a cache holds takes no time."""
    if not cases:
        return 0.0
    flat = Flat(changed(cases[0]), definitions)
    active = active_graph(flat.workflow, flat.definitions)
    spent: dict[str, float] = {}
    for case, nodes in zip(cases, runs, strict=True):
        known = likenesses(changed(case), definitions, wanted) if nodes else {}
        for node in nodes:
            seconds = seconds_of(known[node]) if node in known else 0.0
            if seconds is None:
                return None
            spent[node] = spent.get(node, 0.0) + seconds
    total = 0.0
    for node, seconds in spent.items():
        axes = _axes_of(batch, active, node)
        if _runs_anew(flat, definitions, node):
            total += seconds * len(batch.cases) / len(cases)
            continue
        differing = len({tuple(case.cell[axis] for axis in axes) for case in cases})
        total += seconds * math.prod(len(batch.axes[axis][1]) for axis in axes) / differing
    return total


def _axes_of(batch: Expansion, active: ActiveGraph, node: str) -> list[int]:
    """The axes that vary the node, or what it hangs on."""
    if node not in active.nodes:
        return list(range(len(batch.nodes)))
    behind = {part for one in active.ancestors([node]) for part in _around(one)}
    return [k for k, nodes in enumerate(batch.nodes) if not behind.isdisjoint(nodes)]


def _runs_anew(flat: Flat, definitions: Mapping[str, NodeDefinition], node: str) -> bool:
    """Whether each run of the batch computes the node, whatever is cached."""
    definition = definitions[flat.workflow.nodes[node].type]
    return definition.output or not definition.cache


def _around(node: str) -> list[str]:
    """The node, and the subgraphs' nodes that it lies in: "a/b/c", "a/b", "a"."""
    parts = node.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _mean(
    cases: Sequence[Case],
    at: Callable[[Case], Mapping[str, Likeness]],
    node: str,
    seconds_of: SecondsOf,
) -> float | None:
    total = 0.0
    for case in cases:
        seconds = seconds_of(at(case)[node]) if node in at(case) else 0.0
        if seconds is None:
            return None
        total += seconds
    return total / len(cases)


def _apart(batch: Expansion, axes: Sequence[int]) -> list[Case]:
    """A case for each combination of the axes, or `EACH_ALONE` evenly chosen ones."""
    found: dict[tuple[int, ...], Case] = {}
    for case in batch.cases:
        found.setdefault(tuple(case.cell[axis] for axis in axes), case)
    cases = list(found.values())
    stride = math.ceil(len(cases) / EACH_ALONE)
    return cases[::stride]


def _likeness(
    placed: PlacedNode,
    definition: NodeDefinition,
    active: ActiveGraph,
    node: str,
    before: Mapping[str, Likeness],
) -> Likeness:
    timeless = {widget.name for widget in definition.widgets if widget.control in TIMELESS}
    defaults = {widget.name: widget.default for widget in definition.widgets}
    values = {
        name: value for name, value in {**defaults, **placed.values}.items() if name not in timeless
    }
    inputs = {
        name: (before[source.node].alike if source.node in before else "", source.output)
        for name, source in active.inputs[node].items()
    }
    about = json.dumps([placed.type, definition.version, values, inputs], sort_keys=True)
    steps = values.get("steps")
    work = float(steps) if isinstance(steps, int | float) and steps > 0 else 1.0
    return Likeness(hashlib.sha256(about.encode()).hexdigest()[:32], placed.type, work)


def _wanted(
    workflow: Workflow,
    definitions: Mapping[str, NodeDefinition],
    active: ActiveGraph,
    wanted: Sequence[str] | None,
) -> list[str]:
    if wanted is not None:
        return [node for node in wanted if node in active.nodes]
    return [
        node
        for node in active.nodes
        if (definition := definitions.get(workflow.nodes[node].type)) and definition.output
    ]


def _ordered(active: ActiveGraph, wanted: Collection[str]) -> list[str]:
    """The wanted nodes and what they are made from, each behind what it reads; no recursion."""
    done: dict[str, None] = {}
    opened: set[str] = set()
    stack = list(wanted)
    while stack:
        node = stack[-1]
        if node in done or node not in active.nodes:
            stack.pop()
        elif node in opened:
            done[stack.pop()] = None
        else:
            opened.add(node)
            sources = (source.node for source in active.inputs[node].values())
            stack += [source for source in sources if source not in opened]
    return list(done)
