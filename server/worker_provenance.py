"""With what pictures are made: the program, its libraries, the device, and the times."""

import platform
import time
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from diffusion.engine import Engine
from server.settings import VERSION

LIBRARIES = ("torch", "numpy", "pillow", "safetensors", "transformers")
"""Those whose versions may change a picture."""


class Timing:
    """When a run began, and how many seconds each of its nodes took so far."""

    def __init__(self) -> None:
        self.began = time.time()
        self.seconds: dict[str, float] = {}


@cache
def libraries() -> Mapping[str, str]:
    """The versions of what pictures are computed with."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # installed without its metadata
            continue
    return found


def made_with(engine: Engine | None, timing: Timing, nodes: Iterable[str]) -> dict[str, Any]:
    """What a picture that was computed from the nodes is said to be made with, as JSON.

    Times are UTC; a node that came from the cache has none.
    """
    return {
        "program": VERSION,
        "libraries": dict(libraries()),
        "engine": "" if engine is None else engine.key,
        "device": "" if engine is None else engine.describe(),
        "began": _utc(timing.began),
        "saved": _utc(time.time()),
        "seconds": {
            node: round(timing.seconds[node], 3) for node in nodes if node in timing.seconds
        },
    }


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
