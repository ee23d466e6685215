"""Lumina-Image 2.0 (Alpha-VLLM 2025): one stream of text and picture, with Gemma 2 text."""

from diffusion.families.family import Family, FlowNoise, Network
from diffusion.families.signature import Has, Lacks

LUMINA2 = Family(
    id="lumina2",
    title="Lumina 2",
    latent_space="flux1",
    text_space="lumina2",
    prediction="flow",
    noise=FlowNoise(shift=6.0, multiplier=1.0),
    layouts={
        "original": (
            Has("cap_embedder.1.weight", (2304, 2304)),
            Has("layers.0.attention.qkv.weight"),
        ),
        "diffusers": (
            Has("time_caption_embed.caption_embedder.1.weight", (2304, None)),
            Has("layers.0.attn.to_q.weight"),
            Lacks("ref_image_patch_embedder.weight"),
        ),
    },
    modelspec=("lumina-2",),
    network=Network("lumina2"),
)
