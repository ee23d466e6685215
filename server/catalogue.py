"""Which model files there are and what each of them is, for the checker and the API."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diffusion.spaces import LatentSpace, TextSpace
from graph.definition import Axis
from graph.files import FileFacts
from server import facts_cache
from server.catalogue_advice import advice_for, picture_size
from server.catalogue_embeddings import EmbeddingFiles
from server.catalogue_fit import misfit
from server.catalogue_identity import Identities, identified
from server.catalogue_known import Known, flaws_of, rules_version
from server.catalogue_latents import latent_facts
from server.catalogue_reading import known_files
from server.catalogue_spaces import Spaces
from server.model_folders import INPUT, LATENTS, FileRefused, ModelFolders, Place, Stamp


class Catalogue(EmbeddingFiles):
    """The files below several roots of models, one folder of pictures and places of latents.

    It is safe to share by threads, and implements `graph.files.Files`. Nothing is opened until it
    is asked for or `refresh` runs, and no file twice while it stays as it is: what is known is kept
    in `cache_file`.
    """

    def __init__(
        self,
        model_folders: Sequence[Path],
        input_folder: Path,
        cache_file: Path,
        latents: Sequence[Path] = (),
        identities: Identities | None = None,
    ) -> None:
        """`identities`: what a survey found of the files, beside their headers."""
        self._identities = identities
        self.machine_with: Callable[[str, str], str | None] = lambda folder, name: None
        """Another machine that has a file which is not here, as people call it."""
        self._folders = ModelFolders(model_folders, input_folder, latents)
        self._cache_file = Path(cache_file)
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._places: dict[str, dict[str, Place]] = {}
        self._known: dict[Stamp, Known] | None = None  # None: the cache file is not read yet
        self._spaces = Spaces()

    # What the checker asks

    def facts(self, folder: str, name: str) -> FileFacts | None:
        """What the file is, or None where there is no such file."""
        try:
            path = self._folders.find(folder, name)
            stamp = Stamp.of(path)
        except FileRefused as refused:
            if name in self._all(folder):  # listed, but a link that leads out
                return FileFacts(name=name, kind="unknown", trouble=str(refused))
            machine = self.machine_with(folder, name)
            return None if machine is None else _elsewhere(folder, name, machine)
        except OSError:
            return None
        if folder == INPUT:
            size = picture_size(stamp)
            return FileFacts(name=name, kind="image", content=stamp.content, size=size)
        if folder == LATENTS:
            return latent_facts(name, stamp, self.latent_spaces())
        return self._described(folder, name, stamp, self._known_of(path, stamp))

    def names(self, folder: str) -> Sequence[str]:
        """The names in the folder that a widget may hold, sorted."""
        return list(self._all(folder))

    def fits(self, axis: Axis, space: str, other: str) -> bool:
        """Whether values of one space have the shape of the other's, as far as that is known."""
        return self._spaces.fits(axis, space, other)

    def space_title(self, axis: Axis, space: str) -> str:
        """The space's name for people; the id itself where no file and no family has it."""
        return self._spaces.title(axis, space)

    # What the server asks

    def resolve(self, folder: str, name: str) -> Path:
        """Where the file lies. Raises `FileRefused`, also for a name that leads elsewhere."""
        return self._folders.find(folder, name)

    def is_inside(self, path: Path) -> bool:
        """Whether the file lies below one of the folders, links resolved."""
        return self._folders.is_inside(path)

    def latent_space(self, space: str) -> LatentSpace | None:
        return self.latent_spaces().get(space)

    def text_space(self, space: str) -> TextSpace | None:
        return self.text_spaces().get(space)

    def latent_spaces(self) -> Mapping[str, LatentSpace]:
        """The built-in latent spaces and those that files declare, by id."""
        return self._spaces.latent()

    def text_spaces(self) -> Mapping[str, TextSpace]:
        """The built-in text spaces and those that files declare, by id."""
        return self._spaces.text()

    def listing(self) -> dict[str, list[dict[str, Any]]]:
        """Every file of every folder: its facts, and a title.

        While the folders are looked at, what is not read yet is left out: nobody waits for it.
        """
        waits = self._refreshing.locked()
        return {
            folder: [
                {**facts.model_dump(mode="json"), "title": Path(name).stem}
                for name in self.names(folder)
                if not (waits and self._is_new(folder, name))
                and (facts := self.facts(folder, name)) is not None
            ]
            for folder in self._folders.folders
        }

    def known(self) -> Mapping[Stamp, Known]:
        """Every model file that the last `refresh` saw, and what its header says."""
        with self._lock:
            return dict(self._known or {})

    def refresh(self) -> bool:
        """Look at the folders again and read what is new; True if anything changed.

        It blocks while it reads headers: call it from a thread of its own.
        """
        with self._refreshing:
            places = {folder: self._folders.places(folder) for folder in self._folders.folders}
            stamps = [
                (stamp, place)
                for folder, found in places.items()
                if folder not in (INPUT, LATENTS)
                for place in found.values()
                if not place.outside and (stamp := _stamp(place.path)) is not None
            ]
            known, new = self._known_all(stamps)
            with self._lock:
                before = self._known or {}
                stale = new or known.keys() != before.keys()
                changed = stale or places != self._places
                self._places, self._known = places, known
            self._spaces.declare_all((stamp.path, facts) for stamp, facts in known.items())
            if stale or not self._cache_file.exists():
                self._save(known)
            return changed

    def refresh_in_background(self, then: Callable[[], None] = lambda: None) -> threading.Thread:
        """`refresh` in a thread of its own; `then` is called in that thread if anything changed."""

        def work() -> None:
            if self.refresh():
                then()

        thread = threading.Thread(target=work, name="catalogue", daemon=True)
        thread.start()
        return thread

    # How it knows

    def _is_new(self, folder: str, name: str) -> bool:
        """Whether the file is a model that has not been read yet."""
        place = self._all(folder).get(name)
        stamp = _stamp(place.path) if place and folder not in (INPUT, LATENTS) else None
        with self._lock:
            if self._known is None:
                self._known = self._load()
            return stamp is not None and stamp not in self._known

    def _all(self, folder: str) -> dict[str, Place]:
        with self._lock:
            found = self._places.get(folder)
        if found is None:
            found = self._folders.places(folder)
            with self._lock:
                self._places.setdefault(folder, found)
        return found

    def _known_of(self, path: Path, stamp: Stamp) -> Known:
        with self._lock:
            if self._known is None:
                self._known = self._load()
            known = self._known.get(stamp)
        # Whether all pieces of a model are there cannot be seen from the stamp of one.
        if known is None or known.reason == "piece":
            known = Known.of(path)
            with self._lock:
                self._known = self._known or {}
                self._known[stamp] = known
            self._spaces.declare(stamp.path, known)
        return known

    def _known_all(self, stamps: Sequence[tuple[Stamp, Place]]) -> tuple[dict[Stamp, Known], bool]:
        """What every file is, and whether any was read: the new ones are."""
        with self._lock:
            if self._known is None:
                self._known = self._load()
            known = {stamp: self._known.get(stamp) for stamp, _ in stamps}
        new = [
            (stamp, place.path)
            for stamp, place in stamps
            if (found := known[stamp]) is None or found.reason == "piece"
        ]
        for (stamp, _), found in zip(new, known_files([path for _, path in new]), strict=True):
            known[stamp] = found
            with self._lock:  # at once, for those who ask meanwhile
                self._known[stamp] = found
            self._spaces.declare(stamp.path, found)
        return {stamp: found for stamp, found in known.items() if found is not None}, bool(new)

    def _described(self, folder: str, name: str, stamp: Stamp, known: Known) -> FileFacts:
        bad = misfit(folder, name, known)
        found: dict[Axis, tuple[str, ...]] = {}
        if known.latent:
            found["latent"] = known.latent
        if text := known.text or self.spaces_for(known):
            found["text"] = text
        facts = FileFacts(
            name=name,
            kind=known.kind,
            family=known.family,
            spaces=found,
            parts=known.parts,
            content=stamp.content,
            evidence=known.evidence,
            certainty=known.certainty,
            advice=advice_for(known.family, known.latent),
            lacks=known.lacks,
            flaws=flaws_of(known),
            trouble=known.trouble or (bad.sentence if bad else self._spaces.clash(name, known)),
            code=bad.code if bad and not known.trouble else "unusable_file",
            reason=known.reason or (bad.reason if bad else ""),
            vectors=max((item.tokens for item in known.vectors), default=0),
        )
        if self._identities is None:
            return facts
        surveyed = self._identities.surveyed(stamp)
        return identified(
            facts, surveyed, self._identities, lambda id_: self.space_title("latent", id_)
        )

    def _load(self) -> dict[Stamp, Known]:
        try:
            found = facts_cache.load(self._cache_file, rules_version())
            return {stamp: Known.from_json(data) for stamp, data in found.items()}
        except (TypeError, KeyError, ValueError):  # written by hand
            return {}

    def _save(self, known: Mapping[Stamp, Known]) -> None:
        data = {stamp: asdict(facts) for stamp, facts in known.items()}
        facts_cache.save(self._cache_file, rules_version(), data)


def _elsewhere(folder: str, name: str, machine: str) -> FileFacts:
    """Of a model file that another machine has, and this one has not."""
    sentence = (
        f"it is on the machine {machine}, but not on this one. Copy or link it into the folder "
        f"{folder!r} here as well: what a file is, is read here."
    )
    return FileFacts(name=name, kind="unknown", trouble=sentence, code="missing_file")


def _stamp(path: Path) -> Stamp | None:
    try:
        return Stamp.of(path)
    except OSError:  # it was deleted a moment ago
        return None
