"""Networks that enlarge pictures: ESRGAN's and the compact ones of Real-ESRGAN.

ESRGAN: Wang et al. 2018, figures 3 and 4 (residual-in-residual dense blocks). Compact ones: Wang et
al. 2021 (Real-ESRGAN), a row of convolutions that ends with a pixel shuffle (Shi et al. 2016).
"""

import math
import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from diffusion.layers import MissingTensor, Shapes, shape_of
from diffusion.networks import Built
from diffusion.origins import Taken

SLOPE = 0.2
"""Of the leaky ReLU where its input is negative."""

RESIDUAL = 0.2
"""By which a block's own part is made smaller before its input is added (section 3.1)."""

LARGEST = 8
"""No network enlarges more than this along an edge."""


@dataclass(frozen=True)
class DenseConfig:
    """Sizes of an ESRGAN. `unshuffled`: squares of so many pixels an edge enter as channels."""

    width: int
    growth: int
    blocks: int
    doublings: int
    unshuffled: int

    @property
    def scale(self) -> int:
        """How many times larger an edge becomes."""
        return (1 << self.doublings) // self.unshuffled


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees what all before it made."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for number in range(1, 6):
            out = growth if number < 5 else width
            conv = nn.Conv2d(width + (number - 1) * growth, out, 3, padding=1)
            self.add_module(f"conv{number}", conv)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for number in range(1, 5):
            made = functional.leaky_relu(self.get_submodule(f"conv{number}")(seen), SLOPE)
            seen = torch.cat([seen, made], 1)
        out: Tensor = x + RESIDUAL * self.get_submodule("conv5")(seen)
        return out


class ResidualDenseBlock(nn.Module):
    """Three dense blocks within a residual."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1 = DenseBlock(width, growth)
        self.rdb2 = DenseBlock(width, growth)
        self.rdb3 = DenseBlock(width, growth)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + RESIDUAL * self.rdb3(self.rdb2(self.rdb1(x)))
        return out


class DenseUpscaler(nn.Module):
    """ESRGAN: pixels (batch, 3, height, width) in 0…1 to `scale` times as many along each edge."""

    def __init__(self, config: DenseConfig) -> None:
        super().__init__()
        self.config = config
        self.scale = config.scale
        width = config.width
        self.conv_first = nn.Conv2d(3 * config.unshuffled**2, width, 3, padding=1)
        self.body = nn.ModuleList(
            ResidualDenseBlock(width, config.growth) for _ in range(config.blocks)
        )
        self.conv_body = nn.Conv2d(width, width, 3, padding=1)
        for number in range(1, config.doublings + 1):
            self.add_module(f"conv_up{number}", nn.Conv2d(width, width, 3, padding=1))
        self.conv_hr = nn.Conv2d(width, width, 3, padding=1)
        self.conv_last = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        edge = self.config.unshuffled
        if edge > 1:
            # what is no whole square is filled with the last pixels, and cut off at the end
            x = functional.pad(x, (0, -width % edge, 0, -height % edge), mode="replicate")
            x = functional.pixel_unshuffle(x, edge)
        first = x = self.conv_first(x)
        for block in self.body:
            x = block(x)
        x = first + self.conv_body(x)
        for number in range(1, self.config.doublings + 1):
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = functional.leaky_relu(self.get_submodule(f"conv_up{number}")(x), SLOPE)
        out: Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(x), SLOPE))
        return out[:, :, : height * self.scale, : width * self.scale]


class CompactUpscaler(nn.Module):
    """A row of convolutions and PReLUs: pixels as of `DenseUpscaler`, in a fraction of the time."""

    def __init__(self, width: int, convolutions: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(3, width, 3, padding=1), nn.PReLU(width)]
        for _ in range(convolutions - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.PReLU(width)]
        layers.append(nn.Conv2d(width, 3 * scale**2, 3, padding=1))
        self.body = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        made = x
        for layer in self.body:
            made = layer(made)
        # the network makes what the nearest pixels lack
        return functional.pixel_shuffle(made, self.scale) + functional.interpolate(
            x, scale_factor=float(self.scale), mode="nearest"
        )


def upscaler_of(shapes: Shapes) -> Built:
    """The empty network for these tensors. Raises `MissingTensor` where they make none."""
    if "body.1.weight" in shapes and "conv_first.weight" not in shapes:
        return _compact(shapes)
    names = _dense_names(shapes)
    own = {name: shapes[origin.name] for name, origin in names.items()}
    first, grown = shape_of(own, "conv_first.weight"), shape_of(own, "body.0.rdb1.conv1.weight")
    config = DenseConfig(
        width=first[0],
        growth=grown[0],
        blocks=1 + max(int(name.split(".")[1]) for name in own if name.startswith("body.")),
        doublings=sum(1 for name in own if re.fullmatch(r"conv_up\d\.weight", name)),
        unshuffled=math.isqrt(first[1] // 3),
    )
    if not 1 <= config.scale <= LARGEST:
        raise MissingTensor("Its convolutions make no upscaler of 1 to 8 times.")
    with torch.device("meta"):
        return Built(DenseUpscaler(config), names)


def _compact(shapes: Shapes) -> Built:
    numbers = sorted(int(name.split(".")[1]) for name in shapes if name.endswith(".weight"))
    last = shape_of(shapes, f"body.{numbers[-1]}.weight")
    width, scale = shape_of(shapes, "body.0.weight")[0], math.isqrt(last[0] // 3)
    if not 1 <= scale <= LARGEST:
        raise MissingTensor("Its last convolution makes no upscaler of 1 to 8 times.")
    with torch.device("meta"):
        module = CompactUpscaler(width, numbers[-1] // 2 + 1, scale)
    return Built(module, {name: Taken(name) for name in shapes})


def _dense_names(shapes: Shapes) -> dict[str, Taken]:
    """Where each tensor lies: under its own name, or numbered as ESRGAN's first files have them."""
    if "model.0.weight" not in shapes:
        return {name: Taken(name) for name in shapes}
    doublings = sum(1 for name in shapes if re.fullmatch(r"model\.\d+\.weight", name)) - 3
    outer = {0: "conv_first", 2 + 3 * doublings: "conv_hr", 4 + 3 * doublings: "conv_last"}
    outer |= {3 * number: f"conv_up{number}" for number in range(1, doublings + 1)}
    return {_dense_name(name, outer): Taken(name) for name in shapes}


def _dense_name(name: str, outer: dict[int, str]) -> str:
    inner = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(weight|bias)", name)
    if inner:
        block, dense, conv, kind = inner.groups()
        return f"body.{block}.rdb{dense}.conv{conv}.{kind}"
    if found := re.fullmatch(r"model\.1\.sub\.\d+\.(weight|bias)", name):
        return f"conv_body.{found[1]}"
    found = re.fullmatch(r"model\.(\d+)\.(weight|bias)", name)
    return f"{outer.get(int(found[1]), name)}.{found[2]}" if found else name
