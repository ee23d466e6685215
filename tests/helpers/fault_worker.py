"""A worker without torch that writes down what it does, and the server that it belongs to."""

import os
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graph.definition import NodeDefinition, Term, WidgetDefinition
from graph.events import NodeChanged, Produced
from server.begun import Begun, begun_path
from server.settings import Settings
from server.worker_inbox import Inbox
from server.worker_messages import Ended, Happened, Library, Ready, Start

STARTS = "starts.log"
"""One line for each beginning of a run: its id, and nanoseconds since 1970."""

DEADLY = 666
"""The process does not survive drawing this number."""

PICTURE = 50_000
"""Bytes of a stand-in for a picture; its content is its own name, over and over."""

DRAW = NodeDefinition(
    type="draw",
    title="Draw",
    category="test",
    output=True,
    widgets=(
        WidgetDefinition(
            name="number", title="Number", schema={"type": "integer"}, default=0, control="number"
        ),
    ),
)
SEED = NodeDefinition(
    type="seed",
    title="Seed",
    category="test",
    outputs=({"name": "value", "title": "Value", "term": Term(kind="Integer")},),
)


def main(connection: Connection, options: dict[str, Any]) -> None:
    """Serve the pipe as `server.worker.main` does; each node takes a few milliseconds."""
    settings = Settings.from_json(options["settings"])
    inbox = Inbox(connection, Begun(begun_path(settings)))
    inbox.start()
    inbox.send(Library(version="fault", nodes={"draw": DRAW, "seed": SEED}))
    inbox.send(Ready(device="paper"))
    while (start := inbox.starts.get()) is not None:
        inbox.send(_run(inbox, start, settings))


def _run(inbox: Inbox, start: Start, settings: Settings) -> Ended:
    wish = inbox.begin(start.run)
    log = os.open(settings.data / STARTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(log, f"{start.run} {time.time_ns()}\n".encode())  # one write: lines stay whole
    os.close(log)
    for node in start.workflow["nodes"]:
        if wish.requested:
            return Ended(run=start.run, status="cancelled")
        inbox.send(Happened(run=start.run, event=NodeChanged(node=node, state="running")))
        if start.workflow["nodes"][node].get("values", {}).get("number") == DEADLY:
            os._exit(9)
        name = f"{start.run}-{node}.png"
        _write(settings.output / name)
        inbox.send(Happened(run=start.run, event=Produced(node=node, kind="image", file=name)))
        done = NodeChanged(node=node, state="finished", seconds=0.01)
        inbox.send(Happened(run=start.run, event=done))
    return Ended(run=start.run, status="finished")


def _write(path: Path) -> None:
    """As pictures are written: under another name, slowly, and then moved into place."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for _ in range(4):
            file.write(content_of(path.name)[: PICTURE // 4])
            file.flush()
            time.sleep(0.002)
    os.replace(part, path)


def content_of(name: str) -> bytes:
    """What a whole picture of this name holds, its first quarter repeated."""
    quarter = (name.encode() * (PICTURE // len(name) + 1))[: PICTURE // 4]
    return quarter * 4


def serve() -> None:
    """The real server with this worker: data folder and workers as arguments."""
    from server import serve
    from server.dispatch import Dispatcher, workers_here

    settings = Settings.of(Path(sys.argv[1]), workers=int(sys.argv[2]), port=0, open_browser=False)
    serve.dispatcher_here = lambda known, queue, hub: Dispatcher(
        known, queue, hub.publish, workers_here(known, main)
    )
    sys.exit(serve.serve(settings))


if __name__ == "__main__":
    serve()
