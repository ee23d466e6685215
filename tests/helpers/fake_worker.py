"""A worker without torch or nodes: each node's type says what the process does with it."""

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graph.cancel import Cancel
from graph.definition import Data, NodeDefinition, WidgetDefinition
from graph.events import NodeChanged, Noted, Previewed, Produced, Progressed
from server.settings import Settings
from server.worker_inbox import Inbox
from server.worker_messages import Ended, Happened, Library, Ready, Start, StartTogether
from server.worker_questions import AskMemory, MemoryReport, Value


class Newer(Data):
    """A message that the program does not know."""

    type: str = "newer"
    node: str = ""


TYPES = ("quick", "slow", "stubborn", "failing", "exit", "segfault", "noting", "mumble", "rave")


def main(connection: Connection, options: dict[str, Any]) -> None:
    """Serve the pipe as `server.worker.main` does, and misbehave as told."""
    data = Settings.from_json(options["settings"]).data
    inbox = Inbox(connection)
    inbox.start()
    seed = WidgetDefinition(name="seed", title="Seed", schema={}, control="seed")
    nodes = {
        name: NodeDefinition(type=name, title=name.title(), category="", widgets=(seed,))
        for name in TYPES
    }
    inbox.send(Library(version="fake", nodes=nodes))
    inbox.send(Ready(device="paper", together=options.get("together", 1)))
    while (start := inbox.starts.get()) is not None:
        starts = start.starts if isinstance(start, StartTogether) else (start,)
        wishes = inbox.begin_all([one.run for one in starts])
        for one, wish in zip(starts, wishes, strict=True):
            inbox.send(_run(inbox, one, data, wish, len(starts)))
        while not inbox.asked.empty():
            question = inbox.asked.get()
            if isinstance(question, AskMemory):
                inbox.send(_memory(question))
                continue
            inbox.send(Value(id=question.id, kind="text", data=question.node))


def _memory(question: AskMemory) -> MemoryReport:
    freed = 0 if question.free is None else len(question.free.models or ())
    return MemoryReport(
        id=question.id,
        device="paper",
        budget=1,
        used=0,
        total=1,
        free=1,
        results=0,
        freed=freed,
    )


def broken(connection: Connection, options: dict[str, Any]) -> None:
    """A worker that never becomes ready."""
    raise SystemExit(7)


def _run(inbox: Inbox, start: Start, data: Path, wish: Cancel, together: int) -> Ended:
    if together > 1:
        event = Noted(message=f"together with {together - 1}")
        inbox.send(Happened(run=start.run, event=event))
    for node, placed in start.workflow["nodes"].items():
        inbox.send(Happened(run=start.run, event=NodeChanged(node=node, state="running")))
        match placed["type"]:
            case "slow":
                while not wish.requested:
                    time.sleep(0.01)
                return Ended(run=start.run, status="cancelled")
            case "stubborn":
                time.sleep(600)
            case "failing":
                return Ended(run=start.run, status="failed", error="It failed, as told.")
            case "noting":
                event = Noted(node=node, message="It went otherwise.")
                inbox.send(Happened(run=start.run, event=event))
            case "mumble":  # as a newer program might
                event = Newer(node=node)
                inbox.send(Happened.model_construct(run=start.run, event=event))  # type: ignore[arg-type]
                if placed.get("title") != "and finish":
                    while not wish.requested:
                        time.sleep(0.01)
                    return Ended(run=start.run, status="cancelled")
            case "rave":
                inbox._connection.send_bytes(b"\xff\xfe no JSON at all")
                time.sleep(600)
            case "exit":
                os._exit(3)
            case "segfault":
                os.kill(os.getpid(), signal.SIGSEGV)
        for event in (
            Progressed(node=node, step=1, steps=1),
            Previewed(node=node, file="x.jpg", step=1),
            Produced(node=node, kind="text", data=placed.get("title")),
            NodeChanged(node=node, state="finished", seconds=0.5),
        ):
            inbox.send(Happened(run=start.run, event=event))
    return Ended(run=start.run, status="finished")
