"""ESRGAN and compact upscalers: every published form of names, the equations, and tiles."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from diffusion.engine import Engine
from diffusion.layers import MissingTensor
from diffusion.loaded_upscaler import OVERLAP, TILE
from diffusion.upscaler import upscaler_of

WIDTH, GROWTH, BLOCKS = 8, 4, 2
Tensors = dict[str, Tensor]


def conv(name: str, out: int, entering: int, generator: torch.Generator) -> Tensors:
    return {
        f"{name}.weight": torch.randn(out, entering, 3, 3, generator=generator) * 0.15,
        f"{name}.bias": torch.randn(out, generator=generator) * 0.05,
    }


def dense(doublings: int = 2, edge: int = 1) -> Tensors:
    """A small ESRGAN, named as Real-ESRGAN's files are."""
    chance = torch.Generator().manual_seed(7)
    made = conv("conv_first", WIDTH, 3 * edge**2, chance)
    for block in range(BLOCKS):
        for part in (1, 2, 3):
            for number in range(1, 6):
                out = GROWTH if number < 5 else WIDTH
                entering = WIDTH + (number - 1) * GROWTH
                made |= conv(f"body.{block}.rdb{part}.conv{number}", out, entering, chance)
    ups = [f"conv_up{number}" for number in range(1, doublings + 1)]
    for name in ("conv_body", *ups, "conv_hr"):
        made |= conv(name, WIDTH, WIDTH, chance)
    return made | conv("conv_last", 3, WIDTH, chance)


def numbered(tensors: Tensors, doublings: int) -> Tensors:
    """The same, named as ESRGAN's first files are: modules numbered in a row."""
    outer = {"conv_first": 0, "conv_hr": 2 + 3 * doublings, "conv_last": 4 + 3 * doublings}
    outer |= {f"conv_up{number}": 3 * number for number in range(1, doublings + 1)}
    found: Tensors = {}
    for name, tensor in tensors.items():
        first, *rest = name.split(".")
        if first == "body":
            block, part, number, kind = rest
            new = f"model.1.sub.{block}.{part.upper()}.{number}.0.{kind}"
        elif first == "conv_body":
            new = f"model.1.sub.{BLOCKS}.{rest[0]}"
        else:
            new = f"model.{outer[first]}.{rest[0]}"
        found[new] = tensor
    return found


def compact(scale: int) -> Tensors:
    chance = torch.Generator().manual_seed(9)
    made = conv("body.0", WIDTH, 3, chance)
    for number in (1, 3, 5):
        made[f"body.{number}.weight"] = torch.rand(WIDTH, generator=chance)
    for number in (2, 4):
        made |= conv(f"body.{number}", WIDTH, WIDTH, chance)
    return made | conv("body.6", 3 * scale**2, WIDTH, chance)


def by_the_paper(tensors: Mapping[str, Tensor], x: Tensor, doublings: int, edge: int) -> Tensor:
    """ESRGAN's equations, written down again over the file's tensors."""

    def at(name: str, x: Tensor) -> Tensor:
        return functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)

    def bent(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    if edge > 1:
        b, c, h, w = x.shape
        squares = x.reshape(b, c, h // edge, edge, w // edge, edge)
        x = squares.permute(0, 1, 3, 5, 2, 4).reshape(b, c * edge**2, h // edge, w // edge)
    first = at("conv_first", x)
    h = first
    for block in range(BLOCKS):
        before = h
        for part in (1, 2, 3):
            parts = [h]
            for number in range(1, 5):
                name = f"body.{block}.rdb{part}.conv{number}"
                parts.append(bent(at(name, torch.cat(parts, 1))))
            h = h + 0.2 * at(f"body.{block}.rdb{part}.conv5", torch.cat(parts, 1))
        h = before + 0.2 * h
    h = first + at("conv_body", h)
    for number in range(1, doublings + 1):
        h = bent(at(f"conv_up{number}", h.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    return at("conv_last", bent(at("conv_hr", h)))


def engine_with(tensors: Tensors, folder: Path) -> tuple[Engine, Path]:
    path = folder / "upscaler.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    return Engine("cpu", "float32"), path


@pytest.mark.parametrize(
    ("doublings", "edge", "layout"),
    [(2, 1, "new"), (2, 2, "new"), (2, 4, "new"), (0, 1, "old"), (1, 1, "old"), (3, 1, "old")],
)
def test_an_esrgan_of_either_naming_follows_the_paper(
    tmp_path: Path, doublings: int, edge: int, layout: str
) -> None:
    tensors = dense(doublings, edge)
    engine, path = engine_with(
        tensors if layout == "new" else numbered(tensors, doublings), tmp_path
    )
    upscaler = engine.upscaler(path)
    assert upscaler.scale == 2**doublings // edge
    x = torch.rand(2, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    wanted = by_the_paper(tensors, x, doublings, edge).clamp(0, 1).movedim(1, -1)
    found = upscaler.enlarge(x.movedim(1, -1))
    # float32, other orders of summing alone
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_picture_that_makes_no_whole_squares_keeps_its_proportions(tmp_path: Path) -> None:
    engine, path = engine_with(dense(2, 2), tmp_path)
    assert engine.upscaler(path).enlarge(torch.rand(1, 7, 9, 3)).shape == (1, 14, 18, 3)


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_compact_upscaler_adds_to_the_nearest_pixels(tmp_path: Path, scale: int) -> None:
    tensors = compact(scale)
    engine, path = engine_with(tensors, tmp_path)
    x = torch.rand(1, 3, 6, 5, generator=torch.Generator().manual_seed(2))
    h = x
    for number in range(7):
        weight = tensors[f"body.{number}.weight"]
        if number % 2:
            h = torch.where(h > 0, h, weight[None, :, None, None] * h)
        else:
            h = functional.conv2d(h, weight, tensors[f"body.{number}.bias"], padding=1)
    near = x.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    wanted = (near + functional.pixel_shuffle(h, scale)).clamp(0, 1).movedim(1, -1)
    found = engine.upscaler(path).enlarge(x.movedim(1, -1))
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_large_picture_is_made_of_tiles_that_do_not_show(tmp_path: Path) -> None:
    engine, path = engine_with(compact(2), tmp_path)
    upscaler = engine.upscaler(path)
    x = torch.rand(1, 20, TILE + OVERLAP, 3, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        whole = upscaler.module(x.movedim(-1, 1)).clamp(0, 1).movedim(1, -1)
    calls: list[None] = []
    found = upscaler.enlarge(x, lambda: calls.append(None))
    assert len(calls) == 2
    # An output pixel sees 4 pixels to each side; nearer to a tile's edge, zeros were seen instead,
    # and there the other tile has nearly all the weight.
    assert float((found - whole).abs().mean()) < 1e-3


def test_tensors_of_something_else_are_refused() -> None:
    with pytest.raises(MissingTensor):
        upscaler_of({"model.0.weight": (8, 3, 3, 3)})
