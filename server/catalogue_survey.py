"""Find out whose latents the model files here speak: read what they hold, and compare them.

It reads whole files, so it works in a thread of its own, once for every content; trials, which need
torch, are run elsewhere and handed in.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diffusion.header import FileTrouble
from diffusion.identity.hashes import Known as KnownHash
from diffusion.identity.hashes import hash_finding, known_hashes
from diffusion.identity.layers import Finding, combined
from diffusion.identity.metadata import ARCHITECTURE, config_beside, metadata_finding
from diffusion.identity.probe import probe_finding
from diffusion.identity.signatures import Teacher, signature_finding
from diffusion.identity.trial import Trial
from diffusion.spaces import LatentSpace
from server import facts_cache
from server.catalogue_evidence import VAES, Evidence, evidence_version
from server.catalogue_identity import Identities, Surveyed
from server.catalogue_statements import write_json
from server.model_folders import Stamp

log = logging.getLogger(__name__)

TRIALS_VERSION = 1
"""To be raised when `diffusion.probing` or the picture in `probe` changes."""

CONTENTS_VERSION = "sha256"

TRIED = ("kl", "tiny")
"""The networks that a trial can be run of."""


class Wanted(NamedTuple):
    """A file of which only a trial can say more, and the SHA-256 of its content."""

    path: Path
    content: str


class Survey:
    """What was read of the files, and the trials that were run, both kept in `folder`.

    `identities` is told what follows from all that. One process has a survey at a time; its methods
    block, and may be called by any thread.
    """

    def __init__(self, identities: Identities, folder: Path) -> None:
        self._identities = identities
        self._evidence_file = folder / "evidence.json"
        self._trials_file = folder / "trials.json"
        self._contents_file = folder / "contents.json"
        self._contents: dict[Stamp, str] = {}
        self._lock = threading.Lock()
        self._evidence: dict[Stamp, Evidence | None] | None = None
        self._trials: dict[str, Any] = {}
        self._untried: dict[str, str] = {}

    def look(
        self,
        files: Iterable[Stamp],
        spaces: Mapping[str, LatentSpace],
        check_cancel: Callable[[], None] = lambda: None,
        told: Callable[[], None] = lambda: None,
        reading: Callable[[Stamp], bool] = lambda stamp: True,
    ) -> bool:
        """Read what is new among the files and judge all that is known; True if an answer changed.

        `spaces` are all that are known. `told` is called whenever an answer changed on the way.
        `check_cancel` raises to stop; what was read until then is kept. `reading` says of a new
        file whether it is to be read now.
        """
        with self._lock:
            known = self._load()
            wanted = list(dict.fromkeys(files))
            # Files of another models folder that are still as they were witness, too.
            wanted += [stamp for stamp in known.keys() - set(wanted) if _is_current(stamp)]
            # Small files first: most answers come soon.
            new = sorted(
                (stamp for stamp in wanted if stamp not in known and reading(stamp)),
                key=lambda stamp: stamp.size,
            )
            changed = False
            try:
                for stamp in new:
                    known[stamp] = self._read(stamp, check_cancel)
                    if known[stamp] is not None and self._judge(wanted, spaces):
                        changed = True
                        told()
            finally:
                if new:
                    self._save(wanted)
            return self._judge(wanted, spaces) or changed

    def wanted(self, spaces: Mapping[str, LatentSpace]) -> list[Wanted]:
        """The files that should be tried: nothing measured says for certain what they are."""
        with self._lock:
            found: dict[str, Wanted] = {}
            for stamp, evidence in self._load().items():
                if evidence is None or evidence.network not in TRIED or not evidence.file:
                    continue
                surveyed = self._identities.surveyed(stamp)
                if surveyed is None or evidence.file in self._trials:
                    continue
                shape = (evidence.channels, evidence.downscale)
                fits = any((s.channels, s.downscale) == shape for s in spaces.values())
                if fits and combined(surveyed.findings).certainty != "certain":
                    found.setdefault(evidence.file, Wanted(Path(stamp.path), evidence.file))
            return list(found.values())

    def tried(self, content: str, trial: Mapping[str, Any] | None) -> None:
        """Keep what the trial of this content gave; None where it cannot be tried."""
        with self._lock:
            self._load()
            self._trials[content] = dict(trial) if trial is not None else None
            try:
                data = {"version": TRIALS_VERSION, "trials": self._trials}
                write_json(self._trials_file, data)
            except OSError as error:
                log.warning("the trial of a VAE could not be kept: %s", error)

    def untried(self, content: str, why: str) -> None:
        """Tell people, until the program ends or it is tried, why this content was not tried."""
        with self._lock:
            self._untried[content] = why

    def _judge(self, files: Iterable[Stamp], spaces: Mapping[str, LatentSpace]) -> bool:
        """Tell `identities` what follows from the evidence; the lock is held."""
        known = self._load()
        here = {stamp: item for stamp in files if (item := known.get(stamp)) is not None}
        teachers = {stamp: teacher for stamp, item in here.items() if (teacher := _teacher(item))}
        learned = _learned(here.values())
        surveyed = {}
        for stamp, item in here.items():
            others = [teacher for other, teacher in teachers.items() if other != stamp]
            findings = self._findings(stamp, item, others, learned, spaces)
            # A checkpoint that nothing contradicts is what its header says; no more is to be said.
            if item.kind in VAES or combined(findings).against:
                choices = _choices(item, spaces)
                surveyed[stamp] = Surveyed(item.file, findings, choices)
        return self._identities.keep(surveyed)

    def _findings(
        self,
        stamp: Stamp,
        item: Evidence,
        teachers: list[Teacher],
        learned: Mapping[str, KnownHash],
        spaces: Mapping[str, LatentSpace],
    ) -> tuple[Finding, ...]:
        found: list[Finding | None] = [item.header_finding]
        if item.kind in VAES:
            told = {ARCHITECTURE: item.architecture}
            found.append(hash_finding(item.file, item.tensors, learned))
            found.append(metadata_finding(told, config_beside(Path(stamp.path))))
            found.append(self._probed(item, spaces))
        if item.signature:
            found.append(signature_finding(item.signature, teachers))
        return tuple(finding for finding in found if finding is not None)

    def _probed(self, item: Evidence, spaces: Mapping[str, LatentSpace]) -> Finding | None:
        kept = self._trials.get(item.file)
        if kept is None:
            why = self._untried.get(item.file)
            said = f"it could not be tried: {why}"
            return None if why is None else Finding("probe", (), "unknown", said)
        try:
            trial = Trial.from_json(kept)
        except (KeyError, TypeError, ValueError):  # written by hand
            return None
        return probe_finding(trial, spaces, item.header)

    def _read(self, stamp: Stamp, check_cancel: Callable[[], None]) -> Evidence | None:
        """What the file says; None where it says nothing or cannot be read."""
        content = self._contents.get(stamp, "")
        try:
            return Evidence.of(Path(stamp.path), check_cancel, content)
        except (FileTrouble, OSError) as error:  # the catalogue tells people of it
            log.info("%s was not compared with others: %s", stamp.path, error)
            return None

    def _load(self) -> dict[Stamp, Evidence | None]:
        """What was read at earlier starts; the lock is held."""
        if self._evidence is None:
            self._evidence = {}
            # Hashes of whole files outlive a newer program, which reads the rest anew.
            contents = facts_cache.load(self._contents_file, CONTENTS_VERSION)
            self._contents = {stamp: str(row.get("sha256", "")) for stamp, row in contents.items()}
            try:
                for stamp, data in facts_cache.load(
                    self._evidence_file, evidence_version()
                ).items():
                    self._evidence[stamp] = Evidence.from_json(data) if data else None
                kept = json.loads(self._trials_file.read_text("utf-8"))
                if kept["version"] == TRIALS_VERSION:
                    self._trials = dict(kept["trials"])
            except FileNotFoundError:
                pass
            except (OSError, ValueError, TypeError, KeyError) as error:
                log.warning("what was read of the models is read again: %s", error)
        return self._evidence

    def _save(self, files: Iterable[Stamp]) -> None:
        """Keep the evidence of the files that are still there."""
        known = self._load()
        data = {
            stamp: item.to_json() if (item := known[stamp]) else {}
            for stamp in files
            if stamp in known
        }
        facts_cache.save(self._evidence_file, evidence_version(), data)
        contents = {
            stamp: {"sha256": item.file}
            for stamp in files
            if (item := known.get(stamp)) is not None and item.file
        }
        facts_cache.save(self._contents_file, CONTENTS_VERSION, contents)


def _is_current(stamp: Stamp) -> bool:
    """Whether the file is there and nobody has changed it."""
    try:
        return Stamp.of(Path(stamp.path)) == stamp
    except OSError:
        return False


def _teacher(item: Evidence) -> Teacher | None:
    """The witness that the file is for others, if it is one."""
    if not item.signature:
        return None
    if item.kind == "checkpoint":
        certain = len(item.header) == 1 and item.sure == "certain"
        return Teacher(item.header[0], item.name, item.signature, item.model) if certain else None
    known = known_hashes().files.get(item.file)
    if known is not None:
        return Teacher(known.space, item.name, item.signature, proven=True)
    if len(item.header) == 1 and item.sure == "certain":  # it declares its space itself
        return Teacher(item.header[0], item.name, item.signature, model=item.file)
    return None


def _learned(items: Iterable[Evidence]) -> dict[str, KnownHash]:
    """The tensors of files that are known as a whole: other copies of them are known by these."""
    files = known_hashes().files
    return {item.tensors: files[item.file] for item in items if item.tensors and item.file in files}


def _choices(item: Evidence, spaces: Mapping[str, LatentSpace]) -> tuple[str, ...]:
    """The spaces that a person may say the file speaks: those that its tensors leave."""
    if item.kind not in VAES or (len(item.header) == 1 and item.sure == "certain"):
        return ()
    if item.header:
        return item.header
    shape = (item.channels, item.downscale)
    return tuple(sorted(id_ for id_, s in spaces.items() if (s.channels, s.downscale) == shape))
