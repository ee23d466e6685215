"""Run a network whose weights do not fit: they lie beside the device and come block by block.

As many blocks as fit stay on the device. Of the others, each is brought when it begins, and the one
after it meanwhile; when it ends, its weights leave. The numbers are those of the whole network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

B = TypeVar("B")


class Carrier(Protocol[B]):
    """Brings weights from the machine's memory to a device. `B` is what is on its way."""

    def keep(self, tensor: Tensor) -> Tensor:
        """The tensor in the machine's memory, where the device can fetch it fast."""
        ...

    def bring(self, tensors: Sequence[Tensor]) -> B:
        """Begin to copy the tensors to the device; what computes need not wait for it."""
        ...

    def arrived(self, brought: B) -> Sequence[Tensor]:
        """The copies; all that is computed from now on comes after them."""
        ...

    def left(self) -> None:
        """A block has been run: what it was brought may go when it is done with."""
        ...


class Placement(NamedTuple):
    """Bytes of a network's weights: at most so many on the device, so many beside it."""

    device: int
    host: int


class Place(NamedTuple):
    """Where a module keeps one of its tensors."""

    owner: nn.Module
    name: str

    @property
    def tensor(self) -> Tensor:
        found: Tensor = self._table[self.name]
        return found

    def put(self, tensor: Tensor) -> None:
        """Have the module use this tensor from now on."""
        is_parameter = self.name in self.owner._parameters
        self._table[self.name] = (
            nn.Parameter(tensor, requires_grad=False) if is_parameter else tensor
        )

    @property
    def _table(self) -> dict[str, Any]:
        parameters: dict[str, Any] = self.owner._parameters
        return parameters if self.name in parameters else self.owner._buffers


@dataclass(eq=False)
class Block(Generic[B]):
    """A part of the network that is brought in one piece; blocks inside it are blocks themselves.

    `above`: the modules that it lies in. `host`: its weights in the machine's memory, and `shapes`
    what stands in the module for them while it does not run.
    """

    module: nn.Module
    places: list[Place]
    above: frozenset[nn.Module]
    host: list[Tensor] = field(default_factory=list)
    shapes: list[Tensor] = field(default_factory=list)
    brought: B | None = None

    @property
    def bytes(self) -> int:
        return sum(place.tensor.nbytes for place in self.places)


class CudaCarrier:
    """Copies from pinned memory on a stream of its own, beside what is being computed."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._end: torch.cuda.Event | None = None

    def keep(self, tensor: Tensor) -> Tensor:
        try:
            return tensor.pin_memory()
        except RuntimeError:  # the system lets no more memory be pinned: slower, and as right
            return tensor

    def bring(self, tensors: Sequence[Tensor]) -> tuple[list[Tensor], torch.cuda.Event]:
        # The program runs ahead of the device: without this it would order every block's copy at
        # once, and the memory of the blocks before would not be free yet.
        if self._end is not None:
            self._end.synchronize()
            self._end = None
        with torch.cuda.stream(self._stream):
            copies = [tensor.to(self._device, non_blocking=True) for tensor in tensors]
            return copies, self._stream.record_event()

    def arrived(self, brought: tuple[list[Tensor], torch.cuda.Event]) -> list[Tensor]:
        copies, event = brought
        stream = torch.cuda.current_stream(self._device)
        stream.wait_event(event)
        for copy in copies:
            copy.record_stream(stream)  # not to be overwritten while it is read there
        return copies

    def left(self) -> None:
        self._end = torch.cuda.current_stream(self._device).record_event()


def carrier_for(device: torch.device) -> "Carrier[Any] | None":
    """What brings weights to the device; None where they lie in the machine's memory anyway."""
    return CudaCarrier(device) if device.type == "cuda" else None


def is_streamed(module: nn.Module) -> bool:
    """Whether the network is one that `stream` prepared."""
    return hasattr(module, "_streaming")


def stream(module: nn.Module, room: int, carrier: "Carrier[Any]") -> Placement:
    """Place the network, which lies in the machine's memory, in about `room` bytes of the device.

    What lies in no block is on the device for good, even where that is more than `room`.
    """
    blocks: list[Block[Any]] = _blocks(module)
    inside = {place for block in blocks for place in block.places}
    rest = [place for place in _places(module) if place not in inside]
    fixed = sum(place.tensor.nbytes for place in rest)
    staying = _staying(blocks, room - fixed)
    _settle([*rest, *(place for block in staying for place in block.places)], carrier)
    coming = [block for block in blocks if block not in staying]
    module._streaming = Streaming(coming, carrier)  # type: ignore[assignment]
    host = sum(block.bytes for block in coming)
    kept = sum(block.bytes for block in staying)
    return Placement(fixed + kept + _moving(coming), host)


class Streaming:
    """Brings the blocks of one network as they are run. One call of the network at a time."""

    def __init__(self, blocks: Sequence[Block[Any]], carrier: "Carrier[Any]") -> None:
        self._carrier = carrier
        self._here: list[Block[Any]] = []
        self._next: dict[Block[Any], Block[Any]] = {}
        self._last: Block[Any] | None = None
        for block in blocks:
            block.host = [carrier.keep(place.tensor) for place in block.places]
            block.shapes = [torch.empty_like(tensor, device="meta") for tensor in block.host]
            self._empty(block)
            block.module.register_forward_pre_hook(lambda *_, block=block: self._begin(block))
            block.module.register_forward_hook(
                lambda *_, block=block: self._end(block), always_call=True
            )

    def _begin(self, block: Block[Any]) -> None:
        # A run that was cancelled within a block left it here.
        for other in list(self._here):
            if other is not block and other.module not in block.above:
                self._let_go(other)
        self._bring(block)
        for place, copy in zip(block.places, self._carrier.arrived(block.brought), strict=True):
            place.put(copy)
        # The order is learnt from the first call; a network that changes it loses time only.
        if self._last is not None:
            self._next[self._last] = block
        self._last = block
        if (following := self._next.get(block)) is not None:
            self._bring(following)

    def _end(self, block: Block[Any]) -> None:
        if block in self._here:
            self._let_go(block)
            self._carrier.left()

    def _bring(self, block: Block[Any]) -> None:
        if block.brought is None:
            block.brought = self._carrier.bring(block.host)
            self._here.append(block)

    def _let_go(self, block: Block[Any]) -> None:
        self._here.remove(block)
        block.brought = None
        self._empty(block)

    def _empty(self, block: Block[Any]) -> None:
        """Leave only the shapes: a part that ran unnoticed would fail, not compute nonsense."""
        for place, shape in zip(block.places, block.shapes, strict=True):
            place.put(shape)


def _places(module: nn.Module) -> list[Place]:
    """Every tensor of the module that comes from a file."""
    wanted = module.state_dict().keys()
    return [
        Place(part, name)
        for prefix, part in module.named_modules()
        for name in (*part._parameters, *part._buffers)
        if (f"{prefix}.{name}" if prefix else name) in wanted
    ]


def _blocks(module: nn.Module) -> list[Block[Any]]:
    """The members of the network's lists, in its own order, each with what is in no inner one.

    The one with the first parameter is none: callers read the device and the number format there.
    """
    first = next(iter(_places(module)), None)
    found: list[Block[Any]] = []

    def look(part: nn.Module, above: frozenset[nn.Module]) -> list[Place]:
        """The places in `part` that are in no block within it."""
        own = [Place(part, name) for name in (*part._parameters, *part._buffers)]
        for child in part.children():
            index, inner = len(found), look(child, above | {child})
            if isinstance(part, nn.ModuleList) and first not in inner:
                mine = [place for place in inner if place in wanted]
                if mine:
                    found.insert(index, Block(child, mine, above))
            else:
                own += inner
        return own

    wanted = set(_places(module))
    look(module, frozenset())
    return found


def _moving(blocks: Sequence[Block[Any]]) -> int:
    """Bytes on the device of blocks that do not stay: one, what it lies in, and the next."""
    sizes = {block.module: block.bytes for block in blocks}
    if not sizes:
        return 0
    deepest = max(
        size + sum(sizes.get(part, 0) for part in block.above)
        for block, size in zip(blocks, sizes.values(), strict=True)
    )
    return deepest + max(sizes.values())


def _staying(blocks: Sequence[Block[Any]], room: int) -> list[Block[Any]]:
    """The blocks that fit, spread evenly, so that each of the others has time to come."""
    room -= _moving(blocks)
    total = sum(block.bytes for block in blocks)
    share = min(1.0, max(0, room) / total) if total else 0.0
    staying, saved = [], 0.0
    for block in blocks:
        saved += block.bytes * share
        if block.bytes <= min(saved, room):
            staying.append(block)
            saved -= block.bytes
            room -= block.bytes
    return staying


def _settle(places: Sequence[Place], carrier: "Carrier[Any]") -> None:
    """Bring the tensors to the device for good, one at a time."""
    for place in places:
        (copy,) = carrier.arrived(carrier.bring([place.tensor]))
        place.put(copy)
