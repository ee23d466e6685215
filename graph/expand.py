"""What a node returns to be replaced by a workflow, which then joins the run it came from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graph.definition import NodeDefinition
from graph.files import Files
from graph.modes import Source
from graph.plan import Bindings, Engine, Plan, Unplannable, plan
from graph.step import Origin
from graph.subgraphs import Flat
from graph.workflow import HERE, PlacedNode, Wire, Workflow

__all__ = ["HERE", "Check", "Expander", "Expansion", "Joined"]


@dataclass(frozen=True)
class Expansion:
    """What a node may return: a workflow, and which of its outputs become the node's own.

    The workflow's wires may come from `HERE`: `Wire(node=HERE, output="image")` is whatever feeds
    the expanding node's input "image" ("images.0" where it is variadic).
    """

    workflow: Workflow
    outputs: Mapping[str, Wire]


class Joined(NamedTuple):
    """The plan of an expansion, and the origins of the expanding node's outputs in it."""

    plan: Plan
    outputs: dict[str, Origin]


Check = Callable[[Workflow, Sequence[str]], Bindings]
"""The bindings of a workflow as far as the wanted nodes need them. Raises, with a sentence, where
the checker refuses it."""


class Expander:
    """Plans the expansions of one run: all else is as it was for the run's first plan."""

    def __init__(
        self,
        workflow: Workflow,
        definitions: Mapping[str, NodeDefinition],
        check: Check,
        files: Files,
        engine: Engine,
    ) -> None:
        self.nodes = dict(
            Flat(workflow, definitions).workflow.nodes
        )  # grows by what joins, since that may expand in its turn
        self.definitions = definitions
        self.check = check
        self.files = files
        self.engine = engine

    def __call__(self, node: str, expansion: Expansion, nonce: str) -> Joined:
        """Check and plan what `node` expands into; the inner nodes are called "node/inner".

        They are checked together with what they hang on, so that types flow into them as along any
        wire. `nonce` is that of the run.
        """
        flat = Flat(expansion.workflow, self.definitions)
        names = {inner: f"{node}/{inner}" for inner in flat.workflow.nodes}
        outer = self.nodes[node].inputs
        inside = {
            names[inner]: _rewired(placed, names, outer)
            for inner, placed in flat.workflow.nodes.items()
        }
        sources = {name: flat.given(*_ends(wire)) for name, wire in expansion.outputs.items()}
        given: dict[str, Source] = {}
        for name, source in sources.items():
            if source is None or source.node not in names:
                raise Unplannable(f"The expansion's output {name!r} comes from no node of it.")
            given[name] = Source(names[source.node], source.output)
        whole = Workflow(nodes={**self._ancestors(node), **inside})
        wanted = list(dict.fromkeys(source.node for source in given.values()))
        planned = plan(
            whole,
            self.definitions,
            self.check(whole, wanted),
            wanted=wanted,
            files=self.files,
            engine=self.engine,
            nonce=nonce,
        )
        self.nodes.update(inside)
        outputs = {
            name: Origin(planned.keys[source.node], source.output) for name, source in given.items()
        }
        return Joined(planned, outputs)

    def _ancestors(self, node: str) -> dict[str, PlacedNode]:
        """All that the node hangs on, without the node."""
        found: dict[str, PlacedNode] = {}
        waiting = [wire.node for wire in self.nodes[node].inputs.values()]
        while waiting:
            here = waiting.pop()
            if here not in found and here in self.nodes:
                found[here] = self.nodes[here]
                waiting += [wire.node for wire in found[here].inputs.values()]
        return found


def _ends(wire: Wire) -> tuple[str, str]:
    return wire.node, wire.output


def _rewired(
    placed: PlacedNode, names: Mapping[str, str], outside: Mapping[str, Wire]
) -> PlacedNode:
    moved = {name: _moved(wire, names, outside) for name, wire in placed.inputs.items()}
    inputs = {name: wire for name, wire in moved.items() if wire is not None}
    return placed.model_copy(update={"inputs": inputs})


def _moved(wire: Wire, names: Mapping[str, str], outside: Mapping[str, Wire]) -> Wire | None:
    """The wire as it runs in the whole workflow, or None where nothing feeds the outer input."""
    if wire.node == HERE:
        return outside.get(wire.output)
    if wire.node not in names:
        raise Unplannable(f"An expansion's wire comes from {wire.node!r}, which is not in it.")
    return wire.model_copy(update={"node": names[wire.node]})
