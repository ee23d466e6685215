"""Nodes that do sums, for tests of planning and running.

A `Box` is a socket that holds a number, so that sockets can be told from widgets.
"""

import sys
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from pydantic import Field

from graph.definition import NodeDefinition
from graph.execute import Call
from graph.expand import HERE, Expansion
from graph.node import Part, Registry, Service, node, nodes_of
from graph.types import LatentSpace, Lazy, Socket, Variadic
from graph.widgets import ModelFile
from graph.workflow import PlacedNode, Subgraph, SubgraphInput, SubgraphOutput, Wire, Workflow

S = TypeVar("S", bound=LatentSpace)


@dataclass(frozen=True)
class Box(Socket):
    number: int = 0


class Latent(Socket, Generic[S]): ...


class BoxFile(ModelFile):
    folder = "boxes"


class Hook(Service):
    """What a test wants to happen inside a node."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __call__(self) -> None: ...


@node(category="test")
def box(number: int = 0) -> Box:
    return Box(number)


@node(category="test")
def one_more(a: Box) -> Box:
    return Box(a.number + 1)


@node(category="test")
def add(a: Box, b: Box) -> Box:
    return Box(a.number + b.number)


@node(category="test")
def scale(a: Box, by: Annotated[int, Field(ge=0, le=100)] = 2) -> Box:
    return Box(a.number * by)


@node(category="test")
def stretch(a: Box, by: Annotated[float, Field(ge=0)] = 2.0) -> float:
    assert type(by) is float
    return a.number * by


@node(category="test")
def number_of(a: Box) -> int:
    return a.number


@node(category="test")
def total(items: Variadic[Box] = ()) -> Box:
    return Box(sum(item.number for item in items))


@node(category="test")
def digits(items: Variadic[Box]) -> Box:
    """The numbers written one after the other, which depends on their order."""
    return Box(int("".join(str(item.number) for item in items)))


@node(category="test")
def maybe(a: Box | None = None) -> Box:
    return a or Box(-1)


@node(category="test")
def count_to(a: Box) -> list[Box]:
    return [Box(number) for number in range(a.number)]


@node(category="test")
def total_of_list(items: list[Box]) -> Box:
    return Box(sum(item.number for item in items))


class Division(NamedTuple):
    quotient: Box
    rest: Box


@node(category="test")
def divide(a: Box, by: int = 10) -> Division:
    quotient, rest = divmod(a.number, by)
    return Division(rest=Box(rest), quotient=Box(quotient))


@node(category="test")
async def pick(a: Lazy[Box], b: Lazy[Box], first: bool = True) -> Box:
    return await (a if first else b)


@node(category="test")
async def first_positive(items: Variadic[Lazy[Box]]) -> Box:
    for item in items:
        found = await item
        if found.number > 0:
            return found
    return Box(0)


@node(category="test")
async def both(a: Lazy[Box], b: Lazy[Box]) -> Box:
    return Box((await a).number + (await b).number)


@node(category="test")
def forgets_to_await(a: Lazy[Box]) -> Box:
    return a  # type: ignore[return-value]


@node(category="test")
async def awaits_something_else(a: Lazy[Box]) -> Box:
    await Nonsense()
    return Box()


class Nonsense:
    def __await__(self) -> Any:
        yield "nonsense"


@node(category="test", cache=False)
def dice() -> Box:
    dice.thrown += 1
    return Box(dice.thrown)


dice.thrown = 0


@node(category="test", output=True)
def save(a: Box, name: str = "box") -> None: ...


@node(category="test")
def load(file: BoxFile) -> Box:
    assert file.path == PurePosixPath("/boxes", file.name)
    return Box(len(file.content))


class Parts(NamedTuple):
    left: Annotated[Box | None, Part("left")]
    right: Annotated[Box | None, Part("right")]


@node(category="test")
def half() -> Parts:
    return Parts(Box(1), None)


@node(category="test")
def space_name(space: type[S]) -> str:
    return str(space)


@node(category="test")
def fail(a: Box | None = None) -> Box:
    raise ValueError("The box is stuck.")


@node(category="test")
def fail_within(a: Box | None = None) -> Box:
    return {}["lid"]


@node(category="test")
def gives_nothing() -> Box:
    return None  # type: ignore[return-value]


@node(category="test")
def gives_a_text() -> int:
    return "7"  # type: ignore[return-value]


@node(category="test")
def gives_nan() -> float:
    return float("nan")


@node(category="test")
def gives_no_tuple() -> Division:
    return Box(), Box()  # type: ignore[return-value]


@node(category="test")
def gives_no_list() -> list[Box]:
    return Box()  # type: ignore[return-value]


@node(category="test")
def hooked(a: Box | None = None, *, hook: Hook) -> Box:
    hook()
    return a or Box()


@node(category="test")
async def hooked_lazily(a: Lazy[Box], *, hook: Hook) -> Box:
    hook()
    return await a


@node(category="test")
async def cleans_up(a: Lazy[Box], *, hook: Hook) -> Box:
    try:
        return await a
    finally:
        hook()


@node(category="test")
def add_times(a: Box, times: int = 1) -> Box:
    """`one_more`, so many times, as a workflow."""
    nodes = {}
    wire = Wire(node=HERE, output="a")
    for index in range(times):
        nodes[str(index)] = PlacedNode(type="one_more", inputs={"a": wire})
        wire = Wire(node=str(index), output="box")
    return Expansion(Workflow(nodes=nodes), {"box": wire})  # type: ignore[return-value]


@node(category="test")
def expands_into_a_subgraph(a: Box) -> Box:
    """`one_more` twice, inside a subgraph."""
    wires = [Wire(node=HERE, output="in"), Wire(node="0", output="box")]
    inside = {
        str(k): PlacedNode(type="one_more", inputs={"a": wire}) for k, wire in enumerate(wires)
    }
    twice = Subgraph(
        nodes=inside,
        inputs={"in": SubgraphInput()},
        outputs={"out": SubgraphOutput(node="1", output="box")},
    )
    placed = PlacedNode(type="subgraph:twice", inputs={"in": Wire(node=HERE, output="a")})
    workflow = Workflow(nodes={"t": placed}, subgraphs={"twice": twice})
    return Expansion(workflow, {"box": Wire(node="t", output="out")})  # type: ignore[return-value]


@node(category="test")
def count_down(a: Box, left: int = 3) -> Box:
    """Expands into itself with one less to go, `left` times."""
    if not left:
        return a
    inner = {
        "more": PlacedNode(type="one_more", inputs={"a": Wire(node=HERE, output="a")}),
        "next": PlacedNode(
            type="count_down",
            values={"left": left - 1},
            inputs={"a": Wire(node="more", output="box")},
        ),
    }
    outputs = {"box": Wire(node="next", output="box")}
    return Expansion(Workflow(nodes=inner), outputs)  # type: ignore[return-value]


@node(category="test")
def expands_into_itself(a: Box) -> Box:
    wire = Wire(node=HERE, output="a")
    inner = {"same": PlacedNode(type="expands_into_itself", inputs={"a": wire})}
    outputs = {"box": Wire(node="same", output="box")}
    return Expansion(Workflow(nodes=inner), outputs)  # type: ignore[return-value]


@node(category="test")
def expands_into_nonsense(a: Box) -> Box:
    inner = {
        "n": PlacedNode(type="number_of", inputs={"a": Wire(node=HERE, output="a")}),
        "x": PlacedNode(type="one_more", inputs={"a": Wire(node="n", output="integer")}),
    }
    outputs = {"box": Wire(node="x", output="box")}
    return Expansion(Workflow(nodes=inner), outputs)  # type: ignore[return-value]


@node(category="test")
def expands_wrongly(a: Box) -> Box:
    inner = {"x": PlacedNode(type="box")}
    outputs = {"lid": Wire(node="x", output="box")}
    return Expansion(Workflow(nodes=inner), outputs)  # type: ignore[return-value]


REGISTRY: Registry = nodes_of([sys.modules[__name__]])
DEFINITIONS: dict[str, NodeDefinition] = dict(REGISTRY.definitions)
