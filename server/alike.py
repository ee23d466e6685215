"""Which waiting runs are worth sampling together: those that differ in seeds and texts alone."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from graph.definition import NodeDefinition
from server.queue import Run
from server.worker_messages import Library

FREE = ("seed", "text", "multiline")
"""Controls of widgets that may differ."""


def alike(run: Run, library: Library) -> Callable[[Run], bool]:
    """Says of another run whether it differs from this one in seeds and texts alone.

    A run without models, or one that something died in, is like no other.
    """
    if not run.models or run.attempts > 1:
        return lambda other: False
    pattern = pattern_of(run, library.nodes)
    return lambda other: not other.attempts and pattern_of(other, library.nodes) == pattern


def pattern_of(run: Run, definitions: Mapping[str, NodeDefinition]) -> str:
    """What runs that are alike have in common, as a text."""
    workflow = {name: run.workflow.get(name) for name in ("version", "subgraphs")}
    nodes = copy.copy(run.workflow.get("nodes", {}))
    for node, placed in nodes.items():
        nodes[node] = {name: part for name, part in placed.items() if name != "title"}
        nodes[node]["values"] = _fixed(placed, definitions)
    return json.dumps([workflow, nodes, run.wanted, run.models], sort_keys=True)


def _fixed(placed: Mapping[str, Any], definitions: Mapping[str, NodeDefinition]) -> dict[str, Any]:
    """The node's values but for those that may differ."""
    definition = definitions.get(placed.get("type", ""))
    free = {item.name for item in definition.widgets if item.control in FREE} if definition else ()
    return {name: value for name, value in placed.get("values", {}).items() if name not in free}
