"""Change values of a workflow from the command line: `--set KSampler.seed=7`."""

import json
from collections.abc import Mapping, Sequence

from graph.definition import Json, NodeDefinition, WidgetDefinition
from graph.subgraph_values import Named, named_nodes
from graph.subgraphs import Flat
from graph.values import fault
from graph.workflow import Workflow
from server.queue.rows import with_changes

TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class BadAssignment(ValueError):
    """A `--set` that means nothing in this workflow; the message says what would."""


def assigned(
    workflow: Workflow, definitions: Mapping[str, NodeDefinition], assignments: Sequence[str]
) -> Workflow:
    """The workflow with the values set, each "NODE.VALUE=X". Raises `BadAssignment`."""
    flat = Flat(workflow, definitions)
    there = list(named_nodes(flat))
    changed = workflow.to_json()
    for text in assignments:
        left, equals, value = text.partition("=")
        # A title may hold dots, a value's name does not.
        node, dot, name = left.strip().rpartition(".")
        if not equals or not dot or not node or not name:
            raise BadAssignment(
                f"--set {text!r} is not understood: write NODE.VALUE=X, as in KSampler.seed=7."
            )
        found = _node(there, node)
        widget = _widget(found, node, name)
        if widget.name in found.placed.inputs:
            raise BadAssignment(
                f"--set {text!r}: {widget.title} of {node} comes along a wire; set the value of "
                f"{found.placed.inputs[widget.name].node}, or remove the wire."
            )
        parsed = _parsed(widget, value, text)
        changed = with_changes(changed, {found.id: {widget.name: parsed}})
    return Workflow.model_validate(changed)


def _node(there: Sequence[Named], name: str) -> Named:
    """The node that is called so: by its id, else by its title, whatever its case.

    One inside a subgraph is called "Outer / Inner".
    """
    parts = [part.strip() for part in name.split("/")]
    spaced, id_ = " / ".join(parts), "/".join(parts)
    found = [one for one in there if one.id in (name, id_)]
    found = found or [one for one in there if one.title in (name, spaced)]
    found = found or [one for one in there if one.title.lower() in (name.lower(), spaced.lower())]
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise BadAssignment(f"{len(found)} nodes are called {name!r}: use an id, one of {ids}.")
    if not found:
        known = ", ".join(f"{one.title} ({one.id})" for one in there)
        raise BadAssignment(f"There is no node {name!r}. There are: {known or 'none'}.")
    return found[0]


def _widget(found: Named, node: str, name: str) -> WidgetDefinition:
    if found.definition is None:
        raise BadAssignment(f"{node} is of the unknown type {found.placed.type!r}.")
    for widget in found.definition.widgets:
        if name.lower() in (widget.name.lower(), widget.title.lower()):
            return widget
    names = ", ".join(widget.name for widget in found.definition.widgets) or "none"
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
