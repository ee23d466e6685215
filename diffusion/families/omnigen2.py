"""OmniGen2 (BAAI 2025): makes and edits pictures, with Qwen 2.5 VL 3B text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has

OMNIGEN2 = Family(
    id="omnigen2",
    title="OmniGen2",
    latent_space="flux1",
    text_space="omnigen2",
    prediction="flow",
    noise=FlowNoise(shift=2.6, multiplier=1.0),
    layouts={
        "original": (
            Has("time_caption_embed.timestep_embedder.linear_2.weight"),
            Has("context_refiner.0.attn.norm_k.weight"),
            Has("ref_image_patch_embedder.weight"),
        ),
    },
    network=Network("omnigen2"),
)
"""diffusers keeps the original's names."""
