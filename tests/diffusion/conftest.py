"""A small checkpoint and an engine that runs it."""

from pathlib import Path

import pytest

from diffusion.engine import Engine
from tests.diffusion.small import write_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    write_checkpoint(path)
    return path


@pytest.fixture
def engine() -> Engine:
    return Engine("cpu", "float32")
