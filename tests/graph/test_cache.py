"""The result cache: bounded in bytes, least recently used first, safe between threads."""

import random
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.cache import ENTRY_BYTES, NotKept, ResultCache


class Weight:
    """A kind that must never be kept."""


def size_of(value: Any) -> int | None:
    return None if isinstance(value, Weight) else len(value)


def cache_of(entries: int, size: int = 1000) -> ResultCache:
    """A cache with room for `entries` results of `size` bytes each."""
    return ResultCache(entries * (size + ENTRY_BYTES), size_of)


def result(size: int = 1000) -> dict[str, bytes]:
    return {"image": bytes(size)}


def test_what_was_put_can_be_got() -> None:
    cache = cache_of(1)
    outputs = result()
    assert cache.put("a", outputs)
    assert cache.get("a") is outputs
    assert cache.get("b") is None


def test_one_output_of_a_finished_step_can_be_asked_for() -> None:
    cache = cache_of(1)
    cache.put("a", {"image": b"pixels", "mask": b"alpha"})
    assert cache.value("a", "mask") == b"alpha"


def test_asking_for_a_value_that_is_gone_says_so() -> None:
    cache = cache_of(1)
    cache.put("a", result())
    for key, output in (("b", "image"), ("a", "latent")):
        with pytest.raises(NotKept, match="no longer kept"):
            cache.value(key, output)


def test_the_least_recently_used_result_goes_first() -> None:
    cache = cache_of(2)
    cache.put("a", result())
    cache.put("b", result())
    cache.get("a")
    cache.put("c", result())
    assert "a" in cache
    assert "b" not in cache
    assert "c" in cache


def test_reading_one_value_is_a_use() -> None:
    cache = cache_of(2)
    cache.put("a", result())
    cache.put("b", result())
    cache.value("a", "image")
    cache.put("c", result())
    assert "b" not in cache


def test_looking_whether_a_key_is_kept_is_no_use() -> None:
    cache = cache_of(2)
    cache.put("a", result())
    cache.put("b", result())
    assert "a" in cache
    cache.put("c", result())
    assert "a" not in cache
    assert cache.statistics().hits == 0


def test_a_result_that_is_larger_than_the_budget_is_refused_and_drops_nothing() -> None:
    cache = cache_of(2)
    cache.put("a", result())
    assert not cache.put("huge", result(10_000))
    assert "a" in cache
    assert cache.statistics().refused == 1


def test_a_result_with_one_value_of_a_forbidden_kind_is_refused() -> None:
    cache = cache_of(9)
    assert not cache.put("a", {"image": b"1", "model": Weight()})
    assert "a" not in cache


def test_many_tiny_results_count_too() -> None:
    cache = ResultCache(10 * ENTRY_BYTES, size_of)
    for index in range(100):
        cache.put(str(index), {"number": b""})
    assert cache.statistics().entries == 10


def test_putting_a_key_again_counts_it_once() -> None:
    cache = cache_of(2)
    first = result()
    cache.put("a", first)
    cache.put("a", result())
    assert cache.get("a") is first
    assert cache.statistics().bytes == 1000 + ENTRY_BYTES


def test_a_pinned_result_outlives_newer_ones() -> None:
    cache = cache_of(2)
    cache.put("a", result())
    assert cache.pin("a") is not None
    for key in "bcd":
        cache.put(key, result())
    assert "a" in cache
    cache.unpin("a")
    cache.put("e", result())
    cache.put("f", result())
    assert "a" not in cache


def test_a_result_that_does_not_fit_beside_the_pinned_ones_is_refused() -> None:
    cache = cache_of(2)
    for key in "ab":
        cache.put(key, result())
        cache.pin(key)
    assert not cache.put("c", result())
    assert {"a", "b"} == {key for key in "abc" if key in cache}


def test_a_result_that_was_pinned_twice_stays_until_both_pins_are_gone() -> None:
    cache = cache_of(1)
    cache.put("a", result())
    cache.pin("a")
    cache.pin("a")
    cache.unpin("a")
    assert not cache.put("b", result())
    cache.unpin("a")
    assert cache.put("b", result())


def test_pinning_what_is_not_kept_gives_nothing() -> None:
    assert cache_of(1).pin("a") is None


def test_clearing_drops_everything_but_the_pinned() -> None:
    cache = cache_of(3)
    cache.put("a", result())
    cache.put("b", result())
    cache.pin("b")
    cache.clear()
    assert "a" not in cache
    assert cache.statistics().bytes == 1000 + ENTRY_BYTES


def test_statistics_count_hits_misses_and_evictions() -> None:
    cache = cache_of(1)
    cache.put("a", result())
    cache.get("a")
    cache.get("b")
    cache.pin("a")
    cache.unpin("a")
    cache.put("b", result())
    statistics = cache.statistics()
    assert (statistics.hits, statistics.misses, statistics.evictions) == (2, 1, 1)


@given(
    operations=st.lists(
        st.tuples(
            st.sampled_from(["put", "get", "pin", "unpin"]),
            st.integers(0, 7),
            st.integers(0, 3000),
        ),
        max_size=60,
    )
)
def test_whatever_happens_the_budget_holds_and_pinned_results_stay(
    operations: list[tuple[str, int, int]],
) -> None:
    cache = ResultCache(6000, size_of)
    pins: dict[str, int] = {}
    for operation, number, size in operations:
        key = str(number)
        if operation == "put":
            cache.put(key, {"x": bytes(size)})
        elif operation == "get":
            cache.get(key)
        elif operation == "pin" and cache.pin(key) is not None:
            pins[key] = pins.get(key, 0) + 1
        elif operation == "unpin" and pins.get(key):
            cache.unpin(key)
            pins[key] -= 1
        held = [key for key in map(str, range(8)) if key in cache]
        total = sum(len(cache.value(key, "x")) + ENTRY_BYTES for key in held)
        assert cache.statistics().bytes == total <= 6000
        assert all(key in held for key, count in pins.items() if count)


def test_threads_do_not_break_the_accounts() -> None:
    cache = ResultCache(50 * (100 + ENTRY_BYTES), size_of)

    def work(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(2000):
            key = str(dice.randrange(100))
            if cache.pin(key) is not None:
                cache.unpin(key)
            cache.put(key, result(100))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statistics = cache.statistics()
    assert statistics.entries == 50
    assert statistics.bytes == 50 * (100 + ENTRY_BYTES)
    assert statistics.hits + statistics.misses == 8000
