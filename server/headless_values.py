"""Change values of a workflow from the command line: `--set KSampler.seed=7`."""

import json
from collections.abc import Mapping, Sequence

from graph.definition import Json, NodeDefinition, WidgetDefinition
from graph.values import fault
from graph.workflow import PlacedNode, Workflow

TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class BadAssignment(ValueError):
    """A `--set` that means nothing in this workflow; the message says what would."""


def assigned(
    workflow: Workflow, definitions: Mapping[str, NodeDefinition], assignments: Sequence[str]
) -> Workflow:
    """The workflow with the values set, each "NODE.VALUE=X". Raises `BadAssignment`."""
    changed = workflow.model_copy(deep=True)
    for text in assignments:
        left, equals, value = text.partition("=")
        # A title may hold dots, a value's name does not.
        node, dot, name = left.strip().rpartition(".")
        if not equals or not dot or not node or not name:
            raise BadAssignment(
                f"--set {text!r} is not understood: write NODE.VALUE=X, as in KSampler.seed=7."
            )
        placed = changed.nodes[_node(changed, definitions, node)]
        widget = _widget(placed, definitions, node, name)
        if widget.name in placed.inputs:
            raise BadAssignment(
                f"--set {text!r}: {widget.title} of {node} comes along a wire; set the value of "
                f"{placed.inputs[widget.name].node}, or remove the wire."
            )
        placed.values[widget.name] = _parsed(widget, value, text)
    return changed


def _node(workflow: Workflow, definitions: Mapping[str, NodeDefinition], name: str) -> str:
    """The id of the node that is called so: by its id, else by its title, whatever its case."""
    if name in workflow.nodes:
        return name
    titles = {node: title_of(placed, definitions) for node, placed in workflow.nodes.items()}
    found = [node for node, title in titles.items() if title == name]
    found = found or [node for node, title in titles.items() if title.lower() == name.lower()]
    if len(found) > 1:
        raise BadAssignment(
            f"{len(found)} nodes are called {name!r}: use an id, one of {', '.join(found)}."
        )
    if not found:
        there = ", ".join(f"{title} ({node})" for node, title in titles.items())
        raise BadAssignment(f"There is no node {name!r}. There are: {there or 'none'}.")
    return found[0]


def title_of(placed: PlacedNode, definitions: Mapping[str, NodeDefinition]) -> str:
    """What people call the node."""
    definition = definitions.get(placed.type)
    return placed.title or (definition.title if definition else placed.type)


def _widget(
    placed: PlacedNode, definitions: Mapping[str, NodeDefinition], node: str, name: str
) -> WidgetDefinition:
    definition = definitions.get(placed.type)
    if definition is None:
        raise BadAssignment(f"{node} is of the unknown type {placed.type!r}.")
    for widget in definition.widgets:
        if name.lower() in (widget.name.lower(), widget.title.lower()):
            return widget
    names = ", ".join(widget.name for widget in definition.widgets) or "none"
    raise BadAssignment(f"{node} has no value {name!r}. It has: {names}.")


def _parsed(widget: WidgetDefinition, text: str, assignment: str) -> Json:
    """The text as the value that the widget's schema wants."""
    value = _read(widget, text)
    if wrong := fault(widget.schema_, value):
        raise BadAssignment(f"--set {assignment!r}: {widget.title} {wrong.reason}.")
    return value


def _read(widget: WidgetDefinition, text: str) -> Json:
    parts = (widget.schema_, *widget.schema_.get("anyOf", ()))
    kinds = {part.get("type") for part in parts}
    if "string" in kinds or any("enum" in part or "const" in part for part in parts):
        return None if "null" in kinds and not text else text
    word = text.strip()
    if "boolean" in kinds and word.lower() in TRUTHS:
        return TRUTHS[word.lower()]
    try:
        return json.loads(word)
    except ValueError:  # the schema will say what it should have been
        return text
