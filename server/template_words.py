"""Give the templates in the reader's language: `workflows/languages/de.json` has their texts."""

import logging
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from graph.words import ENGLISH, spoken
from server.workflow_files import Template

log = logging.getLogger(__name__)


class About(BaseModel):
    """What a template is called and what is said of it."""

    model_config = ConfigDict(extra="forbid")

    title: str
    description: str


class TemplateWords(BaseModel):
    """The templates' texts in one language.

    `templates` are by the names of their files. `texts` are what their nodes are called and what
    stands in their notes, by the English text.
    """

    model_config = ConfigDict(extra="forbid")

    templates: dict[str, About] = Field(default_factory=dict)
    texts: dict[str, str] = Field(default_factory=dict)


def words_for(folder: Path) -> TemplateWords:
    """The texts in the language that is spoken now; none where the folder has no file of it."""
    if spoken().tag == ENGLISH.tag:
        return TemplateWords()
    path = folder / "languages" / f"{spoken().tag}.json"
    try:
        return TemplateWords.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return TemplateWords()
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be read, so the templates keep their English: %s", path, error)
        return TemplateWords()


def introduced(template: Template, words: TemplateWords) -> Template:
    """The template with its title and description in the language."""
    about = words.templates.get(template.name)
    if about is None:
        return template
    return template._replace(title=about.title, description=about.description)


def reworded(workflow: dict[str, Any], name: str, words: TemplateWords) -> dict[str, Any]:
    """The template's saved form with its titles and notes in the language."""
    about = words.templates.get(name)
    own = {"title": about.title, "description": about.description} if about else {}
    nodes = {id_: _reworded(node, words.texts) for id_, node in workflow["nodes"].items()}
    return {**workflow, **own, "nodes": nodes}


def _reworded(node: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """A node's title and those of its values that are a text of the language's; no prompt is."""
    values = {
        name: texts.get(value, value) if isinstance(value, str) else value
        for name, value in node.get("values", {}).items()
    }
    title = node.get("title", "")
    return {**node, "title": texts.get(title, title), "values": values}
