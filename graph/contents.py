"""What identifies the content of the files that a step hangs on, each asked for once."""

from collections.abc import Mapping

from graph.definition import Json
from graph.files import EMBEDDINGS, Files
from graph.step import Shape


class Contents:
    """The contents of files, for the keys of one plan. "" stands for a file that is not there."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known: dict[tuple[str, str], str] = {}

    def of(self, shape: Shape, values: Mapping[str, Json]) -> dict[str, str]:
        """The content of each file that a widget names, by the widget."""
        return {
            widget: self._content(folder, name)
            for widget, folder in shape.files.items()
            if isinstance(name := values.get(widget), str)
        }

    def named(self, shape: Shape, values: Mapping[str, Json]) -> Mapping[str, str]:
        """The content of each embedding that the node's prompts name, by its file."""
        texts = [text for prompt in shape.prompts if isinstance(text := values.get(prompt), str)]
        found = (one.file for text in texts for one in self._files.mentioned(text))
        return {
            name: self._content(EMBEDDINGS, name)
            for name in sorted({file for file in found if file is not None})
        }

    def embeddings(self) -> Mapping[str, str]:
        """The content of every embedding that there is, by its file."""
        return {name: self._content(EMBEDDINGS, name) for name in self._files.embeddings()}

    def _content(self, folder: str, name: str) -> str:
        if (folder, name) not in self._known:
            facts = self._files.facts(folder, name)
            self._known[folder, name] = facts.content if facts else ""
        return self._known[folder, name]
