"""The sizes of a KL autoencoder, read from the shapes of its tensors."""

from dataclasses import dataclass
from typing import Self

from diffusion.patch_statistics import PATCH
from diffusion.shapes import Shapes, count, shape_of


@dataclass(frozen=True)
class VaeConfig:
    """Every size of an autoencoder; `channels` lists the levels from full resolution down.

    `normalised`: as FLUX.2's, whose latents travel normalised by the file's own statistics.
    """

    pixel_channels: int
    stem_channels: int
    channels: tuple[int, ...]
    encoder_blocks: int
    decoder_blocks: int
    latent_channels: int
    quantised_channels: int | None  # channels between the 1x1 quant convs; None: there are none
    norm_groups: int = 32
    normalised: bool = False

    @property
    def downscale(self) -> int:
        """Pixels per latent pixel, along each side."""
        return int(2 ** (len(self.channels) - 1))

    @property
    def cell(self) -> int:
        """Pixels along each side that a picture must be a multiple of."""
        return self.downscale * (PATCH if self.normalised else 1)

    @classmethod
    def from_shapes(cls, shapes: Shapes, *, norm_groups: int = 32) -> Self:
        """The sizes of the file whose tensors (without prefix) have these shapes."""
        levels = count(shapes, "encoder.down.{}.block.0.conv1.weight")
        channels = tuple(
            shape_of(shapes, f"encoder.down.{level}.block.0.conv1.weight")[0]
            for level in range(levels)
        )
        stem = shape_of(shapes, "encoder.conv_in.weight")
        quantised = None
        if "post_quant_conv.weight" in shapes:
            quantised = shape_of(shapes, "post_quant_conv.weight")[1]
        return cls(
            pixel_channels=stem[1],
            stem_channels=stem[0],
            channels=channels,
            encoder_blocks=count(shapes, "encoder.down.0.block.{}.conv1.weight"),
            decoder_blocks=count(shapes, "decoder.up.0.block.{}.conv1.weight"),
            latent_channels=shape_of(shapes, "decoder.conv_in.weight")[1],
            quantised_channels=quantised,
            norm_groups=norm_groups,
            normalised="bn.running_mean" in shapes,
        )
