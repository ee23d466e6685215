"""Values of nodes inside subgraphs: find them by name, and set them for one placed node alone."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from graph.definition import Json, NodeDefinition
from graph.subgraphs import Flat
from graph.workflow import INSTANCE, PlacedNode


class Named(NamedTuple):
    """A node of a workflow, inside a subgraph or not, with what people call it.

    `definition` is that of its type, be it a subgraph's; None where the type is unknown.
    """

    id: str
    title: str
    placed: PlacedNode
    definition: NodeDefinition | None


def named_nodes(flat: Flat) -> Iterator[Named]:
    """Every node of the workflow: its own first, then those inside ("Upscale / KSampler")."""
    for level in (flat.opened.root, *flat.opened.levels):
        for id_ in level.nodes:
            placed = level.placed(id_)
            definition = flat.interfaces.type(placed.type)
            yield Named(level.flat_id(id_), flat.title(level, id_), placed, definition)


def named_node(flat: Flat, id_: str) -> Named | None:
    """The node of this id ("up/k" inside "up"), or None."""
    inner = flat.levels.get(id_)
    place = (inner.parent, inner.id) if inner and inner.parent else flat.place(id_)
    if place is None:
        return None
    placed = place[0].placed(place[1])
    return Named(id_, flat.title(*place), placed, flat.interfaces.type(placed.type))


def set_inside(
    workflow: Mapping[str, Any], node: str, values: Mapping[str, Json]
) -> dict[str, Any] | None:
    """The workflow (the saved form) with values of a node inside a subgraph; None if it has none.

    A value that an interface shows is set at the placed node that shows it. Any other is set in the
    subgraph, of which that placed node gets one of its own where several stand for it.
    """
    path = _path(workflow, node)
    if path is None:
        return None
    changed = copy.deepcopy(dict(workflow))
    for name, value in values.items():
        depth, at = len(path) - 1, (path[-1], name)
        while depth > 0 and (shown := _shown(changed, path[:depth], at)) is not None:
            depth, at = depth - 1, (path[depth - 1], shown)
        nodes = changed["nodes"]
        for id_ in path[:depth]:
            nodes = _own(changed, nodes[id_])["nodes"]
        placed = nodes[at[0]]
        placed["values"] = {**placed.get("values", {}), at[1]: value}
    return changed


def has_node(workflow: Mapping[str, Any], node: str) -> bool:
    """Whether the workflow (the saved form) has the node, inside a subgraph or not."""
    return _path(workflow, node) is not None


def titled(
    workflow: Mapping[str, Any], node: str, definitions: Mapping[str, NodeDefinition]
) -> str:
    """The titles that lead to a node of the workflow (the saved form): "Upscale / KSampler"."""
    titles, nodes = [], workflow.get("nodes", {})
    for id_ in _path(workflow, node) or ():
        placed = nodes[id_]
        inner, definition = _subgraph(workflow, placed), definitions.get(placed.get("type", ""))
        own = definition.title if definition else (inner or {}).get("title") or placed.get("type")
        title = placed.get("title", "")
        titles.append(own if definition and definition.is_called(title) else title or own)
        nodes = (inner or {}).get("nodes", {})
    return " / ".join(titles)


def _path(workflow: Mapping[str, Any], node: str) -> list[str] | None:
    """The ids that lead to the node, from the outermost placed one to its own."""
    nodes, rest, path = workflow.get("nodes", {}), node, list[str]()
    while rest not in nodes:
        ends = [at for at, letter in enumerate(rest) if letter == "/"]
        inner = [(rest[:at], rest[at + 1 :]) for at in ends if rest[:at] in nodes]
        opened = [(id_, tail, _subgraph(workflow, nodes[id_])) for id_, tail in inner]
        found = next((one for one in opened if one[2] is not None), None)
        if found is None or found[2] is None:
            return None
        path.append(found[0])
        nodes, rest = found[2].get("nodes", {}), found[1]
    return [*path, rest]


def _subgraph(workflow: Mapping[str, Any], placed: Mapping[str, Any]) -> dict[str, Any] | None:
    type_ = str(placed.get("type", ""))
    known: dict[str, Any] = workflow.get("subgraphs", {})
    return known.get(type_[len(INSTANCE) :]) if type_.startswith(INSTANCE) else None


def _shown(workflow: Mapping[str, Any], path: list[str], at: tuple[str, str]) -> str | None:
    """The name under which the subgraph at the end of the path shows a widget inside."""
    nodes, subgraph = workflow["nodes"], None
    for id_ in path:
        subgraph = _subgraph(workflow, nodes[id_])
        nodes = subgraph["nodes"] if subgraph else {}
    widgets = (subgraph or {}).get("widgets", {})
    return next((k for k, shown in widgets.items() if (shown["node"], shown["name"]) == at), None)


def _own(workflow: dict[str, Any], placed: dict[str, Any]) -> dict[str, Any]:
    """The placed node's subgraph, first copied for it where others stand for it too."""
    subgraphs = workflow["subgraphs"]
    everywhere = [workflow["nodes"], *(one.get("nodes", {}) for one in subgraphs.values())]
    same = sum(one.get("type") == placed["type"] for nodes in everywhere for one in nodes.values())
    id_ = placed["type"][len(INSTANCE) :]
    if same > 1:
        number = 2
        while f"{id_}-{number}" in subgraphs:
            number += 1
        subgraphs[f"{id_}-{number}"] = copy.deepcopy(subgraphs[id_])
        id_ = f"{id_}-{number}"
        placed["type"] = INSTANCE + id_
    own: dict[str, Any] = subgraphs[id_]
    return own
