"""Threads that need transformers at the same time all get it."""

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import threading
from diffusion.importing import from_transformers

names = ["CLIPTokenizer", "CLIPTextModel", "CLIPTextConfig", "T5Config"] * 2
errors, start = [], threading.Barrier(len(names))

def need(name):
    start.wait()
    try:
        from_transformers(name)
    except ImportError as error:
        errors.append(error)

threads = [threading.Thread(target=need, args=(name,)) for name in names]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert not errors, errors
"""


def test_a_first_use_in_several_threads_at_once_finds_everything() -> None:
    root = Path(__file__).parent.parent.parent
    # In a process of its own, where nothing of it is loaded yet.
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
