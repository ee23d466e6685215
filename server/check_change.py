"""Read what the editor asks the checker: a workflow, or what is other than in an earlier one."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import Field

from graph.migrations import Loaded
from graph.workflow import VERSION
from server.bases import Base, BaseUnknown
from server.bodies import Form
from server.checking import read_workflow
from server.errors import BadRequest

T = TypeVar("T")


class Order(Form):
    """The ids that there are now, in their order; null where a change leaves those of the base.

    New ones are then the last.
    """

    nodes: list[str] | None = None
    subgraphs: list[str] | None = None


class CheckRequest(Form):
    """The saved workflow.

    After `base`, which an answer gave, it holds the changed and new nodes and subgraphs alone. Its
    layout, groups and notes are never looked at.
    """

    workflow: dict[str, Any]
    base: str | None = None
    order: Order = Field(default_factory=Order)


def is_current(body: CheckRequest) -> bool:
    """Whether the request is of this version of the saved form: others are always sent whole."""
    return bool(body.workflow.get("version", VERSION) == VERSION)


def read_after(base: Base | None, body: CheckRequest) -> Loaded:
    """The workflow that a request speaks of. Nodes that did not change are those of the base.

    Raises `BadRequest`, and `BaseUnknown` where a change is of another version of the saved form.
    """
    if base is None:
        return read_workflow(body.workflow)
    if not is_current(body):
        raise BaseUnknown("This change has another version than its workflow: send all of it.")
    change, before = read_workflow(body.workflow).workflow, base.workflow
    nodes = _merged(before.nodes, change.nodes, body.order.nodes)
    subgraphs = _merged(before.subgraphs, change.subgraphs, body.order.subgraphs)
    return Loaded(before.model_copy(update={"nodes": nodes, "subgraphs": subgraphs}))


def _merged(
    before: Mapping[str, T], changed: Mapping[str, T], order: Sequence[str] | None
) -> dict[str, T]:
    merged = {**before, **changed}
    if order is None:
        return merged
    unknown = next((id_ for id_ in order if id_ not in merged), None)
    if unknown is not None:
        raise BadRequest(f"The order names '{unknown}', which neither base nor change holds.")
    return {id_: merged[id_] for id_ in order}
