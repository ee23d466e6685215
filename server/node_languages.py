"""Give the node definitions in the reader's language, from the file that each pack brings.

Our own nodes' is `nodes/languages/de.json`, that of a pack `custom_nodes/<pack>/languages/de.json`.
"""

import hashlib
import logging

from pydantic import ValidationError

from graph.node import CORE
from graph.translation import PackWords, translated
from graph.words import ENGLISH, spoken
from server.settings import ROOT, Settings
from server.worker_messages import Library

log = logging.getLogger(__name__)

LANGUAGES = "languages"
"""The folder, beside a pack's `nodes.py`, that holds its languages."""


class NodeLanguages:
    """The definitions in each language that somebody asked for; made once for each library."""

    def __init__(self, settings: Settings) -> None:
        self._own = ROOT / "nodes"
        self._packs = settings.custom_nodes
        self._made: dict[str, tuple[Library, Library]] = {}

    def known(self, library: Library) -> Library | None:
        """The library in the language that is spoken now, where it has been made already."""
        tag = spoken().tag
        if tag == ENGLISH.tag:
            return library
        source, made = self._made.get(tag, (None, None))
        return made if source is library else None

    def of(self, library: Library) -> Library:
        """The library in the language that is spoken now. Reads a file for each pack."""
        if (known := self.known(library)) is not None:
            return known
        tag = spoken().tag
        packs = {definition.pack for definition in library.nodes.values()}
        words = {pack: self._words(pack, tag) for pack in packs}
        nodes = {
            type_: translated(definition, words[definition.pack])
            for type_, definition in library.nodes.items()
        }
        digest = hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:16]
        version = f"{library.version}-{tag}-{digest}"
        made = library.model_copy(update={"nodes": nodes, "version": version})
        self._made[tag] = library, made
        return made

    def _words(self, pack: str, tag: str) -> PackWords:
        """What the pack brings in the language; nothing where its file is missing or wrong."""
        folder = self._own if pack == CORE else self._packs / pack
        path = folder / LANGUAGES / f"{tag}.json"
        try:
            return PackWords.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return PackWords()
        except (OSError, ValidationError) as error:
            log.warning("%s cannot be read, so its nodes keep their English: %s", path, error)
            return PackWords()
