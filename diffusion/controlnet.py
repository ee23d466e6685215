"""ControlNets of UNets: copies of a UNet's way down that read a picture and add to the original.

Zhang et al. 2023, section 3.2 and figure 3. Every tensor is named as in the published files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from diffusion.architecture import Architecture
from diffusion.controlnet_names import HINT_WIDTHS, controlnet_names
from diffusion.families.family import Network
from diffusion.levels import NoiseLevels
from diffusion.shapes import Shapes
from diffusion.unet import (
    UNet,
    UNetConfig,
    control_name,
    embedded,
    middle_of,
    told_of,
    way_down,
)

PUBLISHED = Architecture()

DOWNSCALE = 8
"""Pixels of the picture along the edge of a latent's element."""


class ControlNet(nn.Module):
    """What it gives goes to `UNet.forward`, one tensor for each input block and the middle."""

    def __init__(self, config: UNetConfig) -> None:
        """`config`: of the UNet that it steers, in what they share."""
        super().__init__()
        self.config = config
        self.time_embed, self.label_emb = told_of(config)
        self.input_blocks, widths = way_down(config)
        self.zero_convs = nn.ModuleList(nn.Sequential(nn.Conv2d(w, w, 1)) for w in widths)
        self.input_hint_block = _hint_block(config.stem_channels)
        self.middle_block = middle_of(config)
        self.middle_block_out = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1))

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        context: Tensor,
        hint: Tensor,
        vector: Tensor | None = None,
    ) -> list[Tensor]:
        """What is added to the outputs of the input blocks and of the middle, in this order.

        `hint`: the picture that steers, (batch, 3, 8·height, 8·width) in 0…1; the rest as in
        `UNet.forward`.
        """
        time = embedded(self.config, self.time_embed, self.label_emb, timesteps, vector)
        given = []
        for number, (stage, out) in enumerate(zip(self.input_blocks, self.zero_convs, strict=True)):
            x = stage(x, time, context)
            if number == 0:
                x = x + self.input_hint_block(hint)
            given.append(out(x))
        return [*given, self.middle_block_out(self.middle_block(x, time, context))]


def _hint_block(width: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    entering = 3
    for number, out in enumerate(HINT_WIDTHS):
        stride = 2 if number and number % 2 == 0 else 1
        parts += [nn.Conv2d(entering, out, 3, stride=stride, padding=1), nn.SiLU()]
        entering = out
    return nn.Sequential(*parts, nn.Conv2d(entering, width, 3, padding=1))


def controlnet_of(
    shapes: Shapes, network: Network, told: Architecture = PUBLISHED
) -> tuple[ControlNet, dict[str, str]]:
    """An empty ControlNet on the meta device, and where in the file each of its tensors lies.

    `network`: of the family that it steers. Raises `diffusion.layers.MissingTensor`.
    """
    names = controlnet_names(shapes)
    found = {ours: shapes[name] for ours, name in names.items()}
    stem = found.get("input_blocks.0.0.weight", (0, 0))
    # It has no way up, whose end says how many channels a UNet gives.
    whole = {**found, "out.2.weight": (stem[1], stem[0], 3, 3)}
    config = UNetConfig.from_shapes(
        whole,
        heads=told.unet_heads or network.heads,
        norm_groups=told.unet_norm_groups or 32,
        head_width=None if told.unet_heads else network.head_width,
    )
    with torch.device("meta"):
        return ControlNet(replace(config, up_depths=None)), names


def steers(control: ControlNet, unet: UNet) -> bool:
    """Whether all that it gives has a place in this UNet, and takes what that is told.

    The published models of a family are built alike; those with blocks left out are not.
    """
    return all(
        getattr(control.config, name) == getattr(unet.config, name)
        for name in (
            "stem_channels",
            "channels",
            "residual_blocks",
            "context_width",
            "vector_width",
        )
    )


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet at work: `pictures` (1 or batch, height, width, 3) in 0…1, at any size.

    What it gives is multiplied by `strength`. `begin` and `end`: fractions of the way from noise to
    picture between which it steers.
    """

    module: ControlNet
    pictures: Tensor
    strength: float = 1.0
    begin: float = 0.0
    end: float = 1.0

    def holds(self, sigma: float, levels: NoiseLevels) -> bool:
        """Does it steer at level σ?"""
        return self.strength > 0 and levels.at(self.end) <= sigma <= levels.at(self.begin)

    def given(
        self, x: Tensor, timesteps: Tensor, context: Tensor, vector: Tensor | None
    ) -> list[Tensor]:
        """What it adds to a UNet that sees this (see `UNet.forward`)."""
        like = next(self.module.parameters())
        found: list[Tensor] = self.module(
            x.to(like), timesteps, context.to(like), self._hint(x).to(like), vector
        )
        return [tensor.to(x) * self.strength for tensor in found]

    def _hint(self, x: Tensor) -> Tensor:
        size = (x.shape[2] * DOWNSCALE, x.shape[3] * DOWNSCALE)
        hint = _middle(self.pictures.movedim(-1, 1), size)
        if hint.shape[2:] != size:
            hint = interpolate(hint, size=size, mode="bilinear", antialias=True)
        if len(x) % len(hint):
            raise ValueError(
                f"{len(hint)} pictures cannot steer a batch of {len(x)}: give one, or one for each."
            )
        return hint.repeat(len(x) // len(hint), 1, 1, 1)


def _middle(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of the pictures (batch, 3, height, width) in the proportions of `size`."""
    height, width = pictures.shape[2:]
    wanted = min(height, round(width * size[0] / size[1]))
    across = min(width, round(height * size[1] / size[0]))
    top, left = (height - wanted) // 2, (width - across) // 2
    return pictures[:, :, top : top + wanted, left : left + across]


def steering(
    controls: Sequence[Control],
    x: Tensor,
    timesteps: Tensor,
    context: Tensor,
    vector: Tensor | None,
) -> Mapping[str, Tensor]:
    """What all of them add together, by the arguments of `UNet.forward`."""
    total: list[Tensor] = []
    for control in controls:
        given = control.given(x, timesteps, context, vector)
        total = [a + b for a, b in zip(total, given, strict=True)] if total else given
    return {control_name(number): tensor for number, tensor in enumerate(total)}
