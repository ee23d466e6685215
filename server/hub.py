"""Hand every event to every open page, in order, without letting a slow page hold up the others."""

import asyncio
import secrets
from collections import deque
from typing import Any

Message = dict[str, Any]

BUFFER = 2_000
"""How many events are kept for pages that come back, and how far a page may lag behind."""


class Subscription:
    """What one page has yet to be sent. Made by `EventHub.subscribe`, ended by `close`."""

    def __init__(self, hub: "EventHub", limit: int) -> None:
        self._hub = hub
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._previews: dict[tuple[Any, Any], Message] = {}
        self._wake = asyncio.Event()
        self.closed = False

    def put(self, message: Message) -> None:
        """Append the message; a page that is too far behind gets one snapshot in place of all."""
        if len(self._waiting) >= self._limit:
            self._waiting.clear()
            message = self._hub.behind()
        self._waiting.append(message)
        self._wake.set()

    def put_preview(self, message: Message) -> None:
        """Keep the message until it can be sent, or until a newer one takes its place."""
        key = (message.get("run"), message.get("node"))
        self._previews.pop(key, None)  # the newest goes to the end of the line
        self._previews[key] = message
        self._wake.set()

    async def next(self) -> Message | None:
        """The next message, events before previews; None once the subscription is closed."""
        while True:
            if self.closed:
                return None
            if self._waiting:
                return self._waiting.popleft()
            if self._previews:
                return self._previews.pop(next(iter(self._previews)))
            self._wake.clear()
            await self._wake.wait()

    def beat(self) -> Message:
        """What says that everything up to its number was sent; for when nothing waits."""
        return {**self._hub.behind(), "type": "beat"}

    def close(self) -> None:
        """End the subscription; whoever waits in `next` gets None."""
        self.closed = True
        self._hub.forget(self)
        self._wake.set()


class EventHub:
    """Numbers events, keeps the newest for replay, and hands them to subscriptions.

    To be used from the event loop's thread only. `epoch` names this start of the server: numbers of
    another epoch mean nothing here.
    """

    def __init__(self, buffer: int = BUFFER) -> None:
        self.epoch = secrets.token_hex(8)
        self.seq = 0
        self._buffer: deque[Message] = deque(maxlen=buffer)
        self._subscriptions: set[Subscription] = set()

    def publish(self, message: Message, replay: bool = True) -> None:
        """Send the message to every page; without `replay` it is a preview: no number, not kept."""
        if not replay:
            for subscription in self._subscriptions:
                subscription.put_preview({**message, "epoch": self.epoch})
            return
        self.seq += 1
        numbered = {"seq": self.seq, "epoch": self.epoch, **message}
        self._buffer.append(numbered)
        for subscription in self._subscriptions:
            subscription.put(numbered)

    def subscribe(self, since: int | None = None, epoch: str | None = None) -> Subscription:
        """A page's subscription: `hello`, then what it missed after `since`, then what comes.

        Where that is not known any more (or the page is new) a `snapshot` stands in its place;
        the caller fills it in when it sends it.
        """
        # Twice the buffer, so that a full replay leaves room for what happens meanwhile.
        subscription = Subscription(self, 2 * (self._buffer.maxlen or BUFFER))
        subscription.put({"seq": self.seq, "epoch": self.epoch, "type": "hello"})
        if self._can_replay(since, epoch):
            for message in [message for message in self._buffer if message["seq"] > (since or 0)]:
                subscription.put(message)
        else:
            subscription.put(self.behind())
        self._subscriptions.add(subscription)
        return subscription

    def behind(self) -> Message:
        """The snapshot that stands for every event up to now."""
        return {"seq": self.seq, "epoch": self.epoch, "type": "snapshot"}

    def forget(self, subscription: Subscription) -> None:
        """Send the subscription nothing more."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self._subscriptions):
            subscription.close()

    def _can_replay(self, since: int | None, epoch: str | None) -> bool:
        if since is None or epoch != self.epoch or since > self.seq:
            return False
        oldest = self._buffer[0]["seq"] if self._buffer else self.seq + 1
        return since >= oldest - 1
