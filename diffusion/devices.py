"""Which device computes, and in which number format."""

from typing import NamedTuple

import torch
from torch import nn

NAMES = {
    "float32": torch.float32,
    "fp32": torch.float32,
    "tf32": torch.float32,
    "bfloat16": torch.bfloat16,
    "bf16": torch.bfloat16,
    "float16": torch.float16,
    "fp16": torch.float16,
}


class NoSuchDevice(ValueError):
    """A device or precision that this machine has not; the message says which it has."""


class Precision(NamedTuple):
    """The number format of each kind of network; `large_text` is for text models of gigabytes."""

    denoiser: torch.dtype
    vae: torch.dtype
    text: torch.dtype
    large_text: torch.dtype


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" is the fastest there is. Raises `NoSuchDevice`."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, is_there in there.items() if is_there))
    kind = name.partition(":")[0]
    if not there.get(kind, False):
        has = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise NoSuchDevice(f"There is no device {name!r} here. There is: {has}.")
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> Precision:
    """The number formats that a choice means on a device. Raises `NoSuchDevice`.

    "auto" is bfloat16 where the device computes in it and float32 elsewhere, with the small text
    encoder in float32 everywhere. "tf32" is float32 whose products a graphics card takes of numbers
    with 10 bits of mantissa (see `use_tf32`). A large text encoder is never in float16, whose range
    its activations exceed; a VAE only on a graphics card without bfloat16, and what exceeds it
    there is computed anew (`LoadedVae.exact`).
    """
    if name == "auto":
        fast = torch.bfloat16 if has_bfloat16(device) else torch.float32
        return Precision(fast, fast, torch.float32, fast)
    if name not in NAMES:
        raise NoSuchDevice(f"There is no precision {name!r}. There is: auto, {', '.join(NAMES)}.")
    chosen = NAMES[name]
    if chosen == torch.float16:
        vae = torch.float32
        if device.type == "cuda":
            vae = torch.bfloat16 if has_bfloat16(device) else chosen
        # A large text encoder in float32 would not fit where float16 is asked for.
        return Precision(chosen, vae, chosen, torch.bfloat16)
    return Precision(chosen, chosen, chosen, chosen)


def use_tf32(name: str, device: torch.device) -> bool:
    """Have a graphics card multiply as the precision of this name says; whether that is in TF32.

    Without it float32 is exact to its last bits, convolutions included. Raises `NoSuchDevice` where
    "tf32" is asked for and cannot be had.
    """
    wanted = name == "tf32"
    if wanted and not (
        device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    ):
        raise NoSuchDevice(
            "tf32 is for NVIDIA's graphics cards from Ampere (2020) on, and this device is none: "
            "choose float32."
        )
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = wanted
        torch.backends.cudnn.allow_tf32 = wanted
    return wanted


def arrange(module: nn.Module, device: torch.device) -> None:
    """Lay a network's weights as the device computes fastest with them; no number changes.

    Convolutions of processors, and those of graphics cards in half precision, want channels last,
    and take their inputs so themselves where the weights are.
    """
    if device.type in ("cpu", "cuda") and any(
        isinstance(part, nn.Conv2d) for part in module.modules()
    ):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself, not by way of float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "mps":
        try:
            one = torch.ones(2, 2, dtype=torch.bfloat16, device=device)
            return bool((one @ one).sum() == 8)
        except (RuntimeError, TypeError):  # macOS before 14
            return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16"))


def describe(device: torch.device) -> str:
    """The device's name for people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else "CPU"
