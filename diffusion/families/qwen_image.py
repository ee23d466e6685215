"""Qwen-Image (Alibaba 2025): joint attention over Wan 2.1's latents, with Qwen 2.5 VL 7B text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has, Lacks

QWEN_IMAGE = Family(
    id="qwen_image",
    title="Qwen-Image",
    latent_space="wan21",
    text_space="qwen_image",
    prediction="flow",
    noise=FlowNoise(shift=1.15, multiplier=1.0),
    layouts={
        "original": (
            Has("txt_norm.weight", (3584,)),
            Has("img_in.weight", (None, 64)),
            Has("transformer_blocks.0.img_mod.1.weight"),
            Lacks("controlnet_x_embedder.weight"),
        ),
    },
    network=Network("qwen_image"),
)
"""diffusers keeps the original's names."""
