"""Run workflows: check, plan, execute, and keep results for the next run and for questions."""

import contextlib
import logging
import traceback
from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from diffusion.together import Member, Together
from graph.cache import NotKept
from graph.cancel import Cancel
from graph.check import check
from graph.definition import NodeDefinition
from graph.execute import execute
from graph.expand import Expander
from graph.migrations import load
from graph.plan import Bindings, Engine, Forecast, Plan, Unplannable, plan
from graph.problem import Problem
from graph.subgraphs import Flat
from graph.workflow import Workflow
from nodes.sockets import Clip, size_in_bytes
from server.catalogue import Catalogue
from server.catalogue_identity import identities_of
from server.content_hashes import content_hashes_of
from server.model_folders import FileRefused
from server.queue.rows import with_changes
from server.settings import Settings
from server.worker_disk_cache import DiskCache, LayeredCache
from server.worker_engine import engine_of, examine, explain, tokenizer_folders
from server.worker_forecast import Memory, memory_needed
from server.worker_inbox import Send
from server.worker_library import library_version
from server.worker_memory import freed, memory_report
from server.worker_messages import (
    AskPlan,
    AskTokens,
    AskValue,
    Ended,
    Library,
    MemoryReport,
    Planned,
    Question,
    Ready,
    Start,
    Tokens,
    Value,
)
from server.worker_packs import core_modules, core_nodes, pack_nodes
from server.worker_services import RunContext
from server.worker_telling import Telling
from server.worker_tokens import clip_wire, counted, is_quick
from server.worker_values import describe_value

log = logging.getLogger(__name__)

CACHE_BYTES = 2 * 2**30
"""Memory for results; a picture of 1024 x 1024 takes 12 MiB."""

DISK_BYTES = 4 * 2**30
"""Room on the disk for results, so that a run that was cut off goes on from its last node."""

AT_ONCE = 4
"""Runs that a graphics card samples together, where nobody said how many."""

REMEMBERED = 50
"""Runs whose values can be asked for, as long as the cache has them."""


class Runner:
    """Everything that a worker process does. `options` may hold:

    `output`: the folder where pictures go, in place of the settings'. `results`: that of kept
    results, likewise. `modules`, for tests: names
    of the modules whose nodes there are, in place of the program's own; then no engine is made.
    """

    def __init__(self, settings: Settings, send: Send, options: Mapping[str, Any]) -> None:
        self._settings = settings
        self._send = send
        self._telling = Telling(send)
        self._output = Path(options.get("output", settings.output))
        modules: Sequence[str] | None = options.get("modules")
        self._engine = engine_of(settings, self._telling.note) if modules is None else None
        own = core_nodes(core_modules() if modules is None else modules)
        others, self._packs = pack_nodes(settings.custom_nodes)
        self._registry = own | others
        identities = identities_of(settings)
        self._catalogue = Catalogue(
            settings.models,
            settings.input,
            settings.cache / "models.json",
            settings.latents,
            identities,
        )
        self._contents = content_hashes_of(settings, identities)
        self._catalogue.refresh_in_background()
        on_disk = DiskCache(Path(options.get("results", settings.results)), DISK_BYTES)
        self._cache = LayeredCache(CACHE_BYTES, size_in_bytes, on_disk)
        self._runs: OrderedDict[str, tuple[Flat, Mapping[str, str]]] = OrderedDict()

    def announce(self) -> None:
        """Tell the server which nodes there are, and that runs may come."""
        version = "test" if self._engine is None else library_version(self._settings)
        nodes = dict(self._registry.definitions)
        self._send(Library(version=version, nodes=nodes, packs=self._packs))
        if self._engine is None:
            self._send(Ready())
            return
        pays = AT_ONCE if self._engine.device.type == "cuda" else 1
        together = self._settings.together or pays
        self._send(Ready(device=self._engine.describe(), together=together))

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

    def answer(self, asked: Question) -> Value | Planned | Tokens | MemoryReport:
        """What was asked, also while a run is on."""
        match asked:
            case AskValue():
                return self.value(asked)
            case AskPlan():
                return self.planned(asked)
            case AskTokens():
                return self.tokens(asked)
        size = 0 if asked.free is None else freed(self._engine, self._cache, asked.free)
        report = memory_report(asked.id, self._engine, self._cache)
        return report.model_copy(update={"freed": size})

    def planned(self, asked: AskPlan) -> Planned:
        """What runs would find in the cache, and what they would have to do."""
        forecast, done = Forecast(0, 0, 0), Done(self._cache)
        memory = Memory(0, 0, 0)
        runs: list[tuple[str, ...]] = []
        try:
            for changes in asked.cases:
                workflow = load(with_changes(asked.workflow, changes)).workflow
                steps = self._plan(workflow, asked.wanted)
                if not runs:
                    forecast = steps.cached(self._cache)
                    running = steps.to_run(self._cache)
                    memory = memory_needed(steps, running, self._catalogue, self._engine)
                computed = steps.to_run(done)
                runs.append(tuple(steps.steps[key].nodes[0] for key in computed))
                done.keys.update(computed)
        except Unplannable as error:
            return Planned(id=asked.id, refused=str(error))
        except Exception as error:  # noqa: BLE001  a question must not end the process
            traceback.print_exc()
            return Planned(id=asked.id, refused=f"{type(error).__name__}: {error}")
        return Planned(id=asked.id, **forecast._asdict(), **memory._asdict(), runs=tuple(runs))

    def tokens(self, asked: AskTokens) -> Tokens:
        """How the text encoders that are wired to the node would read the text."""
        try:
            clip = self._clip(asked)
        except Unplannable as error:
            return Tokens(id=asked.id, trouble=str(error))
        except Exception as error:  # noqa: BLE001  a question must not end the process
            traceback.print_exc()
            return Tokens(id=asked.id, trouble=f"{type(error).__name__}: {error}")
        if clip is None:
            return Tokens(id=asked.id, trouble="No text encoder is wired to this node yet.")
        held = self._catalogue.held(asked.text)
        return counted(asked.id, clip, asked.text, tokenizer_folders(self._settings), held)

    def _clip(self, asked: AskTokens) -> Clip[Any] | None:
        """The recipe on the node's Clip wire. Only nodes that name files are run for it."""
        definitions = self._registry.definitions
        workflow = Flat(load(asked.workflow).workflow, definitions).workflow
        placed = workflow.nodes.get(asked.node)
        definition = definitions.get(placed.type) if placed else None
        wire = clip_wire(workflow, asked.node, definition) if definition else None
        if wire is None:
            return None
        steps = self._plan(workflow, [wire.node])
        if not is_quick(steps):
            raise Unplannable("The text encoder comes from a node that has to be run first.")
        context = self._context("tokens", asked.workflow, workflow, steps)
        outcome = execute(
            steps,
            self._registry.functions,
            self._cache,
            services=context.service,
            resolve_file=self._catalogue.resolve,
            emit=lambda event: None,
            cancel=Cancel(),
        )
        if outcome.failure is not None:
            raise Unplannable(outcome.failure.message)
        value = self._cache.value(steps.keys[wire.node], wire.output)
        return value if isinstance(value, Clip) else None

    def value(self, asked: AskValue) -> Value:
        """The value that a node gave, written where the server finds it."""
        gone = Value(id=asked.id, kind="gone")
        try:
            flat, keys = self._runs[asked.run]
            source = flat.given(asked.node, asked.output)
            if source is None:
                return gone
            value = self._cache.value(keys[source.node], source.output)
            kind, file, data = describe_value(value, self._settings, self._catalogue, asked)
        except (NotKept, KeyError):
            return gone
        except Exception:  # noqa: BLE001  a value of anybody's node must not end the process
            traceback.print_exc()
            return gone
        return Value(id=asked.id, kind=kind, file=file, data=data)

    def _run(self, start: Start, wish: Cancel, member: Member | None) -> Ended:
        workflow = load(start.workflow).workflow  # the queue may be older than the program
        engine = self._engine_key if member is None else self._key_together
        try:
            steps = self._plan(workflow, start.wanted, engine)
        except Unplannable as error:
            return Ended(run=start.run, status="failed", error=str(error))
        self._contents.begin(_files_of(steps, self._catalogue))
        definitions = self._registry.definitions
        flat = Flat(workflow, definitions)
        self._remember(start.run, flat, steps.keys)
        saved = start.saved or start.workflow
        context = self._context(start.run, saved, flat.workflow, steps, member)
        expander = Expander(workflow, definitions, self._recheck, self._catalogue, engine)

        with self._telling.of(context) as emit:
            outcome = execute(
                steps,
                self._registry.functions,
                self._cache,
                services=context.service,
                resolve_file=self._catalogue.resolve,
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

    def _context(
        self,
        run: str,
        saved: Mapping[str, Any],
        workflow: Workflow,
        steps: Plan,
        member: Member | None = None,
    ) -> RunContext:
        return RunContext(
            run=run,
            saved=saved,
            workflow=workflow,
            plan=steps,
            settings=self._settings,
            output=self._output,
            catalogue=self._catalogue,
            engine=self._engine,
            contents=self._contents,
            member=member,
        )

    @property
    def _engine_key(self) -> str:
        return "" if self._engine is None else self._engine.key

    def _key_together(self, definition: NodeDefinition) -> str:
        """Of what may be computed in one batch with others, so that it never stands in for what
        is computed alone: nodes that are wired to a model and load it."""
        wired = any(item.term.kind == "Model" for item in definition.inputs)
        samples = wired and "Models" in definition.services.values()
        return f"{self._engine_key}-together" if samples else self._engine_key

    def _plan(
        self, workflow: Workflow, wanted: Sequence[str] | None, engine: Engine | None = None
    ) -> Plan:
        """The steps for the wanted nodes; raises `Unplannable`, saying what blocks."""
        return plan(
            workflow,
            self._registry.definitions,
            self._recheck(workflow, wanted),
            wanted=wanted,
            files=self._catalogue,
            engine=self._engine_key if engine is None else engine,
        )

    def _recheck(self, workflow: Workflow, wanted: Sequence[str] | None) -> Bindings:
        checked = check(workflow, self._registry.definitions, self._catalogue, wanted=wanted)
        if not checked.runnable:
            raise Unplannable(_sentences(checked.blocking))
        return checked.bindings

    def _remember(self, run: str, flat: Flat, keys: Mapping[str, str]) -> None:
        self._runs[run] = flat, keys
        while len(self._runs) > REMEMBERED:
            self._runs.popitem(last=False)


class Done:
    """The keys of a cache, and those that earlier runs will have added by then."""

    def __init__(self, cache: Container[str]) -> None:
        self._cache = cache
        self.keys: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self.keys or key in self._cache


def _files_of(steps: Plan, catalogue: Catalogue) -> Iterator[Path]:
    """Every file that the plan's nodes name."""
    for step in steps.steps.values():
        for folder, name in step.files():
            with contextlib.suppress(FileRefused, OSError):  # the checker has told of it
                yield catalogue.resolve(folder, name)


def _sentences(problems: Sequence[Problem]) -> str:
    errors = [problem.message for problem in problems]
    return " ".join(errors[:5]) + (f" And {len(errors) - 5} more." if len(errors) > 5 else "")
