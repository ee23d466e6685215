"""Which device and which number formats a choice means."""

import pytest
import torch
from torch import nn

from diffusion.devices import (
    NoSuchDevice,
    arrange,
    choose_device,
    choose_precision,
    has_bfloat16,
    use_tf32,
)

CPU = torch.device("cpu")


def test_precision_auto_is_bfloat16_where_the_device_has_it() -> None:
    chosen = choose_precision("auto", CPU)
    assert chosen.denoiser == (torch.bfloat16 if has_bfloat16(CPU) else torch.float32)
    assert chosen.vae == chosen.denoiser
    assert chosen.text == torch.float32
    assert chosen.large_text == chosen.denoiser  # twice the memory would be gigabytes more


def test_what_overflows_float16_is_kept_out_of_it() -> None:
    chosen = choose_precision("float16", CPU)
    assert (chosen.denoiser, chosen.text) == (torch.float16, torch.float16)
    assert (chosen.vae, chosen.large_text) == (torch.float32, torch.bfloat16)


def test_a_named_precision_holds_for_every_network() -> None:
    assert set(choose_precision("float32", CPU)) == {torch.float32}
    assert set(choose_precision("bf16", CPU)) == {torch.bfloat16}


def test_a_device_or_precision_that_is_not_here_is_told() -> None:
    with pytest.raises(NoSuchDevice, match="There is: "):
        choose_device("tpu")
    with pytest.raises(NoSuchDevice, match="float32"):
        choose_precision("float12", CPU)
    assert choose_device("auto").type in ("cuda", "mps", "cpu")


def test_a_graphics_card_takes_a_vae_in_the_widest_half_precision_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for has, vae in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr("diffusion.devices.has_bfloat16", lambda device, has=has: has)
        assert choose_precision("float16", torch.device("cuda")).vae == vae


def test_tf32_is_refused_where_it_cannot_be_had() -> None:
    assert set(choose_precision("tf32", CPU)) == {torch.float32}
    with pytest.raises(NoSuchDevice, match="choose float32"):
        use_tf32("tf32", CPU)
    assert not use_tf32("float32", CPU)


def test_a_graphics_card_multiplies_in_tf32_only_where_it_was_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    flags = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [flag.allow_tf32 for flag in flags]
    try:
        for name in ("tf32", "float32", "auto"):
            assert use_tf32(name, cuda) == (name == "tf32")
            assert [flag.allow_tf32 for flag in flags] == [name == "tf32"] * 2
    finally:
        for flag, was in zip(flags, before, strict=True):
            flag.allow_tf32 = was  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_convolutions_have_channels_last_and_the_same_numbers(kind: str) -> None:
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Conv2d(8, 4, 3))
    x = torch.randn(1, 4, 8, 8)
    expected = module(x)
    arrange(module, torch.device(kind))  # lays the weights out; they stay where they are
    assert module[0].weight.is_contiguous(memory_format=torch.channels_last)
    # 1e-6: the same sums of float32 products, by another kernel
    torch.testing.assert_close(module(x), expected, atol=1e-6, rtol=0)


def test_other_devices_get_the_weights_as_they_are() -> None:
    module = nn.Sequential(nn.Conv2d(4, 8, 3))
    arrange(module, torch.device("mps"))
    assert module[0].weight.is_contiguous()
