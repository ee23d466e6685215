"""How much memory the models of a planned run will take.

It is an estimate, from what was loaded of a file before, else from its header.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from diffusion.engine import Engine
from diffusion.weighing import weight
from graph.plan import Plan
from graph.step import Origin, Step
from server.catalogue import Catalogue
from server.model_folders import FileRefused

PARTS = {"Model": "model", "Clip": "clip", "Vae": "vae", "Upscaler": "upscaler"}
"""What a node that takes such a value loads of the file behind it."""


class Memory(NamedTuple):
    """Bytes of all `models` that a run will load, of those that one of its nodes uses `at_once`,
    and what models may take together; 0 where nobody knows."""

    models: int
    at_once: int
    budget: int


def memory_needed(
    steps: Plan, running: Sequence[str], catalogue: Catalogue, engine: Engine | None
) -> Memory:
    """What the steps of the keys `running` load."""
    if engine is None:
        return Memory(0, 0, 0)
    every: dict[tuple[Path, str], int] = {}
    at_once = 0
    for key in running:
        mine = set(_models(steps, steps.steps[key], catalogue))
        for path, part in mine - every.keys():
            known = engine.memory.weighed(path, part)
            every[path, part] = weight(path, part, engine.precision) if known is None else known
        at_once = max(at_once, sum(every[model] for model in mine))
    return Memory(sum(every.values()), at_once, engine.memory.budget)


def _models(steps: Plan, step: Step, catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    """The files and parts that a step loads: those behind its wires that it does not hand on."""
    given = {output.term.kind for output in step.shape.outputs.values()}
    for name, item in step.shape.inputs.items():
        kind = item.term.kind
        if kind in PARTS and kind not in given:
            for origin in _origins(step, name):
                for path in _files(steps, origin.key, kind, catalogue):
                    yield path, PARTS[kind]


def _files(steps: Plan, key: str, kind: str, catalogue: Catalogue) -> Iterator[Path]:
    """The files behind an output of this kind: of the step itself, or further up."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        step = steps.steps[at]
        through = [name for name, item in step.shape.inputs.items() if item.term.kind == kind]
        if through:  # it changes what it is given (a LoRA), and loads nothing of its own
            waiting += [origin.key for name in through for origin in _origins(step, name)]
            continue
        for widget, folder in step.shape.files.items():
            name = step.values.get(widget)
            if isinstance(name, str):
                try:
                    yield catalogue.resolve(folder, name)
                except (FileRefused, OSError):  # the checker has told of it
                    continue


def _origins(step: Step, name: str) -> list[Origin]:
    wire = step.wires.get(name)
    if wire is None:
        return []
    return wire if isinstance(wire, list) else [wire]
