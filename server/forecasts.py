"""How long runs and batches will take, by how long their nodes took and what is cached already."""

import asyncio
from collections.abc import Sequence
from typing import Any

from graph.batch import Case, Expansion
from graph.definition import NodeDefinition
from graph.duration import batch_seconds, likenesses, sample, seconds_to_run
from graph.workflow import Workflow
from server.dispatch import Dispatcher
from server.queue.rows import with_changes
from server.worker_questions import Planned


def run_seconds(
    dispatcher: Dispatcher,
    planned: Planned,
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    wanted: Sequence[str] | None,
) -> float | None:
    """How long the first of the planned runs takes, None where the time of a node is not known."""
    if not planned.runs:
        return None
    known = likenesses(workflow, definitions, wanted)
    total = 0.0
    for node in planned.runs[0]:
        seconds = dispatcher.times.seconds(known[node]) if node in known else 0.0
        if seconds is None:
            return None
        total += seconds
    return total


async def seconds_of_batch(
    dispatcher: Dispatcher,
    expansion: Expansion,
    workflow: Workflow,
    definitions: dict[str, NodeDefinition],
    wanted: Sequence[str] | None,
) -> float | None:
    """About how long the batch takes on the workers that there are, None where the time of a node
    is not known. Where no worker can say what is cached, nothing is."""
    saved = workflow.to_json()
    cases = sample(expansion)
    planned = await dispatcher.asking.plan(saved, wanted, [case.changes for case in cases])

    def changed(case: Case) -> Workflow:
        return changed_by(saved, case)

    def work() -> float | None:
        seconds_of = dispatcher.times.seconds
        if planned is None or len(planned.runs) != len(cases):
            return batch_seconds(expansion, changed, definitions, seconds_of, wanted)
        return seconds_to_run(
            expansion, cases, planned.runs, changed, definitions, seconds_of, wanted
        )

    seconds = await asyncio.to_thread(work)
    working = [
        status
        for status in dispatcher.worker_statuses()
        if status["state"] in ("ready", "busy") and not status["draining"]
    ]
    return None if seconds is None else seconds / max(1, len(working))


def changed_by(saved: dict[str, Any], case: Case) -> Workflow:
    """The workflow (the saved form) as the case has it."""
    return Workflow.model_validate(with_changes(saved, case.changes))
