"""Give nodes in the reader's language: their titles and descriptions, from their pack's words."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field

from graph.definition import (
    Data,
    InputDefinition,
    NodeDefinition,
    OutputDefinition,
    WidgetDefinition,
)
from graph.node import CORE

_Item = TypeVar("_Item", InputDefinition, WidgetDefinition, OutputDefinition)


class Words(Data):
    """What a node, a socket or a value is called, and what is said of it; "" leaves the source's.

    `inputs`, `widgets` and `outputs` are a node's, by their names.
    """

    title: str = ""
    description: str = ""
    inputs: dict[str, "Words"] = Field(default_factory=dict)
    widgets: dict[str, "Words"] = Field(default_factory=dict)
    outputs: dict[str, "Words"] = Field(default_factory=dict)


class PackWords(Data):
    """A pack's texts in one language, as its file `languages/de.json` holds them.

    `categories` are by their words in the source. `common` gives titles and descriptions that
    several sockets and values have, by the text of the source; what `nodes` (by the function's
    name) says of one of them counts before it.
    """

    categories: dict[str, str] = Field(default_factory=dict)
    common: dict[str, str] = Field(default_factory=dict)
    nodes: dict[str, Words] = Field(default_factory=dict)


def translated(definition: NodeDefinition, words: PackWords) -> NodeDefinition:
    """The node in another language; what the words lack stays as the source has it."""
    name = definition.type
    if definition.pack != CORE:
        name = name.removeprefix(f"{definition.pack}.")
    own = words.nodes.get(name, Words())
    parts = definition.category.split("/")
    return definition.model_copy(
        update={
            "title": own.title or definition.title,
            "original": definition.title,
            "description": own.description or definition.description,
            "category": "/".join(words.categories.get(part, part) for part in parts),
            "inputs": tuple(_named(item, own.inputs, words.common) for item in definition.inputs),
            "widgets": tuple(
                _named(item, own.widgets, words.common) for item in definition.widgets
            ),
            "outputs": tuple(
                _named(item, own.outputs, words.common) for item in definition.outputs
            ),
        }
    )


def _named(item: _Item, own: Mapping[str, Words], common: Mapping[str, str]) -> _Item:
    said = own.get(item.name, Words())
    return item.model_copy(
        update={
            "title": said.title or common.get(item.title, item.title),
            "description": said.description or common.get(item.description, item.description),
        }
    )
