"""Results come back from disk exactly as they were, within a budget, and damage is no result."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from graph.cache import NotKept
from nodes.sockets import Conditioning, Image, Latent, Mask, size_in_bytes
from server.worker_disk_cache import DiskCache, LayeredCache

MIB = 2**20


def latent(seed: int = 0, side: int = 8) -> Latent[Any]:
    noise = torch.Generator().manual_seed(seed)
    samples = torch.randn(1, 4, side, side, generator=noise)
    return Latent(samples, "sd1", Mask(torch.rand(1, side, side, generator=noise)))


def same(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if hasattr(first, "__dataclass_fields__"):
        return same(vars(first), vars(second))
    return bool(first == second)


VALUES = {
    "latent": latent(),
    "image": Image(torch.rand(2, 4, 4, 3)),
    "conditioning": Conditioning(
        torch.rand(1, 77, 8), None, "sd1", {"guidance": 3.5, "mask": torch.rand(2)}
    ),
    "list": [latent(1), latent(2)],
    "plain": {"a": 1, "b": [True, None, "x", 0.1]},
    "pair": (1, torch.arange(3)),
}


def test_every_kind_comes_back_bit_by_bit(tmp_path: Path) -> None:
    assert DiskCache(tmp_path, MIB).write("key", VALUES)
    back = DiskCache(tmp_path, MIB).read("key")  # as after a restart
    assert back is not None
    assert same(dict(back), VALUES)


def test_tensors_that_share_memory_are_kept_each(tmp_path: Path) -> None:
    whole = torch.arange(16.0).reshape(4, 4)
    cache = DiskCache(tmp_path, MIB)
    assert cache.write("key", {"a": whole, "b": whole.T})
    back = cache.read("key")
    assert back is not None
    assert torch.equal(back["b"], whole.T)


def test_what_is_quick_to_make_or_unknown_is_not_written(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, MIB)
    assert not cache.write("plain", {"number": 3})
    assert not cache.write("strange", {"latent": latent(), "object": object()})
    assert not cache.write("huge", {"tensor": torch.zeros(MIB)})
    assert list(tmp_path.iterdir()) == []


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    def result(seed: int) -> dict[str, Any]:
        return {"tensor": torch.full((100_000,), float(seed))}  # 400 kB

    cache = DiskCache(tmp_path, 2 * MIB)  # room for five
    for seed in range(5):
        cache.write(f"k{seed}", result(seed))
        os.utime(tmp_path / f"k{seed}.result", (seed, seed))
    cache.read("k0")
    again = DiskCache(tmp_path, 2 * MIB)  # the order survives a restart
    again.write("k5", result(5))
    assert {path.stem for path in tmp_path.iterdir()} == {"k0", "k2", "k3", "k4", "k5"}


def test_a_damaged_or_half_written_file_is_no_result_and_is_dropped(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, MIB)
    cache.write("cut", {"latent": latent()})
    path = tmp_path / "cut.result"
    path.write_bytes(path.read_bytes()[:-10])
    assert cache.read("cut") is None
    assert not path.exists()
    (tmp_path / "x.1234.part").write_bytes(b"half")
    DiskCache(tmp_path, MIB)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_result(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    cache = DiskCache(folder, MIB)
    folder.rmdir()
    assert not cache.write("key", {"latent": latent()})
    assert cache.read("key") is None
    folder.mkdir()
    assert cache.write("key", {"latent": latent()})


def test_a_cache_in_memory_finds_on_disk_what_another_process_made(tmp_path: Path) -> None:
    first = LayeredCache(MIB, size_in_bytes, DiskCache(tmp_path, MIB))
    assert first.put("key", {"latent": latent()})
    first.settle()
    second = LayeredCache(MIB, size_in_bytes, DiskCache(tmp_path, MIB))
    assert "key" in second
    pinned = second.pin("key")
    assert pinned is not None
    assert same(pinned["latent"], latent())
    second.unpin("key")
    assert same(second.value("key", "latent"), latent())
    assert second.get("other") is None
    with pytest.raises(NotKept):
        second.value("other", "latent")


def test_what_memory_dropped_comes_back_from_disk(tmp_path: Path) -> None:
    cache = LayeredCache(60_000, size_in_bytes, DiskCache(tmp_path, MIB))
    for seed in range(4):
        cache.put(f"k{seed}", {"latent": latent(seed, side=48)})  # 46 kB: memory holds one
        cache.settle()
    assert cache.statistics().entries == 1
    back = cache.get("k0")
    assert back is not None
    assert same(back["latent"], latent(0, side=48))
