"""The interface of a subgraph as a node definition: what it shows follows from what is inside.

It is what a node that stands for a subgraph looks like: to a person who places one, and to the
checker where the node is muted or bypassed. One that runs is replaced by what is inside
(`graph.subgraphs`), so that its types are found as if there were no subgraph.
"""

from collections.abc import Iterator, Mapping

from graph.definition import (
    InputDefinition,
    NodeDefinition,
    OutputDefinition,
    Term,
    WidgetDefinition,
)
from graph.modes import variadic_number
from graph.workflow import HERE, INSTANCE, PlacedNode, Subgraph

DEEPEST = 50
"""So many subgraphs may lie inside each other."""

PACK = "workflow"
"""The pack of what is no node type of the program but a subgraph of the workflow."""

ANY = Term(kind="Any")


def subgraph_of(type_: str) -> str | None:
    """The id of the subgraph that nodes of the type stand for, or None for every other type."""
    return type_[len(INSTANCE) :] if type_.startswith(INSTANCE) else None


def is_subgraph(type_: str) -> bool:
    """Whether the type is a subgraph's."""
    return type_.startswith(INSTANCE)


class Interfaces:
    """The definitions of a workflow's subgraphs, each made when it is asked for."""

    def __init__(
        self, subgraphs: Mapping[str, Subgraph], definitions: Mapping[str, NodeDefinition]
    ) -> None:
        self._subgraphs = subgraphs
        self._definitions = definitions
        self._made: dict[str, NodeDefinition] = {}
        self._making: set[str] = set()

    def of(self, id_: str) -> NodeDefinition | None:
        """The definition of a subgraph; None where there is none, or while it contains itself."""
        subgraph = self._subgraphs.get(id_)
        if subgraph is None or id_ in self._making or len(self._making) > DEEPEST:
            return None
        if id_ not in self._made:
            self._making.add(id_)
            self._made[id_] = self._define(id_, subgraph)
            self._making.discard(id_)
        return self._made[id_]

    def all(self) -> dict[str, NodeDefinition]:
        """The definitions of all subgraphs, by the types that stand for them."""
        made = {INSTANCE + id_: self.of(id_) for id_ in self._subgraphs}
        return {type_: definition for type_, definition in made.items() if definition is not None}

    def type(self, type_: str) -> NodeDefinition | None:
        """The definition of a node type, be it a subgraph's or not."""
        id_ = subgraph_of(type_)
        return self._definitions.get(type_) if id_ is None else self.of(id_)

    def _define(self, id_: str, subgraph: Subgraph) -> NodeDefinition:
        uses = uses_of(subgraph)
        inner = [self.type(placed.type) for placed in subgraph.nodes.values()]
        return NodeDefinition(
            type=INSTANCE + id_,
            title=subgraph.title or id_,
            category="subgraphs",
            description=subgraph.description,
            pack=PACK,
            inputs=tuple(self._inputs(subgraph, uses)),
            widgets=tuple(self._widgets(subgraph)),
            outputs=tuple(self._outputs(subgraph, uses)),
            output=any(definition is not None and definition.output for definition in inner),
        )

    def _inputs(
        self, subgraph: Subgraph, uses: Mapping[str, list[tuple[str, str]]]
    ) -> Iterator[InputDefinition]:
        for name, shown in subgraph.inputs.items():
            found = [self._taken(subgraph, *use) for use in uses.get(name, ())]
            inner = [item for item in found if item is not None]
            first = inner[0] if inner else InputDefinition(name=name, title=name, term=ANY)
            yield first.model_copy(
                update={
                    "name": name,
                    "title": shown.title or first.title,
                    "optional": all(item.optional for item in inner),
                    "variadic": False,
                    "lazy": False,
                }
            )

    def _taken(self, subgraph: Subgraph, node: str, socket: str) -> InputDefinition | None:
        """The inner input that a wire enters; a widget that a wire may replace counts as one."""
        definition = self.type(subgraph.nodes[node].type)
        for item in definition.inputs if definition else ():
            if item.name == socket or (
                item.variadic and variadic_number(socket, item.name) is not None
            ):
                return item.model_copy(update={"term": _apart(item.term, node)})
        for widget in definition.widgets if definition else ():
            if widget.name == socket and widget.wire is not None:
                return InputDefinition(
                    name=socket,
                    title=widget.title,
                    description=widget.description,
                    term=Term(kind=widget.wire),
                    optional=not widget.required,
                )
        return None

    def _widgets(self, subgraph: Subgraph) -> Iterator[WidgetDefinition]:
        for name, shown in subgraph.widgets.items():
            placed = subgraph.nodes.get(shown.node)
            definition = self.type(placed.type) if placed else None
            for widget in definition.widgets if definition else ():
                if placed is None or widget.name != shown.name or shown.name in placed.inputs:
                    continue
                held = shown.name in placed.values
                term = widget.term
                yield widget.model_copy(
                    update={
                        "name": name,
                        "title": shown.title or widget.title,
                        "term": _apart(term, shown.node) if term else None,
                        "default": placed.values[shown.name] if held else widget.default,
                        "required": widget.required and not held,
                    }
                )

    def _outputs(
        self, subgraph: Subgraph, uses: Mapping[str, list[tuple[str, str]]]
    ) -> Iterator[OutputDefinition]:
        inputs = {item.name: item for item in self._inputs(subgraph, uses)}
        for name, shown in subgraph.outputs.items():
            term, title, is_list, description = ANY, name, False, ""
            if shown.node == HERE and shown.output in inputs:
                passed = inputs[shown.output]
                term, title, is_list = passed.term, passed.title, passed.list
            elif shown.node in subgraph.nodes:
                definition = self.type(subgraph.nodes[shown.node].type)
                for given in definition.outputs if definition else ():
                    if given.name == shown.output:
                        term, title = _apart(given.term, shown.node), given.title
                        is_list, description = given.list, given.description
            yield OutputDefinition(
                name=name,
                title=shown.title or title,
                description=description,
                term=term,
                list=is_list,
            )


def uses_of(subgraph: Subgraph) -> dict[str, list[tuple[str, str]]]:
    """For each input of the interface the inner sockets that it feeds, in the nodes' order."""
    uses: dict[str, list[tuple[str, str]]] = {}
    for node, placed in subgraph.nodes.items():
        for socket, wire in placed.inputs.items():
            if wire.node == HERE:
                uses.setdefault(wire.output, []).append((node, socket))
    return uses


def is_shown(placed: PlacedNode) -> bool:
    """Whether the node stands for a subgraph."""
    return is_subgraph(placed.type)


def _apart(term: Term, node: str) -> Term:
    """The term with variables of the inner node's own: equal names of two nodes mean two things."""
    arguments = tuple(
        argument
        if argument.variable is None
        else argument.model_copy(update={"variable": f"{node}.{argument.variable}"})
        for argument in term.arguments
    )
    return term.model_copy(update={"arguments": arguments}) if arguments else term
