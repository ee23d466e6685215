"""Import from transformers in one thread at a time: it loads its parts when they are first named,
and a second thread that names one meanwhile is told that there is none."""

import threading
from importlib import import_module
from typing import Any

_LOCK = threading.RLock()


def from_transformers(name: str) -> Any:
    """What transformers has under the name. It takes seconds the first time."""
    with _LOCK:
        return getattr(import_module("transformers"), name)
