"""Let several runs, each in a thread of its own, answer their calls of one network as one batch.

Each run keeps its own sampler, noise, guidance and number of steps: only the network's calls are
joined. The runs take turns, one at a time, so nothing that they share need be safe for threads. A
run's turn ends where it calls the network; when all that are left have called, the calls that fit
together are answered by one call, and the turns go round again. What a run gets differs from what
it would have got alone by the rounding of sums in another order, no more.
"""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from diffusion.denoiser import Denoiser
from diffusion.guidance import LARGEST_REPEAT
from diffusion.shortage import is_shortage

log = logging.getLogger(__name__)

Network = Callable[..., Tensor]


@dataclass(eq=False)
class Call:
    """A call of a network: latents (batch, ...), timesteps (batch,), tokens (batch, n, width).

    `stretches`: tokens may be repeated. `answer` is None where the run must make the call itself.
    """

    network: Network
    x: Tensor
    timesteps: Tensor
    tokens: Tensor
    extras: dict[str, Tensor]
    stretches: bool
    answer: Tensor | None = None

    def make(self) -> Tensor:
        """What the network answers to this call alone."""
        return self.network(self.x, self.timesteps, self.tokens, **self.extras)

    @property
    def kind(self) -> tuple[object, ...]:
        """Calls of equal kinds fit together, but for the number of tokens."""
        shapes = tuple((name, tensor.shape[1:]) for name, tensor in sorted(self.extras.items()))
        return (id(self.network), self.x.shape[1:], self.x.dtype, self.tokens.shape[2:], shapes)


class Together:
    """The meeting of so many `members`; at most `most` of their calls are joined in one."""

    def __init__(self, members: int, most: int | None = None) -> None:
        self.most = most or members
        self.joined = 0
        """How many calls were answered together with others."""
        self._changed = threading.Condition()
        self._ready = deque(range(members))  # they wait for their turn, the next one first
        self._calls: dict[int, Call] = {}  # of those that wait for an answer
        self._turn: int | None = None

    @contextmanager
    def member(self, number: int) -> Iterator["Member"]:
        """A member's time at the meeting; the body runs in its own thread and in its turns only."""
        with self._changed:
            if self._turn is None:
                self._pass_on()
            self._changed.wait_for(lambda: self._turn == number)
        try:
            yield Member(self, number)
        finally:
            with self._changed:
                self._pass_on()

    def answered(self, number: int, call: Call) -> Tensor:
        """What the network answers to the member's call."""
        with self._changed:
            self._calls[number] = call
            self._pass_on()
            self._changed.wait_for(lambda: self._turn == number)
        return call.make() if call.answer is None else call.answer

    def _pass_on(self) -> None:
        """Give the turn to the next member. Where all have called, answer first."""
        if not self._ready and self._calls:
            self._answer(list(self._calls.values()))
            self._ready.extend(sorted(self._calls))
            self._calls.clear()
        self._turn = self._ready.popleft() if self._ready else None
        self._changed.notify_all()

    def _answer(self, calls: Sequence[Call]) -> None:
        for group in fitting(calls):
            while group:
                some, group = group[: self.most], group[self.most :]
                if len(some) > 1:
                    self._join(some)

    def _join(self, calls: Sequence[Call]) -> None:
        try:
            answers = joined(calls)
        except (RuntimeError, MemoryError) as error:
            # Each makes its call alone, and hears its own error if it has one.
            if is_shortage(error):
                self.most = max(1, len(calls) // 2)
            log.warning("%d calls could not be joined: %s", len(calls), error)
            return
        self.joined += len(calls)
        for call, answer in zip(calls, answers, strict=True):
            call.answer = answer


@dataclass(frozen=True)
class Member:
    """One of the runs at a meeting."""

    meeting: Together
    number: int

    def joining(self, denoiser: Denoiser) -> Denoiser:
        """The denoiser, its network's calls joined with those of the others.

        One that is compiled stays as it is: each number of pictures would be compiled anew.
        """
        if denoiser.compiled is not None:
            return denoiser
        return replace(denoiser, compiled=partial(self._call, denoiser.module, not denoiser.joint))

    def _call(
        self,
        network: Network,
        stretches: bool,
        x: Tensor,
        timesteps: Tensor,
        tokens: Tensor,
        **extras: Tensor,
    ) -> Tensor:
        call = Call(network, x, timesteps, tokens, extras, stretches)
        return self.meeting.answered(self.number, call)


def fitting(calls: Sequence[Call]) -> list[list[Call]]:
    """The calls in groups that can be joined, each in its order."""
    groups: list[list[Call]] = []
    for call in calls:
        for group in groups:
            if group[0].kind == call.kind and _repeats([*group, call]) is not None:
                group.append(call)
                break
        else:
            groups.append([call])
    return groups


def joined(calls: Sequence[Call]) -> list[Tensor]:
    """What one call of the network answers to all of them, each call's part by itself."""
    repeats = _repeats(calls)
    assert repeats is not None
    tokens = [call.tokens.repeat(1, times, 1) for call, times in zip(calls, repeats, strict=True)]
    with torch.no_grad():
        answer = calls[0].network(
            torch.cat([call.x for call in calls]),
            torch.cat([call.timesteps for call in calls]),
            torch.cat(tokens),
            **{name: torch.cat([call.extras[name] for call in calls]) for name in calls[0].extras},
        )
    return list(torch.split(answer, [len(call.x) for call in calls]))


def _repeats(calls: Sequence[Call]) -> list[int] | None:
    """How often each call's tokens are repeated for all to be equally many; None: too often.

    Attention among tokens alone does not change by it: see `guidance`.
    """
    length = math.lcm(*(call.tokens.shape[1] for call in calls))
    times = [length // call.tokens.shape[1] for call in calls]
    most = LARGEST_REPEAT if all(call.stretches for call in calls) else 1
    return times if max(times) <= most else None
