"""HiDream-I1 (HiDream 2025): FLUX.1's latents, with CLIP-L, CLIP-G, T5 and Llama 3.1 text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

HIDREAM = Family(
    id="hidream_i1",
    title="HiDream-I1",
    latent_space="flux1",
    text_space="hidream_i1",
    prediction="flow",
    noise=FlowNoise(shift=3.0),
    layouts={
        "original": (
            Has("double_stream_blocks.0.block.adaLN_modulation.1.bias"),
            Has("caption_projection.0.linear.weight"),
        ),
    },
    network=Network("hidream"),
)
"""diffusers keeps the original's names."""
