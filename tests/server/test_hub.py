"""Events reach every page in order, however slow one of them is."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.hub import EventHub, Subscription


async def everything(subscription: Subscription) -> list[dict[str, Any]]:
    """What the subscription can give without waiting."""
    found = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                message = await subscription.next()
        except TimeoutError:
            return found
        assert message is not None
        found.append(message)


async def test_a_new_page_gets_hello_and_a_snapshot() -> None:
    hub = EventHub()
    hub.publish({"type": "run", "run": "a"})
    messages = await everything(hub.subscribe())
    assert [(m["type"], m["seq"]) for m in messages] == [("hello", 1), ("snapshot", 1)]
    assert all(m["epoch"] == hub.epoch for m in messages)


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice() -> None:
    hub = EventHub()
    for number in range(5):
        hub.publish({"type": "run", "number": number})
    messages = await everything(hub.subscribe(since=3, epoch=hub.epoch))
    assert [m["type"] for m in messages] == ["hello", "run", "run"]
    assert [m["number"] for m in messages[1:]] == [3, 4]
    assert [m["seq"] for m in messages[1:]] == [4, 5]


@pytest.mark.parametrize(
    ("since", "own_epoch"), [(3, False), (0, True), (99, True)], ids=["epoch", "old", "future"]
)
async def test_a_snapshot_stands_in_for_what_cannot_be_replayed(
    since: int, own_epoch: bool
) -> None:
    hub = EventHub(buffer=2)
    for _ in range(5):
        hub.publish({"type": "run"})
    epoch = hub.epoch if own_epoch else "another"
    messages = await everything(hub.subscribe(since=since, epoch=epoch))
    assert [m["type"] for m in messages] == ["hello", "snapshot"]


@given(published=st.integers(0, 30), since=st.integers(0, 35), buffer=st.integers(1, 10))
def test_replay_and_snapshot_together_never_leave_a_gap(
    published: int, since: int, buffer: int
) -> None:
    async def scenario() -> None:
        hub = EventHub(buffer=buffer)
        for _ in range(published):
            hub.publish({"type": "run"})
        messages = await everything(hub.subscribe(since=since, epoch=hub.epoch))
        hub.publish({"type": "run"})
        known = since
        for message in messages[1:]:
            assert message["type"] == "snapshot" or message["seq"] == known + 1
            known = message["seq"]
        assert known == published

    asyncio.run(scenario())


async def test_the_newest_preview_takes_the_place_of_older_ones_and_is_not_replayed() -> None:
    hub = EventHub()
    page = hub.subscribe(0, hub.epoch)
    for step in range(3):
        hub.publish({"type": "preview", "run": "a", "node": "1", "step": step}, replay=False)
        hub.publish({"type": "preview", "run": "a", "node": "2", "step": step}, replay=False)
    previews = (await everything(page))[1:]
    assert [(m["node"], m["step"]) for m in previews] == [("1", 2), ("2", 2)]
    assert all("seq" not in m for m in previews)
    assert len(await everything(hub.subscribe(0, hub.epoch))) == 1


async def test_a_page_that_reads_nothing_holds_up_nobody_and_takes_no_memory() -> None:
    hub = EventHub(buffer=10)
    slow, quick = hub.subscribe(0, hub.epoch), hub.subscribe(0, hub.epoch)
    seen = await everything(quick)
    for number in range(1, 101):
        hub.publish({"type": "run", "number": number})
        seen += await everything(quick)
    assert [m["number"] for m in seen if m["type"] == "run"] == list(range(1, 101))

    late = await everything(slow)
    assert len(late) <= 21  # twice the buffer, and the hello or the snapshot
    assert late[0]["type"] == "snapshot"
    assert [m["seq"] for m in late] == list(range(late[0]["seq"], 101))


async def test_closing_the_hub_ends_every_page() -> None:
    hub = EventHub()
    page = hub.subscribe(0, hub.epoch)
    await page.next()
    waiting = asyncio.create_task(page.next())
    await asyncio.sleep(0)
    hub.close()
    assert await waiting is None
