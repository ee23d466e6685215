"""Which device and which number formats a choice means."""

import pytest
import torch

from diffusion.devices import NoSuchDevice, choose_device, choose_precision, has_bfloat16

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
