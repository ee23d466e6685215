"""The SD x4 upscaler (2022): SD 2.x's text, on latents of its own, beside the small picture."""

from diffusion.families.family import DiscreteNoise, Family, Network
from diffusion.families.signature import Has

IN = 7
"""Channels of the first convolution: the latent's 4 and the picture's 3."""

SD_X4_UPSCALER = Family(
    id="sd_x4_upscaler",
    title="SD x4 Upscaler",
    latent_space="sd_x4_upscaler",
    text_space="sd2",
    prediction="velocity",
    noise=DiscreteNoise(0.0001, 0.02),
    layouts={
        "original": (Has("input_blocks.0.0.weight", (256, IN, 3, 3)), Has("out.2.weight")),
        "diffusers": (Has("conv_in.weight", (256, IN, 3, 3)), Has("class_embedding.weight")),
    },
    network=Network(head_width=64),
)
