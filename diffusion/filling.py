"""Fill an empty module with a file's weights: whole on the device, or in part where it is full."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch

from diffusion.checkpoint import adopt, bytes_of, nothing
from diffusion.devices import arrange
from diffusion.memory import InPart, Pending
from diffusion.networks import Built
from diffusion.opened import Opened
from diffusion.origins import prefixed
from diffusion.shortage import in_words
from diffusion.streaming import Carrier, stream

V = TypeVar("V")


class Filling:
    """See above. `carrier` brings weights that do not fit, None where nothing does; `tell` hears of
    that in a sentence for people."""

    def __init__(
        self, device: torch.device, carrier: Carrier[Any] | None, tell: Callable[[str], None]
    ) -> None:
        self._device = device
        self._carrier = carrier
        self._tell = tell

    def pending(
        self,
        owner: V,
        built: Built,
        file: Opened,
        prefix: str,
        dtype: torch.dtype,
        check_cancel: Callable[[], None],
        changed: Callable[[], None] = nothing,
    ) -> Pending[V]:
        """What fills the module from the file and gives back its owner, whole or in part.

        `changed` is called when the weights are there, and may change them.
        """

        def fill(device: torch.device) -> None:
            names = prefixed(built.names, prefix)
            adopt(
                built.module,
                file.header,
                names,
                dtype=dtype,
                device=device,
                check_cancel=check_cancel,
            )
            changed()
            arrange(built.module, self._device)

        def whole() -> V:
            fill(self._device)
            return owner

        def in_part(room: int) -> InPart[V]:
            assert self._carrier is not None
            fill(torch.device("cpu"))
            placed = stream(built.module, room, self._carrier)
            self._tell(
                f"{file.header.path.name} does not fit on the device: {in_words(placed.host)} of "
                f"its {in_words(size)} are brought while it runs, which takes longer."
            )
            return InPart(owner, placed.device, placed.host)

        size = bytes_of(built.module, dtype)
        return Pending(size, whole, None if self._carrier is None else in_part)
