"""Change a workflow by edits: what a fix's button does."""

from collections.abc import Iterable
from typing import Any

from graph.problem import (
    AddNode,
    Connect,
    Disconnect,
    Edit,
    RemoveNode,
    SetValue,
    UnsetValue,
)
from graph.workflow import PlacedNode, Workflow


class EditError(Exception):
    """An edit of a node that is not there; the workflow has changed since the edit was offered."""


def apply(workflow: Workflow, edits: Iterable[Edit]) -> Workflow:
    """The workflow with the edits made, in order. The given one stays as it is.

    Removing a node removes the wires that leave it. Raises `EditError`.
    """
    nodes = dict(workflow.nodes)
    for edit in edits:
        if isinstance(edit, AddNode):
            if edit.id in nodes:
                raise EditError(f"There is a node '{edit.id}' already.")
            nodes[edit.id] = edit.node
        elif edit.node not in nodes:
            raise EditError(f"There is no node '{edit.node}' any more.")
        elif isinstance(edit, RemoveNode):
            del nodes[edit.node]
            nodes = {id_: _without_wires_from(edit.node, node) for id_, node in nodes.items()}
        else:
            nodes[edit.node] = _edited(nodes[edit.node], edit)
    return workflow.model_copy(update={"nodes": nodes})


def fresh_id(workflow: Workflow, wanted: str, taken: Iterable[str] = ()) -> str:
    """An id that no node has: `wanted`, or "wanted-2", "wanted-3", ..."""
    there = {*workflow.nodes, *taken}
    number = 1
    id_ = wanted
    while id_ in there:
        number += 1
        id_ = f"{wanted}-{number}"
    return id_


def _edited(node: PlacedNode, edit: SetValue | UnsetValue | Connect | Disconnect) -> PlacedNode:
    update: dict[str, Any]
    if isinstance(edit, SetValue):
        update = {"values": {**node.values, edit.name: edit.value}}
    elif isinstance(edit, UnsetValue):
        update = {"values": {k: v for k, v in node.values.items() if k != edit.name}}
    elif isinstance(edit, Connect):
        update = {"inputs": {**node.inputs, edit.socket: edit.wire}}
    else:
        update = {"inputs": {k: v for k, v in node.inputs.items() if k != edit.socket}}
    return node.model_copy(update=update)


def _without_wires_from(source: str, node: PlacedNode) -> PlacedNode:
    kept = {name: wire for name, wire in node.inputs.items() if wire.node != source}
    return node if len(kept) == len(node.inputs) else node.model_copy(update={"inputs": kept})
