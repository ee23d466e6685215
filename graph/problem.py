"""What the checker says: a problem, why it is one, and the edits that would mend it."""

from typing import Annotated, Literal

from pydantic import Field

from graph.definition import Data, Json
from graph.workflow import PlacedNode, Wire

Severity = Literal["error", "warning"]
Certainty = Literal["certain", "likely", "assumed", "unknown"]


class Because(Data):
    """One side of a problem: the socket that has a type, and the evidence it comes from.

    `path` lists the node ids from the evidence's source to `node`, both included.
    """

    node: str
    socket: str
    space: str = ""
    evidence: str = ""
    certainty: Certainty = "certain"
    path: tuple[str, ...] = ()


class SetValue(Data):
    op: Literal["set_value"] = "set_value"
    node: str
    name: str
    value: Json


class UnsetValue(Data):
    """Remove a value: the default counts again, or a value that the node does not have is gone."""

    op: Literal["unset_value"] = "unset_value"
    node: str
    name: str


class Connect(Data):
    """Put `wire` at the input, in place of what was there."""

    op: Literal["connect"] = "connect"
    node: str
    socket: str
    wire: Wire


class Disconnect(Data):
    op: Literal["disconnect"] = "disconnect"
    node: str
    socket: str


class AddNode(Data):
    """Add a node under a fresh id; `near` is the node that the editor places it before."""

    op: Literal["add_node"] = "add_node"
    id: str
    node: PlacedNode
    near: str | None = None


class RemoveNode(Data):
    op: Literal["remove_node"] = "remove_node"
    node: str


class AddInput(Data):
    """Add a socket to the interface of the subgraph that `node` stands for."""

    op: Literal["add_input"] = "add_input"
    node: str
    name: str


class AddOutput(Data):
    """The same for a socket that gives what `wire`, inside, gives."""

    op: Literal["add_output"] = "add_output"
    node: str
    name: str
    wire: Wire


Edit = Annotated[
    SetValue | UnsetValue | Connect | Disconnect | AddNode | RemoveNode | AddInput | AddOutput,
    Field(discriminator="op"),
]


class Statement(Data):
    """What a person says of a file: whose latents it speaks. The server keeps it, no workflow."""

    folder: str
    name: str
    space: str


class Fix(Data):
    """Edits that, applied in order, remove the problem. `title` is the button's text.

    "up/k" is the node "k" of the subgraph that "up" stands for; its wires come from that subgraph.

    A fix with a `statement` changes what is known of a file in place of the workflow.
    """

    title: str
    edits: tuple[Edit, ...]
    statement: Statement | None = None


class Problem(Data):
    """Something wrong with a workflow. `code` is stable; `message` is for people."""

    code: str
    severity: Severity = "error"
    node: str | None = None
    socket: str | None = None
    message: str
    parameters: dict[str, Json] = Field(default_factory=dict)
    because: tuple[Because, ...] = ()
    fixes: tuple[Fix, ...] = ()
