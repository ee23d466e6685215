"""What a worker answers, also while a run is on: values, plans, tokens, its memory."""

import traceback
from collections.abc import Container
from typing import Any

from graph.cache import NotKept
from graph.cancel import Cancel
from graph.execute import execute
from graph.migrations import load
from graph.plan import Forecast, Unplannable
from graph.subgraphs import Flat
from nodes.sockets import Clip
from server.queue.rows import with_changes
from server.worker_engine import tokenizer_folders
from server.worker_forecast import Memory, memory_needed
from server.worker_memory import freed, memory_report
from server.worker_questions import (
    AskPlan,
    AskTokens,
    AskValue,
    MemoryReport,
    Planned,
    Question,
    Tokens,
    Value,
)
from server.worker_tokens import clip_wire, counted, is_quick
from server.worker_values import describe_value
from server.worker_workshop import Workshop


class Answers:
    """See above. Whatever goes wrong is an answer, too."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop

    def answer(self, asked: Question) -> Value | Planned | Tokens | MemoryReport:
        """What was asked, also while a run is on."""
        match asked:
            case AskValue():
                return self.value(asked)
            case AskPlan():
                return self.planned(asked)
            case AskTokens():
                return self.tokens(asked)
        size = 0 if asked.free is None else freed(self._shop.engine, self._shop.cache, asked.free)
        report = memory_report(asked.id, self._shop.engine, self._shop.cache)
        return report.model_copy(update={"freed": size})

    def planned(self, asked: AskPlan) -> Planned:
        """What runs would find in the cache, and what they would have to do."""
        forecast, done = Forecast(0, 0, 0), Done(self._shop.cache)
        memory = Memory(0, 0, 0)
        runs: list[tuple[str, ...]] = []
        try:
            for changes in asked.cases:
                workflow = load(with_changes(asked.workflow, changes)).workflow
                steps = self._shop.plan(workflow, asked.wanted)
                if not runs:
                    forecast = steps.cached(self._shop.cache)
                    running = steps.to_run(self._shop.cache)
                    memory = memory_needed(steps, running, self._shop.catalogue, self._shop.engine)
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
        held = self._shop.catalogue.held(asked.text)
        return counted(asked.id, clip, asked.text, tokenizer_folders(self._shop.settings), held)

    def _clip(self, asked: AskTokens) -> Clip[Any] | None:
        """The recipe on the node's Clip wire. Only nodes that name files are run for it."""
        definitions = self._shop.registry.definitions
        workflow = Flat(load(asked.workflow).workflow, definitions).workflow
        placed = workflow.nodes.get(asked.node)
        definition = definitions.get(placed.type) if placed else None
        wire = clip_wire(workflow, asked.node, definition) if definition else None
        if wire is None:
            return None
        steps = self._shop.plan(workflow, [wire.node])
        if not is_quick(steps):
            raise Unplannable("The text encoder comes from a node that has to be run first.")
        context = self._shop.context("tokens", asked.workflow, workflow, steps)
        outcome = execute(
            steps,
            self._shop.registry.functions,
            self._shop.cache,
            services=context.service,
            resolve_file=self._shop.catalogue.resolve,
            emit=lambda event: None,
            cancel=Cancel(),
        )
        if outcome.failure is not None:
            raise Unplannable(outcome.failure.message)
        value = self._shop.cache.value(steps.keys[wire.node], wire.output)
        return value if isinstance(value, Clip) else None

    def value(self, asked: AskValue) -> Value:
        """The value that a node gave, written where the server finds it."""
        gone = Value(id=asked.id, kind="gone")
        try:
            flat, keys = self._shop.runs[asked.run]
            source = flat.given(asked.node, asked.output)
            if source is None:
                return gone
            value = self._shop.cache.value(keys[source.node], source.output)
            kind, file, data = describe_value(
                value, self._shop.settings, self._shop.catalogue, asked
            )
        except (NotKept, KeyError):
            return gone
        except Exception:  # noqa: BLE001  a value of anybody's node must not end the process
            traceback.print_exc()
            return gone
        return Value(id=asked.id, kind=kind, file=file, data=data)


class Done:
    """The keys of a cache, and those that earlier runs will have added by then."""

    def __init__(self, cache: Container[str]) -> None:
        self._cache = cache
        self.keys: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self.keys or key in self._cache
