"""Names and shapes of whole ControlNets, upscalers and tiny VAEs, in every form of their files."""

import torch

from diffusion.controlnet_names import controlnet_beside
from diffusion.tiny_vae import TinyAutoencoder, TinyConfig
from diffusion.upscaler import CompactUpscaler, DenseConfig, DenseUpscaler
from tests.diffusion.files import Shapes, known_shapes, shapes_of

UNETS = {"sd15": "unet_sd15_ldm", "sd2": "unet_sd2_ldm", "sdxl": "unet_sdxl_ldm"}


def tiny_vae(channels: int = 4, *, pooled: bool = False, scaled: bool = False) -> Shapes:
    with torch.device("meta"):
        made = TinyAutoencoder(TinyConfig(channels, 64, pooled=pooled, scaled=scaled))
    return shapes_of(made)


def combined(shapes: Shapes) -> Shapes:
    return {n if n.startswith("vae_") else f"taesd_{n}": shape for n, shape in shapes.items()}


def tiny_half(part: str) -> Shapes:
    start = f"{part}."
    return {n.removeprefix(start): s for n, s in tiny_vae().items() if n.startswith(start)}


def esrgan(doublings: int, unshuffled: int = 1) -> Shapes:
    with torch.device("meta"):
        return shapes_of(DenseUpscaler(DenseConfig(16, 8, 3, doublings, unshuffled)))


def numbered(shapes: Shapes, doublings: int) -> Shapes:
    """The same, named as ESRGAN's first files are."""
    outer = {"conv_first": 0, "conv_hr": 2 + 3 * doublings, "conv_last": 4 + 3 * doublings}
    outer |= {f"conv_up{number}": 3 * number for number in range(1, doublings + 1)}
    found: Shapes = {}
    for name, shape in shapes.items():
        first, *rest = name.split(".")
        if first == "body":
            block, dense, number, kind = rest
            found[f"model.1.sub.{block}.{dense.upper()}.{number}.0.{kind}"] = shape
        elif first == "conv_body":
            found[f"model.1.sub.3.{rest[0]}"] = shape
        else:
            found[f"model.{outer[first]}.{rest[0]}"] = shape
    return found


def compact_upscaler() -> Shapes:
    with torch.device("meta"):
        return shapes_of(CompactUpscaler(24, 6, 2))


def controlnet(family: str) -> Shapes:
    return controlnet_beside(known_shapes(UNETS[family]))
