"""Questions to a worker and their answers, matched by number."""

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from server.client import Client
from server.queue.rows import Changes
from server.worker_questions import (
    Answer,
    AskMemory,
    AskPlan,
    AskTokens,
    AskValue,
    Freeing,
    MemoryReport,
    Planned,
    Question,
    Tokens,
    Value,
    View,
)

PATIENCE = 30.0
"""Seconds to wait for the worker's answer to a question."""


class Questions:
    """What is asked of one worker; to be used from the event loop's thread."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open: dict[int, asyncio.Future[Answer | None]] = {}
        self._numbers = itertools.count(1)

    async def value(self, run: str, node: str, output: str, view: View = "picture") -> Value:
        """What the node gave at `output`; of kind "gone" where it is no longer kept."""
        number = next(self._numbers)
        answer = await self._ask(AskValue(id=number, run=run, node=node, output=output, view=view))
        return answer if isinstance(answer, Value) else Value(id=number, kind="gone")

    async def plan(
        self,
        workflow: dict[str, Any],
        wanted: Sequence[str] | None,
        cases: Sequence[Changes] = ({},),
    ) -> Planned | None:
        """What runs of the workflow would do; None where no worker is there to say it."""
        named = None if wanted is None else tuple(wanted)
        number = next(self._numbers)
        asked = AskPlan(id=number, workflow=workflow, wanted=named, cases=tuple(cases))
        answer = await self._ask(asked)
        return answer if isinstance(answer, Planned) else None

    async def tokens(self, workflow: dict[str, Any], node: str, text: str) -> Tokens | None:
        """The text's tokens for the encoders wired to the node; None where no worker is there."""
        asked = AskTokens(id=next(self._numbers), workflow=workflow, node=node, text=text)
        answer = await self._ask(asked)
        return answer if isinstance(answer, Tokens) else None

    async def memory(self, free: Freeing | None = None) -> MemoryReport | None:
        """What the worker has loaded, after `free`; None where no worker is there to say it."""
        answer = await self._ask(AskMemory(id=next(self._numbers), free=free))
        return answer if isinstance(answer, MemoryReport) else None

    def received(self, answer: Answer) -> None:
        """The worker answered."""
        question = self._open.get(answer.id)
        if question is not None and not question.done():
            question.set_result(answer)

    def died(self) -> None:
        """The worker died: nobody will answer what is open."""
        for question in self._open.values():
            if not question.done():
                question.set_result(None)

    async def _ask(self, question: Question) -> Answer | None:
        if not self._client.ready.is_set():
            return None
        answer: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._open[question.id] = answer
        try:
            await self._client.send(question)
            async with asyncio.timeout(PATIENCE):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._open[question.id]
