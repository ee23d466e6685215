"""Kolors (Kuaishou 2024): SDXL's UNet and latents, with the text of ChatGLM3."""

from diffusion.families.family import DiscreteNoise, Family, Network
from diffusion.families.signature import Has

WIDTH = 5632
"""Of the pooled text and the sizes together."""

KOLORS = Family(
    id="kolors",
    title="Kolors",
    latent_space="sdxl",
    text_space="kolors",
    prediction="epsilon",
    noise=DiscreteNoise(last=0.014, count=1100),
    layouts={
        "original": (
            Has("input_blocks.0.0.weight"),
            Has("out.2.weight"),
            Has("label_emb.0.0.weight", (None, WIDTH)),
        ),
        "diffusers": (
            Has("conv_in.weight"),
            Has("conv_out.weight"),
            Has("add_embedding.linear_1.weight", (None, WIDTH)),
            Has("encoder_hid_proj.weight", (None, 4096)),
        ),
    },
    network=Network(head_width=64),
)
