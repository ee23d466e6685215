"""Whose latents each file speaks, by all that is known of it: what the catalogue's answers go by.

The survey (`server.catalogue_survey`) writes what it finds; every process reads that here.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diffusion.identity.layers import Finding, Verdict, combined, contradiction
from graph.definition import Axis
from graph.files import FileFacts, FileFinding
from server.catalogue_statements import Statements, seen_at, write_json
from server.model_folders import Stamp
from server.settings import Settings

log = logging.getLogger(__name__)

VERSION = 1

STATED = "you said so"


@dataclass(frozen=True)
class Surveyed:
    """What the survey found of one file.

    `content` is its SHA-256, "" where nobody computed it. `findings` are those of every layer but
    the statement; `choices` are the spaces that a person may say it speaks, none where the header
    leaves nothing to say.
    """

    content: str
    findings: tuple[Finding, ...]
    choices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Surveyed":
        """What `to_json` wrote. Raises `KeyError` and `TypeError` for anything else."""
        findings = tuple(
            Finding(**{**row, "spaces": tuple(row["spaces"])}) for row in data["findings"]
        )
        return cls(data["content"], findings, tuple(data["choices"]))


class Identities:
    """What was surveyed, with what people said. Both are read again when they were written anew.

    Safe for threads; one process surveys, any number reads.
    """

    def __init__(self, findings: Path, statements: Path) -> None:
        self._file = Path(findings)
        self.statements = Statements(statements)
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._known: dict[Stamp, Surveyed] = {}

    def surveyed(self, stamp: Stamp) -> Surveyed | None:
        """What the survey found of the file as it is now, or None where it has not been there."""
        with self._lock:
            self._read()
            return self._known.get(stamp)

    def verdict(self, stamp: Stamp) -> Verdict | None:
        """What all layers say, the statement included; None for a file that was not surveyed."""
        found = self.surveyed(stamp)
        return None if found is None else self.judged(found)

    def judged(self, found: Surveyed) -> Verdict:
        """The verdict over what the survey found and what was said of that content."""
        said = self.statements.of(found.content) if found.content else None
        if said is None:
            return combined(found.findings)
        return combined((*found.findings, Finding("statement", (said.space,), "certain", STATED)))

    def keep(self, known: Mapping[Stamp, Surveyed]) -> bool:
        """Replace all that was surveyed; True if it differs from before."""
        with self._lock:
            self._read()
            if known == self._known and self._seen is not None:
                return False
            rows = [[*asdict(stamp).values(), found.to_json()] for stamp, found in known.items()]
            changed, self._known = known != self._known, dict(known)
            try:
                write_json(self._file, {"version": VERSION, "files": rows})
            except (OSError, ValueError) as error:
                log.warning("what the models are could not be kept in %s: %s", self._file, error)
            self._seen = seen_at(self._file)
            return changed

    def _read(self) -> None:
        """Read the file where it was written anew; the lock is held."""
        seen = seen_at(self._file)
        if seen == self._seen:
            return
        self._seen, self._known = seen, {}
        if seen is None:
            return
        try:
            data = json.loads(self._file.read_text("utf-8"))
            if data["version"] == VERSION:
                rows = data["files"]
                self._known = {Stamp(*row[:-1]): Surveyed.from_json(row[-1]) for row in rows}
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("%s is unreadable and is made anew: %s", self._file, error)


def identified(
    facts: FileFacts,
    found: Surveyed | None,
    identities: Identities,
    title: Callable[[str], str],
) -> FileFacts:
    """The header's facts with what all layers together say of the latent space.

    `title` gives a latent space's name for people. `content` changes with the answer, so that no
    result outlives it that was computed before.
    """
    if found is None:
        return facts
    verdict = identities.judged(found)
    spaces: dict[Axis, tuple[str, ...]] = dict(facts.spaces)
    spaces.pop("latent", None)
    if verdict.spaces:
        spaces["latent"] = verdict.spaces
    changed = spaces != facts.spaces
    text = "\0".join((facts.content, *verdict.spaces))
    by_header = verdict.rule == "header" and not changed
    titles = {id_: title(id_) for item in verdict.against for id_ in item.spaces}
    return facts.model_copy(
        update={
            "spaces": spaces,
            "evidence": facts.evidence if by_header else verdict.reason,
            "certainty": facts.certainty if by_header else verdict.certainty,
            "content": hashlib.sha256(text.encode()).hexdigest() if changed else facts.content,
            "rule": verdict.rule,
            "findings": tuple(FileFinding(**asdict(item)) for item in verdict.findings),
            "contradiction": contradiction(verdict.against, titles),
            "choices": found.choices,
        }
    )


def identities_of(settings: Settings) -> Identities:
    """What is known of the files of one program, as every process of it sees it."""
    return Identities(settings.cache / "identities.json", settings.data / "statements.json")
