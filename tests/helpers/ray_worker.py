"""A worker without torch whose nodes speak of files, for tests of workers on other machines."""

import os
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graph.definition import NodeDefinition, WidgetDefinition
from graph.events import NodeChanged, Previewed, Produced
from server.model_folders import ModelFolders
from server.previews import preview_name, preview_path
from server.settings import Settings
from server.worker_inbox import Inbox
from server.worker_messages import Ended, Happened, Library, Ready, Start
from server.worker_questions import AskValue, Tried, Value


def _file(name: str, folder: str, control: str) -> WidgetDefinition:
    return WidgetDefinition(
        name=name, title=name.title(), schema={"type": "string"}, control=control, folder=folder
    )


NODES = {
    "draw": NodeDefinition(
        type="draw",
        title="Draw",
        category="test",
        output=True,
        widgets=(_file("model", "vae", "model_file"), _file("picture", "input", "image_file")),
    ),
    "exit": NodeDefinition(type="exit", title="Exit", category="test", output=True),
    "slow": NodeDefinition(type="slow", title="Slow", category="test", output=True),
}


def main(connection: Connection, options: dict[str, Any]) -> None:
    """Serve the pipe as `server.worker.main` does."""
    settings = Settings.from_json(options["settings"])
    inbox = Inbox(connection)
    inbox.start()
    inbox.send(Library(version="ray", nodes=NODES))
    inbox.send(Ready(device="paper"))
    threading.Thread(target=_answer, args=(inbox, settings), daemon=True).start()
    threading.Thread(target=_try, args=(inbox,), daemon=True).start()
    while (start := inbox.starts.get()) is not None:
        inbox.send(_run(inbox, start, settings))


def _answer(inbox: Inbox, settings: Settings) -> None:
    while True:
        asked = inbox.asked.get()
        assert isinstance(asked, AskValue)
        settings.temp.joinpath("value.png").write_bytes(b"a value")
        inbox.send(Value(id=asked.id, kind="image", file="value.png"))


def _try(inbox: Inbox) -> None:
    while True:
        asked = inbox.trials.get()
        inbox.send(Tried(id=asked.id, trial={"read": Path(asked.path).read_text()}))


def _run(inbox: Inbox, start: Start, settings: Settings) -> Ended:
    wish = inbox.begin(start.run)

    def tell(event: Any) -> None:
        inbox.send(Happened(run=start.run, event=event))

    for node, placed in start.workflow["nodes"].items():
        tell(NodeChanged(node=node, state="running"))
        match placed["type"]:
            case "exit":
                os._exit(3)
            case "slow":
                while not wish.requested:
                    time.sleep(0.01)
                return Ended(run=start.run, status="cancelled")
        content = b" ".join([*_read(placed["values"], settings), _saved(start, node)])
        preview = preview_path(settings, start.run, node)
        preview.parent.mkdir(parents=True, exist_ok=True)
        preview.write_bytes(b"a preview")
        tell(Previewed(node=node, file=preview_name(node), step=1))
        picture = settings.output / "day" / "fox_00001.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(content)
        tell(Produced(node=node, kind="image", file="day/fox_00001.png"))
        tell(NodeChanged(node=node, state="finished", seconds=0.1))
    return Ended(run=start.run, status="finished")


def _read(values: dict[str, str], settings: Settings) -> list[bytes]:
    """The name under which the machine has the model, and the contents of both files."""
    folders = ModelFolders(settings.models, settings.input, settings.latents)
    model: Path = folders.find("vae", values["model"])
    picture = folders.find("input", values["picture"])
    return [model.name.encode(), model.read_bytes(), picture.read_bytes()]


def _saved(start: Start, node: str) -> bytes:
    """What a picture would say that the model was called."""
    assert start.saved is not None
    return str(start.saved["nodes"][node]["values"]["model"]).encode()
