"""Node types that turn a value with a space into one without, and back: VAE Decode and VAE Encode.

They are known by their signatures, not by their names, so that a pack may bring others.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from graph.definition import InputDefinition, NodeDefinition, OutputDefinition, Term


class Converter(NamedTuple):
    """A node type with one input of the kind to convert and one for the tool (a VAE)."""

    definition: NodeDefinition
    value: InputDefinition
    tool: InputDefinition
    result: OutputDefinition


def bridges(
    definitions: Mapping[str, NodeDefinition], term: Term
) -> Iterator[tuple[Converter, Converter]]:
    """Pairs of node types that lead from the kind to one without spaces, and back."""
    leaving: list[Converter] = []
    entering: list[Converter] = []
    ours_first = sorted(definitions.values(), key=lambda item: (item.pack != "core", item.type))
    for definition in ours_first:
        for found in _converters(definition):
            if found.value.term.kind == term.kind and not found.result.term.arguments:
                leaving.append(found)
            if found.result.term.kind == term.kind and not found.value.term.arguments:
                entering.append(found)
    for there in leaving:
        for back in entering:
            same = there.result.term.kind == back.value.term.kind
            if same and there.tool.term.kind == back.tool.term.kind:
                yield there, back


def _converters(definition: NodeDefinition) -> Iterator[Converter]:
    """The ways in which the node type is a converter: none where it needs or gives more."""
    needed = [item for item in definition.inputs if not item.optional]
    plain = not any(item.lazy or item.variadic or item.list for item in needed)
    ready = not definition.spaces and not any(item.required for item in definition.widgets)
    if len(needed) != 2 or len(definition.outputs) != 1 or not plain or not ready:
        return
    (result,) = definition.outputs
    if result.list or definition.output:
        return
    for tool, value in (needed, needed[::-1]):
        # The tool's space is that of the value before or after; the other one has none.
        ends = [*value.term.arguments, *result.term.arguments]
        if len(ends) == 1 and tool.term.arguments == tuple(ends) and ends[0].variable:
            yield Converter(definition, value, tool, result)
