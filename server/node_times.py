"""How long nodes took, learned from every run and kept between starts."""

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graph.definition import NodeDefinition
from graph.duration import Likeness, likenesses
from graph.migrations import WorkflowError, load
from server.paths import write_text

log = logging.getLogger(__name__)

VERSION = 1

KEPT = 5000
"""Likenesses that are remembered; the one that was seen longest ago is forgotten first."""

SHORT = 0.02
"""Seconds; a shorter run teaches only of types that are new."""

NEWEST = 0.4
"""How much the newest time counts beside all those before."""


class NodeTimes:
    """Mean times of nodes by their likeness, in the JSON file. May be used from any thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._alike: OrderedDict[str, float] = OrderedDict()
        self._types: dict[str, float] = {}
        self._changed = False
        self._read()

    def seconds(self, likeness: Likeness) -> float | None:
        """How long such a node takes; where none alike ran, as others of its type did."""
        with self._lock:
            if likeness.alike in self._alike:
                return self._alike[likeness.alike]
            each = self._types.get(likeness.type)
            return None if each is None else each * likeness.work

    def learn(
        self,
        workflow: Mapping[str, Any],
        definitions: Mapping[str, NodeDefinition],
        took: Mapping[str, float],
    ) -> None:
        """Learn from a run of the workflow (the saved form), whose nodes took so many seconds."""
        if not took:
            return
        try:
            known = likenesses(load(dict(workflow)).workflow, definitions, list(took))
        except WorkflowError:  # of a newer version
            return
        with self._lock:
            for node, seconds in took.items():
                if (likeness := known.get(node)) is not None:
                    self._learn(likeness, seconds)

    def learn_from(
        self,
        workflow: Mapping[str, Any],
        took: Mapping[str, float],
        definitions: Mapping[str, NodeDefinition],
    ) -> None:
        """As `learn`, unless the run was too short for anybody to wait for it."""
        nodes = workflow.get("nodes", {})
        types = {str(nodes[node]["type"]) for node in took if node in nodes}
        if sum(took.values()) >= SHORT or not types <= self._types.keys():
            self.learn(workflow, definitions, took)

    def save(self) -> None:
        """Write down what was learned since; failing costs only the estimates."""
        with self._lock:
            if not self._changed:
                return
            self._changed = False
            kept = {"version": VERSION, "alike": self._alike, "types": self._types}
            text = json.dumps(kept)
        try:
            write_text(self._file, text)
        except OSError as error:
            log.warning("How long nodes took could not be kept in %s: %s", self._file, error)

    def _learn(self, likeness: Likeness, seconds: float) -> None:
        self._changed = True
        before = self._alike.pop(likeness.alike, seconds)
        self._alike[likeness.alike] = before + NEWEST * (seconds - before)
        while len(self._alike) > KEPT:
            self._alike.popitem(last=False)
        each = seconds / likeness.work
        before = self._types.get(likeness.type, each)
        self._types[likeness.type] = before + NEWEST * (each - before)

    def _read(self) -> None:
        try:
            kept = json.loads(self._file.read_text("utf-8"))
            if kept["version"] == VERSION:
                alike = {str(key): float(value) for key, value in kept["alike"].items()}
                types = {str(key): float(value) for key, value in kept["types"].items()}
                self._alike, self._types = OrderedDict(alike), types
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("%s is unreadable and is made anew: %s", self._file, error)
