"""What a node is, as plain data that crosses the pipe, HTTP and the disk.

A `NodeDefinition` is made from a function's signature by `graph.node.node`; nothing in it is
executable.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Axis = Literal["text", "latent"]

Json = Any  # a JSON value: None, bool, int, float, str, list or dict with string keys


class Data(BaseModel):
    """A frozen record; an unknown field is an error, because we are its only writer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Argument(Data):
    """One argument of a socket's type: a variable of the signature, or a fixed set of spaces.

    Exactly one of `variable` and `one_of` is given. `axis` says which kind of space it ranges over.
    """

    axis: Axis
    variable: str | None = None
    one_of: tuple[str, ...] | None = None


class Term(Data):
    """The type of a socket: its kind ("Latent") and the kind's arguments ("in the space S").

    Kinds of plain values are "Integer", "Number", "Text" and "Boolean"; "Any" accepts every kind.
    """

    kind: str
    arguments: tuple[Argument, ...] = ()


class InputDefinition(Data):
    """A socket that a wire enters.

    `variadic`: any number of wires, stored at "name.0", "name.1", ...; the function gets a list.
    `lazy`: computed only when the function asks for it. `list`: the wire carries a list. `part`: of
    a file that is loaded for it, the half that it needs ("encoder", "decoder").
    """

    name: str
    title: str
    description: str = ""
    term: Term
    optional: bool = False
    lazy: bool = False
    variadic: bool = False
    list: bool = False
    part: str | None = None


class WidgetDefinition(Data):
    """A value that a person sets on the node, described by a JSON Schema.

    `schema_` (JSON: "schema") holds type, limits and choices. `control` names the editor's widget
    ("number", "seed", "text", "multiline", "choice", "toggle", "model_file", "image_file", ...).
    `folder` and `term` are set for files: the models folder it is chosen from and the type that
    the file supplies, `part` the half of it that is used ("encoder", "decoder"), if not all of it.
    `wire` is the kind of plain value that may be wired into the widget's place, if any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    title: str
    description: str = ""
    schema_: Annotated[dict[str, Json], Field(alias="schema")]
    required: bool = False
    default: Json = None
    control: str = "text"
    folder: str | None = None
    term: Term | None = None
    part: str | None = None
    wire: str | None = None


class SpaceDefinition(Data):
    """A parameter annotated `type[S]`: the checker finds the space, nobody states it."""

    name: str
    axis: Axis
    variable: str


class OutputDefinition(Data):
    """A socket that wires leave. `part` names the part of a file it needs ("model", "clip",
    "vae")."""

    name: str
    title: str
    description: str = ""
    term: Term
    list: bool = False
    part: str | None = None


class NodeDefinition(Data):
    """The interface of one node type.

    `type` is its id ("k_sampler"; "pack.name" in a custom pack). `source` is the SHA-256 of its
    module's source. `output` marks a node that is run for its effect (Save Image). `cache` is
    False where equal inputs need not give equal results. `services` are the keyword-only
    parameters that the executor hands in. `time_limit` is the seconds after which the node is
    stopped, None for what the person who started the program allows. `original` is the title in the
    language of the source, where `title` is in the reader's (`graph.translation`).
    """

    type: str
    version: int = 1
    title: str
    category: str
    description: str = ""
    pack: str = "core"
    source: str = ""
    inputs: tuple[InputDefinition, ...] = ()
    widgets: tuple[WidgetDefinition, ...] = ()
    spaces: tuple[SpaceDefinition, ...] = ()
    outputs: tuple[OutputDefinition, ...] = ()
    services: dict[str, str] = Field(default_factory=dict)
    output: bool = False
    cache: bool = True
    time_limit: Annotated[float, Field(gt=0)] | None = None
    original: str = ""

    def is_called(self, title: str) -> bool:
        """Whether a placed node's title is only its type's: none, or that of either language."""
        return title in ("", self.title, self.original)
