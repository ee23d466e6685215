"""Take what is inside an opened node from an earlier flat workflow, where nothing became other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from graph.levels import Level
from graph.workflow import PlacedNode

if TYPE_CHECKING:
    from graph.subgraphs import Flat


def nodes_like(earlier: "Flat", inner: Level) -> Mapping[str, PlacedNode] | None:
    """The flat nodes of a level of a later workflow, where they can be no others than earlier.

    That is so for the same placed node of the same subgraph, in the workflow itself, fed from the
    same outputs, with no subgraph inside and no wire that leads nowhere.
    """
    old = earlier.level(inner.flat)
    if (
        old is None
        or old.instance is not inner.instance
        or old.subgraph is not inner.subgraph
        or old.ids != inner.ids
        or old.inner
        or inner.inner
        or not _fed_alike(old.parent, inner.parent, inner.instance)
        or any(item.level is old for item in earlier.lost)
    ):
        return None
    return {flat: earlier.workflow.nodes[flat] for flat in inner.ids.values()}


def _fed_alike(before: Level | None, now: Level | None, instance: PlacedNode) -> bool:
    """Whether the node's wires come from the same outputs; only a wire from inside can change."""
    if before is None or now is None or before.parent is not None or now.parent is not None:
        return False
    return all(
        (source := before.follow(wire)) is not None and source == now.follow(wire)
        for wire in instance.inputs.values()
        if wire.node in before.inner or wire.node in now.inner
    )
