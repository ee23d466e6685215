"""A network whose weights come block by block computes what it computes with all of them there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from diffusion.flux import Flux
from diffusion.flux2 import Flux2
from diffusion.language_model import QWEN3, build_language_model
from diffusion.mmdit import Mmdit
from diffusion.streaming import CudaCarrier, Placement, is_streamed, stream
from diffusion.text import ClipText
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from diffusion.unet import UNet
from diffusion.vae import AutoencoderKL
from tests.diffusion.carriers import CountingCarrier
from tests.diffusion.files import shapes_of
from tests.diffusion.small import UNET, VAE, random_weights
from tests.diffusion.small_flux import flux_config
from tests.diffusion.small_flux2 import flux2_config
from tests.diffusion.small_language import qwen
from tests.diffusion.small_sd3 import MMDIT, clip, t5


class Case(NamedTuple):
    """A network, and how it is called."""

    build: Callable[[], nn.Module]
    call: Callable[[nn.Module], Tensor]


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


TIME = torch.tensor([500.0])
IDS = torch.arange(8)[None] % 4
CASES = {
    "unet": Case(lambda: UNet(UNET), lambda m: m(noise(1, 4, 8, 8), TIME, noise(1, 5, 24))),
    "mmdit": Case(
        lambda: Mmdit(MMDIT),
        lambda m: m(noise(1, 16, 4, 4), TIME, noise(1, 5, 4096), noise(1, MMDIT.vector_width)),
    ),
    "flux": Case(
        lambda: Flux(flux_config()),
        lambda m: m(noise(1, 16, 4, 4), TIME / 1000, noise(1, 5, 4096), noise(1, 768)),
    ),
    "flux2": Case(
        lambda: Flux2(flux2_config("flux2_dev")),
        lambda m: m(noise(1, 32, 4, 4), TIME / 1000, noise(1, 5, 15360), torch.tensor([3.5])),
    ),
    "language model": Case(
        lambda: build_language_model(shapes_of(qwen(layers=4)), 3, QWEN3).to_empty(device="cpu"),
        lambda m: m(IDS, torch.ones_like(IDS, dtype=torch.bool), (1, 3)),
    ),
    "clip": Case(lambda: clip(768, None), lambda m: m(IDS).tokens),
    "t5": Case(t5, lambda m: m(IDS)),
    "vae decoding": Case(lambda: AutoencoderKL(VAE), lambda m: m.decode(noise(1, 4, 4, 4))),
    "vae encoding": Case(lambda: AutoencoderKL(VAE), lambda m: m.encode(noise(1, 3, 16, 16))),
    "tiny vae": Case(
        lambda: TinyAutoencoder(TinyConfig(latent_channels=4, width=16)),
        lambda m: m.decode(noise(1, 4, 4, 4)),
    ),
}


def filled(case: Case) -> nn.Module:
    module = case.build().eval().requires_grad_(False)
    module.load_state_dict(random_weights(module))
    return module


def size_of(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in module.state_dict().values())


def placed(module: nn.Module, share: float, carrier: CountingCarrier) -> Placement:
    return stream(module, int(size_of(module) * share), carrier)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("name", CASES)
def test_streaming_changes_no_number(name: str, share: float) -> None:
    case = CASES[name]
    expected = case.call(filled(case))
    module, carrier = filled(case), CountingCarrier()
    placed(module, share, carrier)
    for _ in range(3):  # the first call learns the order, the second and third go by it
        assert torch.equal(case.call(module), expected)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("name", CASES)
def test_no_more_lies_on_the_device_than_was_said(name: str, share: float) -> None:
    case = CASES[name]
    module, carrier = filled(case), CountingCarrier()
    whole = size_of(module)
    placement = placed(module, share, carrier)
    for _ in range(3):
        case.call(module)
    assert carrier.most <= placement.device
    assert placement.host + placement.device >= whole
    if name != "tiny vae":  # it has no blocks, and a file of 5 MB
        assert placement.host > 0
        assert is_streamed(module)


def test_the_more_room_there_is_the_more_stays() -> None:
    hosts = []
    for share in (0.0, 0.3, 0.6, 0.9):
        module = filled(CASES["unet"])
        placement = placed(module, share, CountingCarrier())
        hosts.append(placement.host)
        fixed_and_moving = size_of(module) - hosts[0] + 2 * largest(module)
        assert placement.device <= max(share * size_of(module), fixed_and_moving)
    assert hosts == sorted(hosts, reverse=True)
    assert hosts[0] > 2 * hosts[-1]


def largest(module: nn.Module) -> int:
    """Bytes of the largest member of the network's lists: no block is larger."""
    lists = (part for part in module.modules() if isinstance(part, nn.ModuleList))
    return max(size_of(member) for members in lists for member in members)


def test_what_is_not_on_the_device_is_not_there_at_all() -> None:
    module = filled(CASES["unet"])
    placed(module, 0.0, CountingCarrier())
    devices = {parameter.device.type for parameter in module.parameters()}
    assert devices == {"cpu", "meta"}  # so a block that nobody announced could not compute
    assert next(module.parameters()).device.type == "cpu"  # by which callers tell the device


def test_the_next_block_is_on_its_way_before_this_one_computes() -> None:
    class Row(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2)
            self.blocks = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            for block in self.blocks:
                carrier.events.append("compute")
                x = block(x)
            return x

    carrier, module = CountingCarrier(), Row().requires_grad_(False)
    stream(module, 0, carrier)
    carrier.events.clear()
    module(torch.ones(1, 2))
    assert carrier.events == ["compute", "bring", "arrived", "left"] * 3
    carrier.events.clear()
    module(torch.ones(1, 2))
    begin = ["compute", "bring", "arrived", "bring", "left"]  # its own, and the next
    assert carrier.events == [*begin, *["compute", "arrived", "bring", "left"] * 2]


def test_a_call_that_is_broken_off_leaves_little_behind_and_the_next_one_is_right() -> None:
    class Stop(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stop

    case = CASES["flux"]
    expected = case.call(filled(case))
    module, carrier = filled(case), CountingCarrier()
    placement = placed(module, 0.0, carrier)
    case.call(module)
    assert isinstance(module, Flux)
    for part in (module.double_blocks[0], module.single_blocks[1], module.single_blocks[0]):
        hook = part.register_forward_pre_hook(stop)
        with pytest.raises(Stop):
            case.call(module)
        hook.remove()
        assert carrier.here <= placement.device
    assert torch.equal(case.call(module), expected)
    assert carrier.most <= placement.device


def test_a_text_encoder_is_stopped_between_blocks_that_come() -> None:
    class Stop(BaseException):
        pass

    looks: list[int] = []

    def stop_at_the_second() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise Stop

    case = CASES["clip"]
    module = filled(case)
    placed(module, 0.0, CountingCarrier())
    assert isinstance(module, ClipText)
    with pytest.raises(Stop):
        module(IDS, 1, stop_at_the_second)
    assert torch.equal(case.call(module), case.call(filled(case)))


class FakeStream:
    """A stream of a graphics card that only says what it is asked to do."""

    def __init__(self, name: str, said: list[str]) -> None:
        self.name, self.said = name, said

    def record_event(self) -> "FakeEvent":
        self.said.append(f"{self.name} marks")
        return FakeEvent(self)

    def wait_event(self, event: "FakeEvent") -> None:
        self.said.append(f"{self.name} waits for {event.stream.name}")


class FakeEvent:
    """A mark in a stream."""

    def __init__(self, stream: FakeStream) -> None:
        self.stream = stream

    def synchronize(self) -> None:
        self.stream.said.append(f"the program waits for {self.stream.name}")


def test_copies_go_beside_the_computing_and_no_further_ahead_than_one_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    copying, computing = FakeStream("copying", said), FakeStream("computing", said)

    @contextmanager
    def on(stream: FakeStream) -> Iterator[None]:
        said.append(f"on {stream.name}:")
        yield

    def note_use(tensor: Tensor, stream: FakeStream) -> None:
        said.append(f"kept for {stream.name}")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: copying)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: computing)
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(Tensor, "record_stream", note_use)
    carrier = CudaCarrier(torch.device("cpu"))
    first = carrier.bring([torch.ones(2)])
    assert torch.equal(carrier.arrived(first)[0], torch.ones(2))
    assert said == [
        "on copying:",
        "copying marks",
        "computing waits for copying",
        "kept for computing",
    ]
    said.clear()
    carrier.bring([torch.ones(2)])
    assert "the program waits for computing" not in said  # the next may come meanwhile
    carrier.left()
    said.clear()
    carrier.bring([torch.ones(2)])
    assert said[0] == "the program waits for computing"  # until then there are two


def test_weights_that_cannot_be_pinned_are_used_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(tensor: Tensor) -> Tensor:
        raise RuntimeError("no more memory can be locked")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: None)
    monkeypatch.setattr(Tensor, "pin_memory", refuse)
    weights = torch.ones(3)
    assert CudaCarrier(torch.device("cpu")).keep(weights) is weights
