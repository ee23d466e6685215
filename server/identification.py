"""Find out beside everything else what the model files are, and tell the pages as answers come."""

import asyncio
import logging
import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from server.catalogue import Catalogue
from server.catalogue_identity import Identities
from server.hub import EventHub
from server.model_folders import Stamp
from server.worker_questions import Tried

if TYPE_CHECKING:
    from server.catalogue_survey import Survey

log = logging.getLogger(__name__)


GIVEN_UP = "its worker died over it, or took too long"


class CannotSay(Exception):
    """A statement about a file that cannot be true; the message is a sentence."""


class Stopped(Exception):
    """The program ends; raised in the thread that reads files."""


class Trials(Protocol):
    """Where VAEs are tried; None where the worker died over it or took too long."""

    async def ask(self, path: str) -> Tried | None: ...


class Identification:
    """Surveys the files after every look at the folders, then has the doubtful VAEs tried.

    Every change of an answer is published as `models`, after which pages ask again.
    """

    def __init__(
        self,
        identities: Identities,
        cache: Path,
        catalogue: Catalogue,
        trials: Trials,
        hub: EventHub,
    ) -> None:
        """`cache` is the folder for what was read, `trials` where VAEs are tried."""
        self._identities = identities
        self._cache = cache
        self._catalogue = catalogue
        self._trials = trials
        self._hub = hub
        self._wish = asyncio.Event()
        self._ending = threading.Event()
        self._given_up: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work through wishes; returns at once."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """End, in the middle of a file if need be; what is known is kept."""
        self._ending.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @cached_property
    def _survey(self) -> "Survey":
        # Imported in the thread that uses it: numpy is not loaded before the page is served.
        from server.catalogue_survey import Survey

        return Survey(self._identities, self._cache)

    def look(self) -> None:
        """Survey the files soon; returns at once."""
        self._wish.set()

    async def say(self, folder: str, name: str, space: str | None) -> None:
        """Keep what a person said of the file, or forget it where `space` is None.

        Raises `CannotSay` where its header says what it is or leaves no such space,
        `FileRefused` where there is no such file, and `OSError`.
        """
        path = self._catalogue.resolve(folder, name)
        stamp = await asyncio.to_thread(Stamp.of, path)
        await self._look([stamp])
        found = self._identities.surveyed(stamp)
        if found is None or not found.content:
            raise CannotSay(f"{name} is not a VAE that could be read, so there is nothing to say.")
        if space is not None and space not in found.choices:
            titles = [self._catalogue.space_title("latent", id_) for id_ in found.choices]
            title = self._catalogue.space_title("latent", space)
            why = f"it could be {' or '.join(titles)}" if titles else "its header says what it is"
            raise CannotSay(f"{name} cannot be {title}: {why}.")
        statements = self._identities.statements
        await asyncio.to_thread(statements.say, found.content, space, f"{folder}/{name}")
        self._changed()

    async def _work(self) -> None:
        while True:
            await self._wish.wait()
            self._wish.clear()
            try:
                await self._look()
                await self._try()
            except Exception:  # nobody waits for this task, and the next look may do
                log.exception("The model files could not be compared.")

    async def _look(self, also: list[Stamp] | None = None) -> None:
        loop = asyncio.get_running_loop()

        def told() -> None:
            loop.call_soon_threadsafe(self._changed)

        def work() -> bool:
            files = dict.fromkeys((*(also or ()), *self._catalogue.known()))
            spaces = self._catalogue.latent_spaces()
            return self._survey.look(files, spaces, self._check, told)

        if await asyncio.to_thread(work):
            self._changed()

    async def _try(self) -> None:
        """Have every file tried that a trial can say more of."""
        spaces = self._catalogue.latent_spaces()
        for wanted in await asyncio.to_thread(lambda: self._survey.wanted(spaces)):
            if wanted.content in self._given_up:
                continue
            answer = await self._trials.ask(str(wanted.path))
            if answer is None:  # it may have cost the worker its life: not twice at one start
                self._given_up.add(wanted.content)
                log.warning("The trial of %s was given up.", wanted.path)
                await asyncio.to_thread(self._survey.untried, wanted.content, GIVEN_UP)
                await self._look()
                continue
            if answer.is_absent:  # it is asked again at the next look
                await asyncio.to_thread(self._survey.untried, wanted.content, answer.trouble)
                await self._look()
                continue
            if answer.trial is None:
                log.info("%s cannot be tried: %s", wanted.path, answer.trouble)
            await asyncio.to_thread(self._survey.tried, wanted.content, answer.trial)
            await self._look()

    def _changed(self) -> None:
        self._hub.publish({"type": "models"})

    def _check(self) -> None:
        if self._ending.is_set():
            raise Stopped
