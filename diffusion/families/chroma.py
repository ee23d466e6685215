"""Chroma (lodestones 2025): FLUX.1's blocks, modulated by a small network, with T5 text alone."""

import math

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

_GUIDE = Has("distilled_guidance_layer.in_proj.bias")

CHROMA = Family(
    id="chroma",
    title="Chroma",
    latent_space="flux1",
    text_space="chroma",
    prediction="flow",
    noise=FlowNoise(shift=math.exp(1.15), multiplier=1.0),
    layouts={
        "original": (
            _GUIDE,
            Has("double_blocks.0.img_attn.qkv.weight"),
            Has("img_in.weight", (None, 64)),
        ),
        "diffusers": (
            _GUIDE,
            Has("transformer_blocks.0.attn.add_q_proj.weight"),
            Has("x_embedder.weight", (None, 64)),
        ),
    },
    modelspec=("chroma",),
    network=Network("chroma"),
)

CHROMA_RADIANCE = Family(
    id="chroma_radiance",
    title="Chroma Radiance",
    latent_space="pixel",
    text_space="chroma",
    prediction="flow",
    noise=FlowNoise(shift=math.exp(1.15), multiplier=1.0),
    layouts={"original": (_GUIDE, Has("img_in_patch.weight", (None, 3, None, None)))},
    network=Network("chroma_radiance"),
)
"""The same without a VAE: it denoises pixels."""
