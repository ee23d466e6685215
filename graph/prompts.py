"""Which values of a node are prompts, and how a prompt is changed where it names an embedding."""

import re

from graph.definition import NodeDefinition

ENCODERS = "Clip"
"""The kind of socket that brings text encoders: texts of such a node are read by them."""

TEXT = "Text"
"""The kind of socket that hands on a text."""

_OPENED = re.compile(r"(?<!\\)\(\s*$")
_CLOSED = re.compile(r"\s*(?::\s*[-+.\d]+\s*)?\)")
_SEPARATED = re.compile(r"\s*,\s*")
_SEPARATES = re.compile(r"\s*,\s*$")


def prompts_of(definition: NodeDefinition) -> tuple[str, ...]:
    """The names of the widgets whose texts the node's text encoders read, or may read elsewhere.

    These are the texts of a node that takes a Clip, and of one that hands texts on.
    """
    reads = any(item.term.kind == ENCODERS for item in definition.inputs)
    if not reads and all(item.term.kind != TEXT for item in definition.outputs):
        return ()
    return tuple(item.name for item in definition.widgets if item.control == "multiline")


def name_in(mention: str) -> str:
    """The name of an embedding, as people know it, from how a prompt names it."""
    name = mention.partition(":")[2].replace("\\(", "(").replace("\\)", ")")
    return name[1:-1] if name.startswith('"') else name


def without(text: str, start: int, end: int) -> str:
    """The prompt without these characters, the brackets around them alone, and their comma."""
    before, behind = text[:start], text[end:]
    while (opened := _OPENED.search(before)) and (closed := _CLOSED.match(behind)):
        before, behind = before[: opened.start()], behind[closed.end() :]
    if separated := _SEPARATED.match(behind):
        behind = behind[separated.end() :]
        before = before.rstrip(" ")
        joined = bool(before) and bool(behind) and not before.endswith("\n")
        return before + (" " if joined else "") + behind
    if not behind.strip() and (separates := _SEPARATES.search(before)):
        before = before[: separates.start()]
    if before.endswith(" ") and (behind.startswith(" ") or not behind):
        before = before.rstrip(" ")
    return before + (behind if before else behind.lstrip())
