"""Change a workflow by edits: what a fix's button does."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from graph.interface import subgraph_of
from graph.problem import (
    AddInput,
    AddNode,
    AddOutput,
    Connect,
    Disconnect,
    Edit,
    RemoveNode,
    SetValue,
    UnsetValue,
)
from graph.workflow import PlacedNode, Subgraph, SubgraphInput, SubgraphOutput, Workflow

Nodes = dict[str, PlacedNode]


class EditError(Exception):
    """An edit of a node that is not there; the workflow has changed since the edit was offered."""


def apply(workflow: Workflow, edits: Iterable[Edit]) -> Workflow:
    """The workflow with the edits made, in order. The given one stays as it is.

    "up/k" is the node "k" of the subgraph that the node "up" stands for. Removing a node removes
    the wires that leave it. Raises `EditError`.
    """
    nodes, subgraphs = dict(workflow.nodes), dict(workflow.subgraphs)
    for edit in edits:
        place = edit.id if isinstance(edit, AddNode) else edit.node
        id_, local = subgraph_at(nodes, subgraphs, place)
        if isinstance(edit, AddInput | AddOutput):
            id_ = subgraph_of((subgraphs[id_].nodes if id_ else nodes)[local].type)
            if id_ not in subgraphs:
                raise EditError(f"'{edit.node}' stands for no subgraph any more.")
            subgraphs[id_] = _with_socket(subgraphs[id_], edit)
        elif id_ is None:
            nodes = _changed(nodes, local, edit)
        else:
            inside = _changed(dict(subgraphs[id_].nodes), local, edit)
            subgraphs[id_] = subgraphs[id_].model_copy(update={"nodes": inside})
            if isinstance(edit, RemoveNode):
                subgraphs[id_] = _without(subgraphs[id_], local)
    return workflow.model_copy(update={"nodes": nodes, "subgraphs": subgraphs})


def fresh_id(workflow: Workflow, wanted: str, taken: Collection[str] | None = None) -> str:
    """An id that no node has (or none of `taken`): `wanted`, or "wanted-2", "wanted-3", ..."""
    there = workflow.nodes if taken is None else taken
    number = 1
    id_ = wanted
    while id_ in there:
        number += 1
        id_ = f"{wanted}-{number}"
    return id_


def subgraph_at(
    nodes: Mapping[str, PlacedNode], subgraphs: Mapping[str, Subgraph], place: str
) -> tuple[str | None, str]:
    """Where a node named like "up/k" lies: the id of the subgraph (None: none), its id there.

    A name that leads into no subgraph is one of the workflow's own, be there such a node or not.
    """
    if place in nodes:
        return None, place
    found: str | None = None
    rest, here = place, nodes
    while rest not in here:
        cut = rest.find("/")
        while cut >= 0:
            placed = here.get(rest[:cut])
            inner = subgraph_of(placed.type) if placed is not None else None
            if inner is not None and inner in subgraphs:
                break
            cut = rest.find("/", cut + 1)
        if cut < 0 or inner is None:
            break
        found, here, rest = inner, subgraphs[inner].nodes, rest[cut + 1 :]
    return found, rest


def _changed(nodes: Nodes, id_: str, edit: Edit) -> Nodes:
    """The nodes with one edit made of that with the id."""
    if isinstance(edit, AddNode):
        if id_ in nodes:
            raise EditError(f"There is a node '{edit.id}' already.")
        return {**nodes, id_: edit.node}
    if id_ not in nodes:
        raise EditError(f"There is no node '{edit.node}' any more.")
    if isinstance(edit, RemoveNode):
        return {k: _without_wires_from(id_, node) for k, node in nodes.items() if k != id_}
    return {**nodes, id_: _edited(nodes[id_], edit)}


def _edited(node: PlacedNode, edit: Edit) -> PlacedNode:
    update: dict[str, Any] = {}
    if isinstance(edit, SetValue):
        update = {"values": {**node.values, edit.name: edit.value}}
    elif isinstance(edit, UnsetValue):
        update = {"values": {k: v for k, v in node.values.items() if k != edit.name}}
    elif isinstance(edit, Connect):
        update = {"inputs": {**node.inputs, edit.socket: edit.wire}}
    elif isinstance(edit, Disconnect):
        update = {"inputs": {k: v for k, v in node.inputs.items() if k != edit.socket}}
    return node.model_copy(update=update)


def _without_wires_from(source: str, node: PlacedNode) -> PlacedNode:
    kept = {name: wire for name, wire in node.inputs.items() if wire.node != source}
    return node if len(kept) == len(node.inputs) else node.model_copy(update={"inputs": kept})


def _with_socket(subgraph: Subgraph, edit: AddInput | AddOutput) -> Subgraph:
    if isinstance(edit, AddInput):
        return subgraph.model_copy(
            update={"inputs": {**subgraph.inputs, edit.name: SubgraphInput()}}
        )
    output = SubgraphOutput(node=edit.wire.node, output=edit.wire.output)
    return subgraph.model_copy(update={"outputs": {**subgraph.outputs, edit.name: output}})


def _without(subgraph: Subgraph, node: str) -> Subgraph:
    """The interface without what the node showed there; its outputs stay, and give nothing."""
    outputs = {
        name: shown.model_copy(update={"node": "", "output": ""}) if shown.node == node else shown
        for name, shown in subgraph.outputs.items()
    }
    widgets = {name: shown for name, shown in subgraph.widgets.items() if shown.node != node}
    return subgraph.model_copy(update={"outputs": outputs, "widgets": widgets})
