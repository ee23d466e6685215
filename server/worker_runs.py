"""Run workflows: check, plan, execute, and say how each ended."""

import contextlib
import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from diffusion.together import Member, Together
from graph.cancel import Cancel
from graph.execute import execute
from graph.expand import Expander
from graph.migrations import load
from graph.plan import Plan, Unplannable
from graph.subgraphs import Flat
from server.catalogue import Catalogue
from server.model_folders import FileRefused
from server.settings import Settings
from server.worker_answers import Answers
from server.worker_engine import examine, explain
from server.worker_inbox import Send
from server.worker_library import library_version
from server.worker_messages import Ended, Library, Ready, Start
from server.worker_telling import Telling
from server.worker_workshop import Workshop

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Runs that a graphics card samples together, where nobody said how many."""


class Runner:
    """Everything that a worker process does. `options` may hold:

    `output`: the folder where pictures go, in place of the settings'. `results`: that of kept
    results, likewise. `modules`, for tests: names of the modules whose nodes there are, in place of
    the program's own; then no engine is made.
    """

    def __init__(self, settings: Settings, send: Send, options: Mapping[str, Any]) -> None:
        self._settings = settings
        self._send = send
        self._telling = Telling(send)
        self._shop = Workshop(settings, self._telling.note, options)
        self.answer = Answers(self._shop).answer
        """Gives what was asked, also while a run is on."""

    def announce(self) -> None:
        """Tell the server which nodes there are, and that runs may come."""
        shop = self._shop
        version = "test" if shop.engine is None else library_version(self._settings)
        nodes = dict(shop.registry.definitions)
        self._send(Library(version=version, nodes=nodes, packs=shop.packs))
        if shop.engine is None:
            self._send(Ready())
            return
        pays = AT_ONCE if shop.engine.device.type == "cuda" else 1
        together = self._settings.together or pays
        self._send(Ready(device=shop.engine.describe(), together=together))

    def run_together(self, starts: Sequence[Start], wishes: Sequence[Cancel]) -> None:
        """Run the workflows at the same time, their models' calls joined; as `run` for each."""
        meeting = Together(len(starts))

        def take_part(number: int) -> None:
            with meeting.member(number) as member:
                self.run(starts[number], wishes[number], member)

        threads = [Thread(target=take_part, args=(number,)) for number in range(len(starts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log.info("%d calls of models were joined in %d runs.", meeting.joined, len(starts))

    def run(self, start: Start, wish: Cancel, member: Member | None = None) -> None:
        """Run the workflow, and say how it ended; whatever goes wrong is told, never raised."""
        try:
            ended = self._run(start, wish, member)
        except Exception as error:  # noqa: BLE001  the process lives on, and the log says why
            traceback.print_exc()
            message = f"The run could not be started: {type(error).__name__}: {error}"
            ended = Ended(run=start.run, status="failed", error=message)
        self._send(ended)

    def _run(self, start: Start, wish: Cancel, member: Member | None) -> Ended:
        shop = self._shop
        workflow = load(start.workflow).workflow  # the queue may be older than the program
        engine = shop.engine_key if member is None else shop.key_together
        try:
            steps = shop.plan(workflow, start.wanted, engine)
        except Unplannable as error:
            return Ended(run=start.run, status="failed", error=str(error))
        shop.contents.begin(_files_of(steps, shop.catalogue))
        definitions = shop.registry.definitions
        flat = Flat(workflow, definitions)
        shop.remember(start.run, flat, steps.keys)
        saved = start.saved or start.workflow
        context = shop.context(start.run, saved, flat.workflow, steps, member)
        expander = Expander(workflow, definitions, shop.recheck, shop.catalogue, engine)

        with self._telling.of(context) as emit:
            outcome = execute(
                steps,
                shop.registry.functions,
                shop.cache,
                services=context.service,
                resolve_file=shop.catalogue.resolve,
                emit=emit,
                cancel=wish,
                join=expander,
                explain=explain,
                examine=examine,
            )
        if outcome.failure is None:
            return Ended(run=start.run, status=outcome.status)
        log.error("Run %s failed.\n%s", start.run, outcome.failure.traceback)
        return Ended(run=start.run, status=outcome.status, error=outcome.failure.message)


def _files_of(steps: Plan, catalogue: Catalogue) -> Iterator[Path]:
    """Every file that the plan's nodes name."""
    for step in steps.steps.values():
        for folder, name in step.files():
            with contextlib.suppress(FileRefused, OSError):  # the checker has told of it
                yield catalogue.resolve(folder, name)
