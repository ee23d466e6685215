"""The last used models stay loaded, within a budget of bytes; what is in use never leaves."""

import threading
from pathlib import Path

import pytest
import torch

from diffusion.machine import machine_memory
from diffusion.memory import InPart, Key, Memory, Pending


@pytest.fixture
def keys(tmp_path: Path) -> list[Key]:
    """Four files' keys, by the names a, b, c and d."""
    for name in "abcd":
        (tmp_path / name).write_bytes(b"x")
    return [Key.of("vae", tmp_path / name, torch.float32) for name in "abcd"]


def put(memory: Memory, key: Key, size: int) -> str:
    """Load something of this size."""
    return memory.get(key, lambda: Pending(size, lambda: key.path))


def names(memory: Memory) -> str:
    """The files of what is loaded, the one used longest ago first."""
    return "".join(Path(loaded.key.path).name for loaded in memory.report())


def test_the_last_used_models_stay_within_the_budget(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    loads: list[str] = []

    def get(key: Key, size: int) -> str:
        def load() -> str:
            loads.append(Path(key.path).name)
            assert memory.used + size <= 100 or not memory.report()  # room is made before loading
            return key.path

        return memory.get(key, lambda: Pending(size, load))

    a, b, c, _ = keys
    get(a, 40), get(b, 40), get(a, 40)
    assert loads == ["a", "b"]
    get(c, 40)
    assert names(memory) == "ac"  # b was used the longest ago
    get(b, 500)
    assert names(memory) == "b"  # larger than the budget, kept alone
    memory.free()
    assert memory.used == 0


def test_what_is_in_use_stays_whoever_needs_the_room(keys: list[Key]) -> None:
    a, b, c, _ = keys
    memory = Memory(budget=100)
    with memory.held_by("sampler"):
        put(memory, a, 60)
    put(memory, b, 40)
    put(memory, c, 60)
    assert names(memory) == "ac"  # b went, although a was used longer ago
    assert memory.free() == 60
    assert names(memory) == "a"
    assert memory.report()[0].in_use
    memory.let_go("sampler")
    assert memory.free() == 60
    assert not memory.report()


def test_a_model_that_is_held_twice_stays_until_both_have_let_go(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    for holder in ("one", "other"):
        with memory.held_by(holder):
            put(memory, keys[0], 10)
    memory.let_go("one")
    assert memory.free() == 0
    memory.let_go("other")
    assert memory.free() == 10


def test_one_model_can_be_freed_by_its_id(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    for key in keys[:3]:
        put(memory, key, 10)
    second = memory.report()[1].id
    assert memory.free({second}) == 10
    assert names(memory) == "ac"
    assert memory.free({second, "nothing"}) == 0


def test_what_others_have_taken_of_the_device_is_room_that_is_not_there(keys: list[Key]) -> None:
    device = 100

    def free() -> int:
        return device - memory.used

    memory = Memory(budget=1000, free=free, workspace=20)
    put(memory, keys[0], 40)
    put(memory, keys[1], 40)
    assert names(memory) == "ab"
    device = 70  # another program took 30
    assert memory.room == -30
    put(memory, keys[2], 30)
    assert names(memory) == "c"  # with b it would be 70, and nothing left to work in


def test_what_does_not_fit_beside_what_is_in_use_is_loaded_in_part(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    with memory.held_by("sampler"):
        put(memory, keys[0], 70)
    rooms: list[int] = []

    def in_part(room: int) -> InPart[str]:
        rooms.append(room)
        return InPart("partly", room, 80 - room)

    def whole() -> str:
        raise AssertionError("80 bytes do not fit into 30")

    assert memory.get(keys[1], lambda: Pending(80, whole, in_part)) == "partly"
    assert rooms == [30]
    partly = memory.report()[-1]
    assert (partly.bytes, partly.host) == (30, 50)
    assert memory.used == 100
    assert memory.free() == 80  # both halves


def test_what_came_in_part_is_loaded_whole_once_there_is_room(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    with memory.held_by("sampler"):
        put(memory, keys[0], 70)

    def get() -> str:
        partly = InPart("partly", 30, 50)
        return memory.get(keys[1], lambda: Pending(80, lambda: "whole", lambda room: partly))

    assert [get(), get()] == ["partly", "partly"]
    memory.let_go("sampler")
    assert get() == "partly"  # the other one is not used, and might be at any time
    memory.free({memory.report()[0].id})
    with memory.held_by("sampler"):
        assert [get(), get()] == ["whole", "whole"]
    assert (memory.used, memory.report()[0].host) == (80, 0)


def test_what_came_in_part_stays_so_while_it_is_in_use(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    put(memory, keys[0], 70)
    partly = InPart("partly", 30, 50)
    pending = Pending[str](200, lambda: "whole", lambda room: partly)
    with memory.held_by("sampler"):
        assert memory.get(keys[1], lambda: pending) == "partly"
        memory.budget = 1000
        assert memory.get(keys[1], lambda: pending) == "partly"


def test_a_load_that_finds_less_memory_than_was_told_goes_on_in_part(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    put(memory, keys[0], 20)

    def whole() -> str:
        raise torch.OutOfMemoryError("CUDA out of memory")

    got = memory.get(keys[1], lambda: Pending(60, whole, lambda room: InPart("part", room, 0)))
    assert got == "part"
    assert [loaded.bytes for loaded in memory.report()] == [30]  # alone, and half of what failed


def test_a_load_that_cannot_be_parted_is_tried_again_without_the_others(keys: list[Key]) -> None:
    memory = Memory(budget=100)
    put(memory, keys[0], 20)
    tries: list[int] = []

    def load() -> str:
        tries.append(memory.used)
        if memory.used:
            raise MemoryError
        return "fine"

    assert memory.get(keys[1], lambda: Pending(60, load)) == "fine"
    assert tries == [20, 0]


def test_a_load_that_fails_leaves_nothing_behind(keys: list[Key]) -> None:
    memory = Memory(100)

    def fail() -> str:
        raise MemoryError

    with pytest.raises(MemoryError):
        memory.get(keys[0], lambda: Pending(1, fail))
    assert not memory.report()
    assert memory.get(keys[0], lambda: Pending(1, lambda: "fine")) == "fine"


def test_people_can_look_and_free_while_something_is_loaded(keys: list[Key]) -> None:
    memory = Memory(100)
    put(memory, keys[0], 10)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        return "slow"

    load = threading.Thread(target=memory.get, args=(keys[1], lambda: Pending(10, slow)))
    load.start()
    assert begun.wait(30)
    assert names(memory) == "a"
    assert memory.free() == 10
    go_on.set()
    load.join(30)
    assert names(memory) == "b"


def test_the_machines_memory_is_known() -> None:
    assert 2**28 < machine_memory() < 2**50
