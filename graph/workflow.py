"""The saved workflow: the file, the API body, the queue's row and the PNG's metadata are this
JSON, exactly."""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from graph.definition import Json
from graph.layout import Group, Layout, Note, Part

VERSION = 2
"""The version of the saved form that this program writes. Older ones are migrated, newer ones open
read-only."""

EXACT_INTEGER = 2**53
"""From here up a JSON reader that uses doubles loses digits, so integers are written as decimal
strings."""

Mode = Literal["run", "mute", "bypass"]

INSTANCE = "subgraph:"
"""How the type of a node begins that stands for a subgraph; the subgraph's id follows."""

HERE = "$"
"""In a wire inside a subgraph (or an expansion), what stands around it: `output` is the name of
one of the subgraph's own inputs."""


def _pack(value: Json) -> Json:
    """`value` with every integer of 2**53 or more written as a decimal string."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) >= EXACT_INTEGER:
        return str(value)
    if isinstance(value, list):
        return [_pack(item) for item in value]
    if isinstance(value, dict):
        return {key: _pack(item) for key, item in value.items()}
    return value


class Wire(Part):
    """Where an input's value comes from. `allow` holds the two space ids of a wire that a person
    overruled."""

    node: str
    output: str
    allow: tuple[str, str] | None = None

    @model_serializer(mode="wrap")
    def _without_an_empty_allow(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if data.get("allow") is None:
            data.pop("allow", None)
        return data


Values = Annotated[dict[str, Any], PlainSerializer(_pack, return_type=dict[str, Any])]


def _title(value: Any) -> Any:
    return "" if value is None else value


class PlacedNode(Part):
    """One node of a workflow. `inputs` maps a socket's name to its wire (variadic: "name.0",
    "name.1", ...)."""

    type: str
    version: int = 1
    title: Annotated[str, BeforeValidator(_title)] = ""
    mode: Mode = "run"
    values: Values = Field(default_factory=dict)
    inputs: dict[str, Wire] = Field(default_factory=dict)


class SubgraphInput(Part):
    """A socket of a subgraph that a wire enters. Wires inside that come from `HERE` carry it on."""

    title: Annotated[str, BeforeValidator(_title)] = ""


class SubgraphOutput(Part):
    """A socket of a subgraph that wires leave, and the output inside that feeds it ("": none)."""

    title: Annotated[str, BeforeValidator(_title)] = ""
    node: str = ""
    output: str = ""


class SubgraphWidget(Part):
    """A widget of a node inside that the subgraph shows as its own.

    Its value inside is the default; a placed node of the subgraph may hold another.
    """

    title: Annotated[str, BeforeValidator(_title)] = ""
    node: str
    name: str


class Subgraph(Part):
    """A graph that nodes of the type "subgraph:<id>" stand for, with its interface in order.

    Its types are not saved: they follow from what is inside. In `layout.nodes`, "$" is the place of
    the interface's inputs and "$out" that of its outputs.
    """

    title: Annotated[str, BeforeValidator(_title)] = ""
    description: Annotated[str, BeforeValidator(_title)] = ""
    nodes: dict[str, PlacedNode] = Field(default_factory=dict)
    inputs: dict[str, SubgraphInput] = Field(default_factory=dict)
    outputs: dict[str, SubgraphOutput] = Field(default_factory=dict)
    widgets: dict[str, SubgraphWidget] = Field(default_factory=dict)
    layout: Layout = Field(default_factory=Layout)
    groups: list[Group] = Field(default_factory=list)
    notes: list[Note] = Field(default_factory=list)


class Workflow(Part):
    """A graph of placed nodes, with how it looks (`graph.layout`)."""

    version: int = VERSION
    nodes: dict[str, PlacedNode] = Field(default_factory=dict)
    subgraphs: dict[str, Subgraph] = Field(default_factory=dict)
    app: dict[str, Any] = Field(default_factory=dict)
    layout: Layout = Field(default_factory=Layout)
    groups: list[Group] = Field(default_factory=list)
    notes: list[Note] = Field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The plain JSON form."""
        return self.model_dump(mode="json")

    def to_text(self) -> str:
        """The JSON text that a file holds: indented, so that a diff of two versions can be read."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
