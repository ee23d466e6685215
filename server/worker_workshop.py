"""What a worker works with: nodes, files, an engine, kept results; and how it plans with them."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diffusion.together import Member
from graph.check import check
from graph.definition import NodeDefinition
from graph.plan import Bindings, Engine, Plan, Unplannable
from graph.plan import plan as planned
from graph.problem import Problem
from graph.subgraphs import Flat
from graph.workflow import Workflow
from nodes.sockets import size_in_bytes
from server.catalogue import Catalogue
from server.catalogue_identity import identities_of
from server.content_hashes import content_hashes_of
from server.settings import Settings
from server.worker_disk_cache import DiskCache, LayeredCache
from server.worker_engine import engine_of
from server.worker_packs import core_modules, core_nodes, pack_nodes
from server.worker_services import RunContext

CACHE_BYTES = 2 * 2**30
"""Memory for results; a picture of 1024 x 1024 takes 12 MiB."""

DISK_BYTES = 4 * 2**30
"""Room on the disk for results, so that a run that was cut off goes on from its last node."""

REMEMBERED = 50
"""Runs whose values can be asked for, as long as the cache has them."""


class Workshop:
    """See above. `note` is told what the engine did otherwise than asked; `options` are those of
    `server.worker_runs.Runner`."""

    def __init__(
        self, settings: Settings, note: Callable[[str], None], options: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.output = Path(options.get("output", settings.output))
        modules: Sequence[str] | None = options.get("modules")
        self.engine = engine_of(settings, note) if modules is None else None
        own = core_nodes(core_modules() if modules is None else modules)
        others, self.packs = pack_nodes(settings.custom_nodes)
        self.registry = own | others
        identities = identities_of(settings)
        self.catalogue = Catalogue(
            settings.models,
            settings.input,
            settings.cache / "models.json",
            settings.latents,
            identities,
        )
        self.contents = content_hashes_of(settings, identities)
        self.catalogue.refresh_in_background()
        on_disk = DiskCache(Path(options.get("results", settings.results)), DISK_BYTES)
        self.cache = LayeredCache(CACHE_BYTES, size_in_bytes, on_disk)
        self.runs: OrderedDict[str, tuple[Flat, Mapping[str, str]]] = OrderedDict()

    def context(
        self,
        run: str,
        saved: Mapping[str, Any],
        workflow: Workflow,
        steps: Plan,
        member: Member | None = None,
    ) -> RunContext:
        """What the services of a run's nodes know of it."""
        return RunContext(
            run=run,
            saved=saved,
            workflow=workflow,
            plan=steps,
            settings=self.settings,
            output=self.output,
            catalogue=self.catalogue,
            engine=self.engine,
            contents=self.contents,
            member=member,
        )

    @property
    def engine_key(self) -> str:
        """What results follow from beside their workflow; "" without an engine."""
        return "" if self.engine is None else self.engine.key

    def key_together(self, definition: NodeDefinition) -> str:
        """Of what may be computed in one batch with others, so that it never stands in for what
        is computed alone: nodes that are wired to a model and load it."""
        wired = any(item.term.kind == "Model" for item in definition.inputs)
        samples = wired and "Models" in definition.services.values()
        return f"{self.engine_key}-together" if samples else self.engine_key

    def plan(
        self, workflow: Workflow, wanted: Sequence[str] | None, engine: Engine | None = None
    ) -> Plan:
        """The steps for the wanted nodes; raises `Unplannable`, saying what blocks."""
        return planned(
            workflow,
            self.registry.definitions,
            self.recheck(workflow, wanted),
            wanted=wanted,
            files=self.catalogue,
            engine=self.engine_key if engine is None else engine,
        )

    def recheck(self, workflow: Workflow, wanted: Sequence[str] | None) -> Bindings:
        """What the checker makes of the workflow's types; raises `Unplannable`."""
        checked = check(workflow, self.registry.definitions, self.catalogue, wanted=wanted)
        if not checked.runnable:
            raise Unplannable(_sentences(checked.blocking))
        return checked.bindings

    def remember(self, run: str, flat: Flat, keys: Mapping[str, str]) -> None:
        """Keep which of a run's nodes have which keys, for questions."""
        self.runs[run] = flat, keys
        while len(self.runs) > REMEMBERED:
            self.runs.popitem(last=False)


def _sentences(problems: Sequence[Problem]) -> str:
    errors = [problem.message for problem in problems]
    return " ".join(errors[:5]) + (f" And {len(errors) - 5} more." if len(errors) > 5 else "")
