"""Put nodes of a workflow into a subgraph, as a person does in the editor."""

from collections.abc import Iterable, Mapping

from graph.interface import subgraph_of
from graph.workflow import (
    HERE,
    PlacedNode,
    Subgraph,
    SubgraphInput,
    SubgraphOutput,
    SubgraphWidget,
    Wire,
    Workflow,
)

Shown = Mapping[str, tuple[str, str]]


def packed(flow: Workflow, ids: Iterable[str], name: str = "pack", shown: Shown = {}) -> Workflow:  # noqa: B006
    """The workflow with the nodes `ids` inside the subgraph `name`, which the node `name` stands
    for. `shown` are the widgets of its interface: name → inner node and widget."""
    inside = {id_: flow.nodes[id_] for id_ in flow.nodes if id_ in set(ids)}
    outside = {id_: node for id_, node in flow.nodes.items() if id_ not in inside}
    inputs: dict[str, Wire] = {}
    nodes: dict[str, PlacedNode] = {}
    for id_, node in inside.items():
        wires = {}
        for socket, wire in node.inputs.items():
            if wire.node in inside:
                wires[socket] = wire
                continue
            bare = Wire(node=wire.node, output=wire.output)
            known = [name_ for name_, other in inputs.items() if other == bare]
            entry = known[0] if known else f"in{len(inputs)}"
            inputs[entry] = bare
            wires[socket] = Wire(node=HERE, output=entry, allow=wire.allow)
        nodes[id_] = node.model_copy(update={"inputs": wires})
    outputs: dict[str, SubgraphOutput] = {}
    moved: dict[str, PlacedNode] = {}
    for id_, node in outside.items():
        wires = {}
        for socket, wire in node.inputs.items():
            if wire.node in inside:
                exit_ = f"{wire.node}.{wire.output}"
                outputs[exit_] = SubgraphOutput(node=wire.node, output=wire.output)
                wire = Wire(node=name, output=exit_, allow=wire.allow)
            wires[socket] = wire
        moved[id_] = node.model_copy(update={"inputs": wires})
    subgraph = Subgraph(
        nodes=nodes,
        inputs={entry: SubgraphInput() for entry in inputs},
        outputs=outputs,
        widgets={k: SubgraphWidget(node=node, name=widget) for k, (node, widget) in shown.items()},
    )
    instance = PlacedNode(type=f"subgraph:{name}", inputs=inputs)
    return Workflow(nodes={**moved, name: instance}, subgraphs={**flow.subgraphs, name: subgraph})


def unpacked(flow: Workflow, name: str) -> Workflow:
    """The workflow with what is inside the node `name` in its place, under the ids it has there."""
    placed = flow.nodes[name]
    subgraph = flow.subgraphs[subgraph_of(placed.type) or ""]

    def out(wire: Wire) -> Wire:
        if wire.node == name:
            shown = subgraph.outputs[wire.output]
            return out(Wire(node=shown.node, output=shown.output, allow=wire.allow))
        if wire.node == HERE:
            return placed.inputs[wire.output].model_copy(update={"allow": wire.allow})
        return wire

    values = {
        (shown.node, shown.name): placed.values[entry]
        for entry, shown in subgraph.widgets.items()
        if entry in placed.values
    }
    nodes = {id_: node for id_, node in flow.nodes.items() if id_ != name} | subgraph.nodes
    freed = {}
    for id_, node in nodes.items():
        own = {widget: value for (inner, widget), value in values.items() if inner == id_}
        wires = {socket: out(wire) for socket, wire in node.inputs.items()}
        freed[id_] = node.model_copy(update={"inputs": wires, "values": {**node.values, **own}})
    return flow.model_copy(update={"nodes": freed})
