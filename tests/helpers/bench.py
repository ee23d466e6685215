"""A worker's runner in this process, without the process around it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.cancel import Cancel
from graph.definition import Data
from server.settings import Settings
from server.worker_messages import Ended, Happened, Start
from server.worker_questions import AskValue, Value, View
from server.worker_runs import Runner


class Bench:
    """A runner in this process, and all that it said."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        self.settings = settings
        self.said: list[Data] = []
        self.on_event: Callable[[Any], None] = lambda event: None
        self.runner = Runner(settings, self._hear, options)
        self._number = 0

    def run(
        self, workflow: dict[str, Any], *wanted: str, wish: Cancel | None = None, name: str = ""
    ) -> Ended:
        self._number += 1
        run = name or f"run{self._number}"
        start = Start(run=run, workflow=workflow, wanted=wanted or None)
        self.runner.run(start, wish or Cancel())
        ended = self.said[-1]
        assert isinstance(ended, Ended)
        assert ended.run == run
        return ended

    def events(self, kind: type[Any]) -> list[Any]:
        events = [message.event for message in self.said if isinstance(message, Happened)]
        return [event for event in events if isinstance(event, kind)]

    def value(self, run: str, node: str, output: str, view: View = "picture") -> Value:
        return self.runner.answer(AskValue(id=1, run=run, node=node, output=output, view=view))

    def _hear(self, message: Data) -> None:
        self.said.append(message)
        if isinstance(message, Happened):
            self.on_event(message.event)


def with_models(settings: Settings, folder: Path) -> Settings:
    return Settings.of(data=settings.data, models=(folder,), device="cpu", precision="float32")
