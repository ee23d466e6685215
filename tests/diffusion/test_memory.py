"""The last used models stay loaded, within a budget of bytes."""

from pathlib import Path

import pytest
import torch

from diffusion.memory import Key, Memory, Pending, machine_memory


def test_the_last_used_models_stay_within_the_budget(tmp_path: Path) -> None:
    files = []
    for name in "abc":
        (tmp_path / name).write_bytes(b"x")
        files.append(Key.of("vae", tmp_path / name, torch.float32))
    memory = Memory(budget=100)
    loads: list[str] = []

    def get(key: Key, size: int) -> str:
        def load() -> str:
            loads.append(Path(key.path).name)
            assert memory.used + size <= 100 or not memory.report()  # room is made before loading
            return key.path

        return memory.get(key, lambda: Pending(size, load))

    a, b, c = files
    get(a, 40), get(b, 40), get(a, 40)
    assert loads == ["a", "b"]
    get(c, 40)
    assert [key for key, _ in memory.report()] == [a, c]  # b was used the longest ago
    get(b, 500)
    assert [key for key, _ in memory.report()] == [b]  # larger than the budget, kept alone
    memory.free()
    assert memory.used == 0


def test_a_load_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    key, memory = Key.of("vae", tmp_path / "a", torch.float32), Memory(100)

    def fail() -> str:
        raise MemoryError

    with pytest.raises(MemoryError):
        memory.get(key, lambda: Pending(1, fail))
    assert memory.get(key, lambda: Pending(1, lambda: "fine")) == "fine"


def test_the_machines_memory_is_known() -> None:
    assert 2**28 < machine_memory() < 2**50
